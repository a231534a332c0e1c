/** A real Temporal development server, and the workflows of the working tree in a file. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { dataConverter } from '../../src/temporal/data-converter.ts';
import { bundleWorkflows } from '../../src/temporal/workflow-code.ts';
import { cacheDirectory } from '../../src/embedded/files/cache-directory.ts';
import { accepts } from '../../src/embedded/files/ports.ts';
import { readTemporalDev } from '../../src/embedded/temporal/dev-settings.ts';
import { resolveTemporal } from '../../src/embedded/temporal/executable.ts';
import { freePort } from './free-port.ts';
import { eventually } from './stack.ts';

export const TEMPORAL_DEV = readTemporalDev(new URL('../../temporal-dev.yaml', import.meta.url));

export interface TemporalServer {
  /** Its address, host and port. */
  readonly at: string;
  stop(): Promise<void>;
}

const QUIET = new DefaultLogger('ERROR');

/** Bundles the workflows into a file; `stop` removes it. */
export async function bundleIntoFile(): Promise<{ at: string; stop(): Promise<void> }> {
  return keepIn('workflows.js', (await bundleWorkflows(QUIET)).code);
}

/** The same for the workers of whole stacks, which are killed: with heartbeats that are missed sooner. */
export async function bundleForStacks(): Promise<{ at: string; stop(): Promise<void> }> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)),
    ...dataConverter,
    logger: QUIET,
    webpackConfigHook: (config) => ({
      ...config,
      resolve: {
        ...config.resolve,
        alias: Object.assign({}, config.resolve?.alias, {
          './heartbeats.ts$': fileURLToPath(new URL('short-heartbeats.ts', import.meta.url)),
        }),
      },
    }),
  });
  return keepIn('stack-workflows.js', code);
}

async function keepIn(name: string, code: string): Promise<{ at: string; stop(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'codexk8s-test-workflows-'));
  const at = join(directory, name);
  await writeFile(at, code);
  return { at, stop: () => rm(directory, { recursive: true, force: true }) };
}

/** Starts a server with an empty namespace `default`; `dynamicConfig` is put over that of temporal-dev.yaml. */
export async function startTemporalServer(
  dynamicConfig: Record<string, string | number> = {},
): Promise<TemporalServer> {
  const { path } = await resolveTemporal({
    ...TEMPORAL_DEV,
    cacheDirectory: cacheDirectory(process.env),
    env: process.env,
    report: () => {},
  });
  const port = await freePort();
  const at = `127.0.0.1:${port}`;
  const server = spawn(path, serverArguments(port, dynamicConfig), { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(server, 'exit');
  async function stop(): Promise<void> {
    server.kill('SIGKILL');
    await ended;
  }
  try {
    await eventually('Temporal answers', async () => {
      if (server.exitCode !== null) throw new Error(`Temporal ended with ${server.exitCode}`);
      return (await accepts(port)) && knowsNamespace(at);
    });
    return { at, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function serverArguments(port: number, dynamicConfig: Record<string, string | number>): string[] {
  const config = { ...TEMPORAL_DEV.dynamicConfig, ...dynamicConfig };
  // Tests end workflows and workers in the middle of their work on purpose: only what is fatal for the server itself is of use.
  const flags = ['--ip', '127.0.0.1', '--port', String(port), '--namespace', 'default', '--log-level', 'error'];
  const given = [
    ...Object.entries(TEMPORAL_DEV.searchAttributes).map((attribute) => ['--search-attribute', attribute.join('=')]),
    ...Object.entries(config).map(([name, value]) => ['--dynamic-config-value', `${name}=${JSON.stringify(value)}`]),
  ];
  return ['server', 'start-dev', '--headless', '--log-format', 'pretty', ...flags, ...given.flat()];
}

/** Whether its one namespace can be used: it may take connections before. */
async function knowsNamespace(address: string): Promise<boolean> {
  const connection = Connection.lazy({ address });
  try {
    await connection.workflowService.describeNamespace({ namespace: 'default' });
    return true;
  } catch {
    return false;
  } finally {
    await connection.close();
  }
}
