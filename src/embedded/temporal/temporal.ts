/** How the development server of Temporal is run. */
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
  /** Put over the dynamic config of temporal-dev.yaml: tests lower limits with it. */
  readonly dynamicConfig?: TemporalDev['dynamicConfig'];
  /** Brings the namespace up to the settings; in this process unless the caller has another one do it. */
  readonly convergeNamespace?: (address: string, settings: TemporalDev) => Promise<boolean>;
}

export interface TemporalServer {
  /** For the supervisor. When it is ready, the namespace has everything that temporal-dev.yaml says. */
  readonly spec: ProcessSpec;
  readonly address: string;
  readonly ui: string;
  readonly namespace: string;
}

/** Describes the server: nothing is started here. */
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
      // A home of its own: no configuration of the user's changes this server.
      env: { PATH: '/usr/bin:/bin', HOME: directory },
      cwd: directory,
      prepare: () => discardUnfinished(database),
      // A gRPC client that comes too early waits a second until it tries again: ask for the port first.
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
 * The server makes its tables only where there is no file: a first start that was killed half way would keep it from ever
 * starting. A database without a single namespace has never served anybody.
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
    // Anything but a missing file or table (a busy or damaged one, say) is for the server to report.
    return !/no such table|unable to open/.test((error as Error).message);
  }
}
