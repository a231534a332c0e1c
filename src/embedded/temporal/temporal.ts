/** The process of Temporal's development server. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { accepts } from '../files/ports.ts';
import type { ProcessSpec } from '../processes/supervised-process.ts';
import type { TemporalDev } from './dev-settings.ts';

export interface TemporalOptions {
  readonly executable: string;
  readonly dataDirectory: string;
  readonly port: number;
  readonly uiPort: number;
  readonly settings: TemporalDev;
  /** Overrides the dynamic config of temporal-dev.yaml: tests lower limits with it. */
  readonly dynamicConfig?: TemporalDev['dynamicConfig'];
  /** Replaces {@link convergeHere}, for a caller that does it in another process. */
  readonly convergeNamespace?: (address: string, settings: TemporalDev) => Promise<boolean>;
}

export interface TemporalServer {
  /** For the supervisor. It is ready once the namespace is as temporal-dev.yaml says. */
  readonly spec: ProcessSpec;
  readonly address: string;
  readonly ui: string;
  readonly namespace: string;
}

/** Describes the server without starting it. */
export function temporalServer(options: TemporalOptions): TemporalServer {
  const { convergeNamespace = convergeHere } = options;
  const directory = join(options.dataDirectory, 'temporal');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const database = join(directory, 'temporal.db');
  const address = `127.0.0.1:${options.port}`;
  return {
    address,
    ui: `http://127.0.0.1:${options.uiPort}`,
    namespace: options.settings.namespace.name,
    spec: {
      name: 'temporal',
      command: options.executable,
      args: temporalArguments(options, database),
      // A HOME of its own, so that no configuration of the user changes this server.
      env: { PATH: '/usr/bin:/bin', HOME: directory },
      cwd: directory,
      prepare: () => discardUnfinished(database),
      // A gRPC client that connects too early waits a second before it retries: check the port first.
      ready: async () => (await accepts(options.port)) && convergeNamespace(address, options.settings),
    },
  };
}

async function convergeHere(address: string, settings: TemporalDev): Promise<boolean> {
  return (await import('./namespace.ts')).convergeNamespace(address, settings);
}

/** The arguments of the Temporal CLI. */
export function temporalArguments(options: Omit<TemporalOptions, 'executable'>, database: string): string[] {
  const { settings, port, uiPort } = options;
  const dynamicConfig = { ...settings.dynamicConfig, ...options.dynamicConfig };
  const flags = {
    '--ip': '127.0.0.1',
    '--port': port,
    '--ui-port': uiPort,
    '--db-filename': database,
    '--namespace': settings.namespace.name,
    '--log-level': 'warn',
    '--log-format': 'json',
  };
  return [
    'server',
    'start-dev',
    ...Object.entries(flags).flatMap(([flag, value]) => [flag, String(value)]),
    ...pairs('--search-attribute', settings.searchAttributes, String),
    ...pairs('--dynamic-config-value', dynamicConfig, (value) => JSON.stringify(value)),
    ...pairs('--sqlite-pragma', settings.sqlite, String),
  ];
}

function pairs<T>(flag: string, values: Readonly<Record<string, T>>, print: (value: T) => string): string[] {
  return Object.entries(values).flatMap(([key, value]) => [flag, `${key}=${print(value)}`]);
}

/**
 * Removes the database of a first start that was killed: the server creates its tables only if there is no file, and would never
 * start. A database without a namespace has never been used.
 */
function discardUnfinished(file: string): void {
  if (hasNamespace(file)) return;
  for (const end of ['', '-wal', '-shm', '-journal']) rmSync(file + end, { force: true });
}

function hasNamespace(file: string): boolean {
  try {
    using database = new DatabaseSync(file, { readOnly: true });
    return database.prepare('SELECT 1 FROM namespaces LIMIT 1').get() !== undefined;
  } catch (error) {
    // The server reports any other error (a busy or damaged database, for example).
    return !/no such table|unable to open/.test((error as Error).message);
  }
}
