/** The subjects of the measurement: their processes, their databases, and what they kept. */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { migrateDatabase } from '../../src/store/connection/migrate.ts';
import { connect } from '../../src/store/connection/database.ts';
import { addPerson, bindRepository, ensureProject } from '../../src/store/projects/repositories.ts';
import { REPOSITORY, SECRET, SENDER } from './deliveries.ts';

export interface Subject {
  readonly name: string;
  readonly url: string;
  /** The status of its response to an accepted delivery. */
  readonly accepts: number;
  /** The number of stored deliveries; undefined for a subject that stores none. */
  kept(): Promise<number | undefined>;
  stop(): Promise<void>;
}

/** Nothing listens here: what a server sees when Temporal is away. */
export const NO_TEMPORAL = { address: '127.0.0.1:1', namespace: 'codex-k8s' };

const CLI = fileURLToPath(new URL('../../src/cli/cli.ts', import.meta.url));
const PEER = fileURLToPath(new URL('subject-process.ts', import.meta.url));

/** Starts one of those that the intake is measured beside. */
export async function startPeer(name: 'bare' | 'probot' | 'one-row', databaseUrl: string): Promise<Subject> {
  const { url, stop } = await startProcess(PEER, [name, databaseUrl], {});
  const keeps = name === 'one-row';
  return {
    name,
    url: url ?? '',
    accepts: name === 'probot' ? 200 : 202,
    kept: async () => (keeps ? count(databaseUrl, 'deliveries') : undefined),
    stop,
  };
}

/** Starts the real server on an empty database, with the repository bound and the sender known. */
export async function startServer(options: {
  readonly name: string;
  readonly databaseUrl: string;
  readonly directory: string;
  readonly port: number;
  readonly temporal: { readonly address: string; readonly namespace: string };
  /** Arguments for Node, to profile it for one. */
  readonly nodeArguments: readonly string[];
}): Promise<Subject> {
  const { name, databaseUrl, port } = options;
  await migrateDatabase(databaseUrl);
  await bind(databaseUrl);
  const url = `http://127.0.0.1:${port}`;
  const env = {
    ...secretFiles(join(options.directory, name), databaseUrl),
    CODEXK8S_PORT: String(port),
    CODEXK8S_PUBLIC_URL: url,
    CODEXK8S_INTERNAL_URL: url,
    CODEXK8S_TEMPORAL_ADDRESS: options.temporal.address,
    CODEXK8S_TEMPORAL_NAMESPACE: options.temporal.namespace,
    CODEXK8S_LOG_LEVEL: 'error',
  };
  const { stop } = await startProcess(CLI, ['server'], env, options.nodeArguments);
  return {
    name,
    url,
    accepts: 202,
    stop,
    async kept() {
      const [deliveries, facts, events] = await Promise.all(
        ['deliveries', 'issue_facts', 'flow_events'].map((table) => count(databaseUrl, table)),
      );
      if (deliveries !== facts || deliveries !== events)
        throw new Error(`${name} keeps ${deliveries} deliveries, ${facts} facts and ${events} events`);
      return deliveries;
    },
  };
}

/** Creates an empty database beside another one, and returns its url. */
export async function createDatabase(url: string, name: string): Promise<string> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  await sql`create database ${sql(name)}`;
  await sql.end();
  const own = new URL(url);
  own.pathname = name;
  return own.toString();
}

async function bind(databaseUrl: string): Promise<void> {
  const connection = connect(databaseUrl, { name: 'bench', max: 1 });
  const { db } = connection;
  const projectId = await ensureProject(db, 'bench');
  await bindRepository(db, { ...REPOSITORY, projectId });
  await addPerson(db, SENDER, 'read_write', projectId);
  await connection.close();
}

/** The server reads its secrets from files. */
function secretFiles(directory: string, databaseUrl: string): Record<string, string> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const secret = (): string => randomBytes(24).toString('hex');
  const files = {
    CODEXK8S_DATABASE_URL_FILE: databaseUrl,
    CODEXK8S_WEBHOOK_SECRETS_FILE: SECRET,
    CODEXK8S_GITHUB_TOKEN_FILE: secret(),
    CODEXK8S_RUN_TOKEN_KEY_FILE: secret(),
    CODEXK8S_STAFF_TOKEN_FILE: secret(),
    CODEXK8S_MODEL_KEY_FILE: secret(),
  };
  return Object.fromEntries(
    Object.entries(files).map(([name, text]) => {
      const path = join(directory, name.toLowerCase());
      writeFileSync(path, text, { mode: 0o600 });
      return [name, path];
    }),
  );
}

async function startProcess(
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  execArgv: readonly string[] = [],
): Promise<{ url: string | undefined; stop: () => Promise<void> }> {
  const child = fork(script, [...args], {
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...env },
    execArgv: [...execArgv],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit');
  const told = await Promise.race([once(child, 'message'), ended]);
  if (child.exitCode !== null) throw new Error(`${script} ${args.join(' ')} ended with ${child.exitCode}`);
  const [{ url }] = told as [{ url?: string }];
  return {
    url,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function count(databaseUrl: string, table: string): Promise<number> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  const [row] = await sql<{ rows: number }[]>`select count(*)::int as rows from ${sql(table)}`;
  await sql.end();
  return row?.rows ?? 0;
}
