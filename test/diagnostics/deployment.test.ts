import { Hono } from 'hono';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { examine } from '../../src/diagnostics/doctor.ts';
import { readTemporalDev } from '../../src/embedded/temporal/dev-settings.ts';
import { convergeNamespace } from '../../src/embedded/temporal/namespace.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { openTemporal } from '../support/temporal.ts';
import { fileOf, linesOf, serve } from './support.ts';

const TOKEN = 'ghp_0123456789abcdefghij';
const SECRET = 'a-short-secret-1';

let database: TestDatabase;
let temporal: Awaited<ReturnType<typeof openTemporal>>;
let namespace: string;
beforeAll(async () => {
  [database, temporal] = await Promise.all([startTestDatabase(), openTemporal()]);
  namespace = temporal.namespace ?? 'default';
});
afterAll(async () => {
  await Promise.all([database?.stop(), temporal?.teardown()]);
});

const STAFF_TOKEN = 's'.repeat(20);

/** GitHub, the model and the server, as far as the doctor asks them. */
async function world({ scopes = 'repo, admin:repo_hook', token = TOKEN } = {}): Promise<string> {
  const app = new Hono();
  app.use('/github/*', async (c, next) =>
    c.req.header('authorization') === `Bearer ${token}` ? next() : c.json({ message: 'Bad credentials' }, 401),
  );
  app.get('/github/user', (c) => c.json({ login: 'codex-bot' }, 200, { 'x-oauth-scopes': scopes }));
  app.get('/github/rate_limit', (c) =>
    c.json({ resources: { core: { limit: 5000, remaining: 4990, reset: 1_800_000_000 } } }),
  );
  app.get('/github/repos/olivia/mine', (c) => c.json({ permissions: { push: false, admin: false } }));
  app.get('/model/models', (c) => c.json({ data: [] }));
  app.get('/readyz', (c) =>
    c.req.header('authorization') === `Bearer ${STAFF_TOKEN}`
      ? c.json({ status: 'ok', checks: { postgres: { status: 'ok' } } })
      : c.json({ code: 'unauthorized' }, 401),
  );
  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  return serve(app);
}

async function environment(url: string, more: NodeJS.ProcessEnv = {}): Promise<NodeJS.ProcessEnv> {
  return {
    CODEXK8S_DATABASE_URL_FILE: fileOf(database.url),
    CODEXK8S_TEMPORAL_ADDRESS: temporal.address,
    CODEXK8S_TEMPORAL_NAMESPACE: namespace,
    CODEXK8S_PUBLIC_URL: url,
    CODEXK8S_INTERNAL_URL: url,
    CODEXK8S_GITHUB_API_URL: `${url}/github`,
    CODEXK8S_GITHUB_TOKEN_FILE: fileOf(TOKEN),
    CODEXK8S_RUN_TOKEN_KEY_FILE: fileOf('k'.repeat(32)),
    CODEXK8S_WEBHOOK_SECRETS_FILE: fileOf(`${'w'.repeat(40)}\n${SECRET}`),
    CODEXK8S_STAFF_TOKEN_FILE: fileOf(STAFF_TOKEN),
    CODEXK8S_MODEL_URL: `${url}/model`,
    CODEXK8S_MODEL_KEY_FILE: fileOf('sk-0123456789abcdefghij'),
    CODEXK8S_RUNTIME_DIRECTORY: '/var/lib/codex-k8s',
    ...more,
  };
}

test('an installation that is well, and what should be looked at', async () => {
  const dev = readTemporalDev(new URL('../../temporal-dev.yaml', import.meta.url));
  await convergeNamespace(temporal.address, { ...dev, namespace: { name: namespace, retentionDays: 90 } });
  const report = await examine({}, await environment(await world()));
  expect(linesOf(report.findings)).toEqual([
    'ok configuration of the server: complete',
    'ok configuration of the worker: complete',
    'warning webhook secrets: 1 of 2 shorter than 32 characters',
    expect.stringMatching(/^ok Postgres: answers, version \d+/),
    expect.stringMatching(/^ok Postgres: migrations: all \d+ applied$/),
    // The development server that tests have.
    expect.stringMatching(/^warning Temporal: answers at 127\.0\.0\.1:\d+, version 1\.\d+\S+, which has known vulnera/),
    `ok Temporal: namespace ${namespace}: retention 90 days`,
    'ok Temporal: search attributes: all 5 registered',
    'warning Temporal: workers: none polls the task queue',
    "ok GitHub: the token is codex-bot's",
    'ok GitHub: scopes: repo, admin:repo_hook',
    'ok GitHub: rate limit: 4990 of 5000 requests left',
    expect.stringMatching(/^ok server: ready at /),
    expect.stringMatching(/^ok model: http:.* accepts the key$/),
  ]);
  expect(report.healthy).toBe(true);
  expect(JSON.stringify(report)).not.toMatch(/ghp_|sk-01|a-short-secret/);
});

test("a token that is a member's own is warned of: they cannot request changes", async () => {
  const sql = postgres(database.url, { max: 1, onnotice: () => {} });
  await sql`insert into people (id, login, platform_role) values (4711, 'Codex-Bot', 'platform_owner')`;
  try {
    const report = await examine({}, await environment(await world()));
    expect(linesOf(report.findings)).toContainEqual(
      expect.stringMatching(/^warning GitHub: the token is codex-bot's, who is a member: they cannot request changes/),
    );
  } finally {
    await sql`delete from people where id = 4711`;
    await sql.end();
  }
});

test("the worker's doctor has no staff token, and sees that the server answers", async () => {
  const env = await environment(await world(), { CODEXK8S_STAFF_TOKEN_FILE: undefined });
  const report = await examine({ process: 'worker' }, env);
  expect(linesOf(report.findings)).toContainEqual(expect.stringMatching(/^ok server: answers at /));
});

test('every variable that is wrong is named, and the rest is looked at all the same', async () => {
  const env = await environment(await world());
  const report = await examine(
    { process: 'worker' },
    { ...env, CODEXK8S_PUBLIC_URL: undefined, CODEXK8S_GITHUB_WRITES_PER_HOUR: 'many' },
  );
  const lines = linesOf(report.findings);
  expect(lines[0]).toMatch(/^failed configuration of the worker: CODEXK8S_GITHUB_WRITES_PER_HOUR: /);
  expect(lines[1]).toBe('failed configuration of the worker: CODEXK8S_PUBLIC_URL: is not set');
  expect(lines.some((line) => line.startsWith('ok Postgres: answers'))).toBe(true);
  expect(lines.some((line) => line.startsWith('ok model'))).toBe(false);
  expect(report.healthy).toBe(false);
});

test('a token that is refused, one that may too little, and a server that is away', async () => {
  const refused = await examine({}, await environment(await world({ token: 'another' })));
  expect(linesOf(refused.findings)).toContain('failed GitHub: token rejected (HTTP 401)');
  const url = await world({ scopes: 'public_repo' });
  const poor = await examine({}, await environment(url, { CODEXK8S_INTERNAL_URL: 'http://127.0.0.1:1' }));
  expect(linesOf(poor.findings)).toEqual(
    expect.arrayContaining([
      'failed GitHub: scopes: public_repo; repo is missing',
      'warning server: no response from http://127.0.0.1:1',
    ]),
  );
});

test('a token that may change workflows is warned of', async () => {
  const url = await world({ scopes: 'repo, admin:repo_hook, workflow' });
  const { findings } = await examine({}, await environment(url));
  expect(linesOf(findings)).toContain(
    'warning GitHub: scopes: repo, admin:repo_hook, workflow; workflow is more than is needed',
  );
});

test('a bound repository in which the token may not write', async () => {
  const sql = postgres(database.url, { max: 1 });
  await sql`insert into projects (id, slug, name) values ('0198d3a0-0000-7000-8000-000000000001', 'mine', 'mine')`;
  await sql`insert into repositories (id, project_id, owner, name)
            values (1, '0198d3a0-0000-7000-8000-000000000001', 'olivia', 'mine')`;
  await sql.end();
  const { findings } = await examine({}, await environment(await world()));
  expect(linesOf(findings)).toContain('failed GitHub: olivia/mine: the token has no write permission');
});

test('a database without this schema, one that is away, and a namespace that is not there', async () => {
  const empty = database.url.replace(/[^/]*$/, 'postgres');
  const env = await environment(await world(), { CODEXK8S_TEMPORAL_NAMESPACE: 'nowhere' });
  const bare = await examine({}, { ...env, CODEXK8S_DATABASE_URL_FILE: fileOf(empty) });
  expect(linesOf(bare.findings)).toEqual(
    expect.arrayContaining([
      'failed Postgres: migrations: none applied',
      'failed Temporal: namespace nowhere: not found',
    ]),
  );
  const away = 'postgres://codexk8s:hunter2hunter2@127.0.0.1:1/codexk8s';
  const dark = await examine({}, { ...env, CODEXK8S_DATABASE_URL_FILE: fileOf(away) });
  expect(linesOf(dark.findings).find((line) => line.includes('Postgres'))).toMatch(/^failed Postgres: .*ECONNREFUSED/);
  expect(JSON.stringify(dark)).not.toContain('hunter2');
});
