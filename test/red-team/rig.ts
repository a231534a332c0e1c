/**
 * Two servers of one installation in this process, with real tables, GitHub's stand-in with real git, and a model that notes what
 * reaches it. Known secrets are planted in their configuration.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve, type ServerType } from '@hono/node-server';
import { Octokit } from '@octokit/rest';
import { execa } from 'execa';
import { Registry } from 'prom-client';
import { createMetrics } from '../../ingress/http/metrics.ts';
import { BODY_LIMITS } from '../../ingress/http/slow-bodies.ts';
import { createRunTokens } from '../../src/adapters/run-tokens.ts';
import { serverConfig } from '../../src/app/config/server-config.ts';
import { PRODUCTION_LIMITS } from '../../src/app/config/limits.ts';
import { createServerApp, type ServerParts } from '../../src/app/server/server-app.ts';
import { issueKey } from '../../src/domain/issue/facts.ts';
import type { RunKind, Stage } from '../../src/domain/stages/stages.ts';
import { startGitHubEmulator, type GitHubEmulator } from '../../src/emulators/github/server.ts';
import { connect, type Connection } from '../../src/store/connection/database.ts';
import { runs } from '../../src/store/connection/schema.ts';
import { createIntake } from '../../src/store/intake/intake.ts';
import { bindRepository, ensureProject } from '../../src/store/projects/repositories.ts';
import { closeAssignment, storeAssignment } from '../../src/store/runs/assignments.ts';
import { storeConversation } from '../../src/store/runs/conversations.ts';
import { freePort } from '../support/free-port.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { assignmentOf } from '../support/tables.ts';

export const BRANCH = 'codex/issue-7';
const CLEAN = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'agent',
  GIT_AUTHOR_EMAIL: 'agent@example.com',
  GIT_COMMITTER_NAME: 'agent',
  GIT_COMMITTER_EMAIL: 'agent@example.com',
};

/** A run whose agent is hostile. */
export interface HostileRun {
  readonly runId: string;
  readonly token: string;
}

/** `dev`, `ops`: at work. `reader`: a review, which pushes nothing. `over`: its token was closed. */
export type RunName = 'dev' | 'ops' | 'reader' | 'over';

export interface Rig extends AsyncDisposable {
  /** The addresses of both servers. */
  readonly servers: readonly [string, string];
  readonly runs: Readonly<Record<RunName, HostileRun>>;
  /** A run of another project at work, whose conversation holds {@link PLANTED}. */
  readonly victim: HostileRun;
  readonly connection: Connection;
  readonly octo: Octokit;
  /** Secrets of the platform, none of which may be anywhere afterwards. */
  readonly secrets: readonly string[];
  /** What the model's provider was sent, as text. */
  readonly modelRequests: string[];
  /** The servers' own logs. */
  readonly logged: unknown[];
  /** A new clone through a server, on the run's branch. */
  clone(server: string, run: HostileRun): Promise<Clone>;
  /** The commit of a branch on GitHub; undefined if there is none. */
  head(branch: string): Promise<string | undefined>;
  /** Every row of every table, as text. */
  everyRow(): Promise<string>;
}

export interface Clone {
  readonly directory: string;
  git(...args: string[]): Promise<string>;
  /** Ends with git's words, whatever became of it. */
  push(...args: string[]): Promise<{ readonly failed: boolean; readonly said: string }>;
}

/** In the conversation of the run of another project. */
export const PLANTED = 'the plans of the other project';

export async function startRig(): Promise<Rig> {
  const directory = await mkdtemp(join(tmpdir(), 'red-team-'));
  const database = await startTestDatabase();
  const connection = connect(database.url, { name: 'red team', statementTimeoutMs: 60_000, lockTimeoutMs: 30_000 });
  const word = (): string => randomBytes(18).toString('hex');
  const secrets = {
    github: `ghp_${word()}`,
    model: `sk-${word()}`,
    anthropic: `sk-ant-${word()}`,
    staff: `staff-${word()}`,
    webhook: `hook-${word()}`,
    key: `key-${word()}`,
  };
  const github = await startGitHubEmulator({
    dataDir: join(directory, 'github'),
    accounts: [
      { login: 'octo', token: secrets.github, type: 'User' },
      { login: 'stranger', token: `ghp_${word()}`, type: 'User' },
    ],
  });
  const octo = new Octokit({
    baseUrl: github.apiUrl,
    auth: secrets.github,
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
  await seedRepositories(octo, github, secrets.github, directory);
  const model = await startModel();
  const tokens = createRunTokens(secrets.key);
  const logged: unknown[] = [];
  const parts = await configuration(directory, { database, github, model: model.url, secrets });
  const servers = [await startServer(parts), await startServer(parts)] as const;

  async function startServer(given: typeof parts) {
    const registry = new Registry();
    const connections = [0, 1, 2].map(() => connect(database.url, { name: 'server' }));
    const [intake, pages, agents] = connections as [Connection, Connection, Connection];
    const log = Object.fromEntries(
      ['debug', 'info', 'warn', 'error'].map((level) => [level, (...said: unknown[]) => void logged.push(said)]),
    );
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const refused = async (): Promise<never> => Promise.reject(new Error('no workflow is asked here'));
    const { app, close } = createServerApp({
      config: serverConfig({
        ...given,
        CODEXK8S_PORT: String(port),
        CODEXK8S_INTERNAL_URL: url,
        CODEXK8S_PUBLIC_URL: url,
      }),
      log,
      registry,
      metrics: createMetrics(registry),
      intake: createIntake(intake.db, 4500),
      pages,
      agents,
      workflows: new Proxy({}, { get: () => refused }),
      updates: new Proxy({}, { get: () => refused }),
      tokens,
      repositories: new Proxy({}, { get: () => refused }),
      onRenamed: () => undefined,
      checks: {},
      degraded: {},
      bodies: BODY_LIMITS,
      gatewayLimits: PRODUCTION_LIMITS.gateways,
      workers: { absentSince: () => undefined },
    } as unknown as ServerParts);
    const server = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' });
    return { url, server, close, connections };
  }

  const ours = await ensureProject(connection.db, 'demo');
  const theirs = await ensureProject(connection.db, 'other');
  const repository = { owner: 'octo', defaultBranch: 'main' };
  const demo = await octo.repos.get({ owner: 'octo', repo: 'demo' });
  const other = await octo.repos.get({ owner: 'octo', repo: 'other' });
  await bindRepository(connection.db, { ...repository, id: demo.data.id, name: 'demo', projectId: ours });
  await bindRepository(connection.db, { ...repository, id: other.data.id, name: 'other', projectId: theirs });

  async function startRun(
    repositoryId: number,
    name: string,
    { stage, kind, issue, branch = BRANCH }: { stage: Stage; kind: RunKind; issue: number; branch?: string },
  ): Promise<HostileRun> {
    const runId = randomUUID();
    await storeAssignment(
      connection.db,
      assignmentOf(runId, { repositoryId, repositoryFullName: `octo/${name}`, branch, stage, kind }),
    );
    await connection.db.insert(runs).values({
      id: runId,
      issueKey: issueKey({ repositoryId, number: issue }),
      repositoryId,
      issueNumber: issue,
      stage,
      kind,
      trigger: 'label:1',
      triggeredBy: 'octo',
      correlationId: randomUUID(),
      status: 'working',
      branch,
      revision: 1,
      createdAt: new Date(),
    });
    return { runId, token: tokens.issue(runId, 1) };
  }

  const dev = await startRun(demo.data.id, 'demo', { stage: 'dev', kind: 'work', issue: 7 });
  const ops = await startRun(demo.data.id, 'demo', { stage: 'ops', kind: 'work', issue: 8, branch: 'codex/issue-8' });
  const reader = await startRun(demo.data.id, 'demo', { stage: 'dev', kind: 'review', issue: 9 });
  const over = await startRun(demo.data.id, 'demo', { stage: 'dev', kind: 'work', issue: 10 });
  await closeAssignment(connection.db, over.runId);
  const victim = await startRun(other.data.id, 'other', { stage: 'dev', kind: 'work', issue: 7 });
  await storeConversation(connection.db, { runId: victim.runId, attempt: 1 }, 'thread-of-the-victim', [
    Buffer.from(`${PLANTED}\n`),
  ]);

  let clones = 0;
  return {
    servers: [servers[0].url, servers[1].url],
    runs: { dev, ops, reader, over },
    victim,
    connection,
    octo,
    secrets: [...Object.values(secrets), dev.token, ops.token, reader.token, over.token, victim.token],
    modelRequests: model.requests,
    logged,
    async clone(server, { token }) {
      clones += 1;
      const at = join(directory, `clone-${clones}`);
      const url = `${server.replace('://', `://agent:${token}@`)}/git/octo/demo.git`;
      await execa('git', ['clone', '--quiet', url, at], { env: CLEAN });
      const git = async (...args: string[]): Promise<string> =>
        (await execa('git', args, { cwd: at, env: CLEAN })).stdout;
      await git('checkout', '--quiet', '-B', BRANCH, `origin/${BRANCH}`);
      return {
        directory: at,
        git,
        async push(...args) {
          const { exitCode, stderr } = await execa('git', ['push', 'origin', ...args], {
            cwd: at,
            env: CLEAN,
            reject: false,
          });
          return { failed: exitCode !== 0, said: stderr };
        },
      };
    },
    async head(branch) {
      try {
        const { data } = await octo.git.getRef({ owner: 'octo', repo: 'demo', ref: branch });
        return data.object.sha;
      } catch {
        return undefined;
      }
    },
    async everyRow() {
      const { sql } = connection;
      const tables = await sql<{ name: string }[]>`
        select quote_ident(table_name) as name from information_schema.tables
        where table_schema = 'public' and table_type = 'BASE TABLE'`;
      const rows: string[] = [];
      for (const { name } of tables)
        for (const row of await sql.unsafe(`select row_to_json(t)::text as row from ${name} t`))
          rows.push(readable(String(row['row'])));
      return rows.join('\n');
    },
    async [Symbol.asyncDispose]() {
      for (const { server, close, connections } of servers) {
        await stop(server);
        await close();
        await Promise.all(connections.map((one) => one.close()));
      }
      await stop(model.server);
      await github.close();
      await connection.close();
      await database.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A row as text, with what is in its byte columns. */
function readable(row: string): string {
  return row.replaceAll(/\\\\x((?:[0-9a-f]{2})+)/g, (_, hex: string) => Buffer.from(hex, 'hex').toString('latin1'));
}

async function seedRepositories(octo: Octokit, github: GitHubEmulator, token: string, root: string): Promise<void> {
  for (const name of ['demo', 'other']) {
    await octo.repos.createForAuthenticatedUser({ name });
    const at = join(root, `seed-${name}`);
    const git = async (...args: string[]) => execa('git', args, { cwd: at, env: CLEAN });
    await execa('git', ['init', '--quiet', '--initial-branch=main', at], { env: CLEAN });
    await writeFile(join(at, 'README.md'), '# Demo\n');
    await git('add', '--all');
    await git('commit', '--quiet', '--message', 'Begin');
    await git('remote', 'add', 'origin', `${github.url.replace('://', `://octo:${token}@`)}/octo/${name}.git`);
    await git('push', '--quiet', 'origin', 'main');
    await git('checkout', '--quiet', '-b', BRANCH);
    await writeFile(join(at, 'person.txt'), 'a person wrote this\n');
    await git('add', '--all');
    await git('commit', '--quiet', '--message', 'Of a person');
    await git('push', '--quiet', 'origin', BRANCH);
    for (const number of [1, 2, 3, 4, 5, 6, 7, 8, 9])
      await octo.issues.create({ owner: 'octo', repo: name, title: `Issue ${number}` });
  }
}

async function startModel(): Promise<{ url: string; requests: string[]; server: Server }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      requests.push(`${request.method} ${request.url} ${Buffer.concat(chunks).toString('utf8')}`);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":"r","output":[]}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, requests, server };
}

async function configuration(
  directory: string,
  given: {
    database: TestDatabase;
    github: GitHubEmulator;
    model: string;
    secrets: Readonly<Record<'github' | 'model' | 'anthropic' | 'staff' | 'webhook' | 'key', string>>;
  },
): Promise<Record<string, string>> {
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(directory, `secret-${name}`), text, { mode: 0o600 });
    return join(directory, `secret-${name}`);
  };
  const { database, github, model, secrets } = given;
  return {
    DATABASE_URL: database.url,
    CODEXK8S_TEMPORAL_ADDRESS: '127.0.0.1:1',
    CODEXK8S_GITHUB_URL: github.url,
    CODEXK8S_GITHUB_API_URL: github.apiUrl,
    CODEXK8S_MODEL_URL: model,
    CODEXK8S_ANTHROPIC_URL: model,
    CODEXK8S_DASHBOARD: 'token',
    CODEXK8S_GITHUB_TOKEN_FILE: await file('github', secrets.github),
    CODEXK8S_MODEL_KEY_FILE: await file('model', secrets.model),
    CODEXK8S_ANTHROPIC_KEY_FILE: await file('anthropic', secrets.anthropic),
    CODEXK8S_STAFF_TOKEN_FILE: await file('staff', secrets.staff),
    CODEXK8S_WEBHOOK_SECRETS_FILE: await file('webhook', secrets.webhook),
    CODEXK8S_RUN_TOKEN_KEY_FILE: await file('key', secrets.key),
  };
}

async function stop(server: ServerType | Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  if ('closeAllConnections' in server) server.closeAllConnections();
  await closed;
}
