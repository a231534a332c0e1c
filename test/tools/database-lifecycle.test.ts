/** Databases of projects, on a real Postgres. */
import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createProjectDatabases } from '../../src/adapters/project-databases.ts';
import { createSealing } from '../../src/adapters/sealing.ts';
import { projectDatabases } from '../../src/store/connection/schema.ts';
import {
  findProjectDatabase,
  forgetProjectDatabase,
  reserveProjectDatabase,
  setProjectDatabaseState,
} from '../../src/store/projects/databases.ts';
import { databaseLifecycle, type DatabaseLifecyclePorts } from '../../src/tools/database-lifecycle.ts';
import type { ToolResult } from '../../src/tools/performers.ts';
import { TOOL_SCHEMAS } from '../../src/tools/schemas.ts';
import { useTables } from '../support/tables.ts';
import { contextOf, OTHER_PROJECT, PROJECT } from './support.ts';

const tables = useTables();
const sealing = createSealing('a key of the platform, for tests only');
let ports: DatabaseLifecyclePorts;
/** Of this test's project, so that tests of other files meet none of its databases. */
let slug: string;
let secrets: Map<string, string>;

const THEIRS = contextOf({ projectId: OTHER_PROJECT, namespace: 'other-i1' });

beforeEach(() => {
  slug = `shop-${randomBytes(4).toString('hex')}`;
  secrets = new Map();
  ports = {
    server: createProjectDatabases(tables.url),
    records: {
      find: (name) => findProjectDatabase(tables.db, name),
      reserve: (record) => reserveProjectDatabase(tables.db, record),
      setState: (name, state) => setProjectDatabaseState(tables.db, name, state),
      forget: (name) => forgetProjectDatabase(tables.db, name),
    },
    cluster: {
      isOfProject: async (namespace) => namespace === 'demo-i7' || namespace === 'other-i1',
      async writeSecret({ namespace, name, key, value }) {
        secrets.set(`${namespace}/${name}/${key}`, value);
        return 'written';
      },
    },
    slugOf: async (projectId) => (projectId === PROJECT ? slug : `other-${slug}`),
    environments: ['dev', 'production'],
    sealing,
  };
});

afterEach(async () => {
  const server = createProjectDatabases(tables.url);
  for (const { name, role } of await tables.db.select().from(projectDatabases)) await server.drop({ name, role });
  await tables.db.delete(projectDatabases);
});

function act(given: Record<string, unknown>, context = contextOf()): Promise<ToolResult> {
  const args = TOOL_SCHEMAS['database.lifecycle'].parse({ environment: 'dev', database_name: 'orders', ...given });
  return databaseLifecycle(ports)(args, context);
}

const nameOf = (name = 'orders') => `${slug.replace('-', '_')}_${name}`;
const addressOf = (name = 'orders') =>
  secrets.get(`demo-i7/database-${nameOf(name).replaceAll('_', '-')}/DATABASE_URL`) ?? '';

async function query(url: string, text: string): Promise<readonly postgres.Row[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await sql.unsafe(text);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

test('a database is created, and its address in the Secret opens it', async () => {
  const result = await act({ action: 'create' });
  expect(result).toMatchObject({ status: 'ok', message: 'applied', database: nameOf(), owner: nameOf() });
  await query(addressOf(), 'create table orders (id int)');
  await expect(query(addressOf(), 'select current_user as role, current_database() as name')).resolves.toMatchObject([
    { role: nameOf(), name: nameOf() },
  ]);
});

test('the password is in no answer and no table', async () => {
  const result = await act({ action: 'create' });
  const { password } = new URL(addressOf());
  expect(password).toMatch(/^[\w-]{43}$/);
  expect(JSON.stringify([result, await tables.db.select().from(projectDatabases)])).not.toContain(password);
});

test('without a cluster the address is kept sealed, and the answer has a reference', async () => {
  ports = { ...ports, cluster: 'the local runtime has no Kubernetes cluster' };
  await expect(act({ action: 'create' }, contextOf({ namespace: null }))).resolves.toMatchObject({
    message: 'applied',
    credentials: { sealed: `database:${nameOf()}` },
  });
  const kept = await findProjectDatabase(tables.db, nameOf());
  const url = sealing.open(kept?.sealedUrl ?? '', `database ${nameOf()}`);
  await expect(query(url, 'select 1 as one')).resolves.toMatchObject([{ one: 1 }]);
});

test('a second creation changes nothing, also with another password in mind', async () => {
  await act({ action: 'create' });
  await expect(act({ action: 'create' }, contextOf({}, 'another call'))).resolves.toMatchObject({
    message: 'idempotent_replay',
  });
  await expect(query(addressOf(), 'select 1 as one')).resolves.toHaveLength(1);
});

test('a creation that was cut off is gone on with', async () => {
  const server = createProjectDatabases(tables.url);
  const dies = { ...server, create: () => Promise.reject(new Error('the worker was killed')) };
  await expect(databaseLifecycle({ ...ports, server: dies })(create(), contextOf())).rejects.toThrow('killed');
  await expect(act({ action: 'create' }, contextOf({}, 'another call'))).resolves.toMatchObject({ message: 'applied' });
  await expect(query(addressOf(), 'select 1 as one')).resolves.toHaveLength(1);
});

function create() {
  return TOOL_SCHEMAS['database.lifecycle'].parse({ environment: 'dev', action: 'create', database_name: 'orders' });
}

test('a look at a database shows its size and whose it is, and no address', async () => {
  await act({ action: 'create' });
  const described = await act({ action: 'describe' });
  expect(described).toMatchObject({ status: 'ok', message: 'described', database: nameOf(), state: 'ready' });
  expect(described['bytes']).toBeGreaterThan(0);
  expect(JSON.stringify(described)).not.toContain('postgres:');
});

test('a deletion needs its confirmation', async () => {
  await act({ action: 'create' });
  await expect(act({ action: 'delete' })).resolves.toMatchObject({
    status: 'failed',
    message: expect.stringContaining('delete_confirmation_required') as string,
  });
  await expect(query(addressOf(), 'select 1 as one')).resolves.toHaveLength(1);
});

test('a database is deleted while it has a connection, with its role', async () => {
  await act({ action: 'create' });
  const open = postgres(addressOf(), { max: 1, onclose: () => {} });
  await open`select 1`;
  await expect(act({ action: 'delete', confirm_delete: true })).resolves.toMatchObject({ message: 'applied' });
  await open.end({ timeout: 1 });
  await expect(query(tables.url, `select rolname from pg_roles where rolname = '${nameOf()}'`)).resolves.toEqual([]);
  await expect(act({ action: 'describe' })).resolves.toMatchObject({ reason: 'not_found' });
});

test.each(['describe', 'delete'] as const)(
  "%s of another project's database is answered as one that is not there",
  async (action) => {
    await act({ action: 'create' }, THEIRS);
    const theirs = `other_${slug.replace('-', '_')}_orders`;
    const asked = await act({ action, database_name: theirs, confirm_delete: true });
    const unknown = await act({ action, database_name: 'nothing', confirm_delete: true });
    expect({ ...asked, message: '' }).toEqual({ ...unknown, message: '' });
    await expect(createProjectDatabases(tables.url).describe(theirs)).resolves.toBeDefined();
  },
);

test("a name that is another project's is taken", async () => {
  await tables.db.insert(projectDatabases).values({
    name: nameOf(),
    projectId: OTHER_PROJECT,
    environment: 'dev',
    role: nameOf(),
    state: 'ready',
    sealedUrl: '',
    runId: PROJECT,
  });
  await expect(act({ action: 'create' })).resolves.toMatchObject({ reason: 'conflict' });
  await expect(act({ action: 'delete', confirm_delete: true })).resolves.toMatchObject({ reason: 'not_found' });
});

test('a database that the platform did not make is left alone', async () => {
  await query(tables.url, `create database ${nameOf('legacy')}`);
  await expect(act({ action: 'create', database_name: 'legacy' })).resolves.toMatchObject({ reason: 'conflict' });
  await expect(act({ action: 'delete', database_name: 'legacy', confirm_delete: true })).resolves.toMatchObject({
    reason: 'not_found',
  });
  await query(tables.url, `drop database ${nameOf('legacy')}`);
});

test('a database of another environment is not deleted by mistake', async () => {
  await act({ action: 'create', environment: 'production' });
  await expect(act({ action: 'delete', environment: 'dev', confirm_delete: true })).resolves.toMatchObject({
    reason: 'not_found',
  });
});

test('an environment that is not allowed is refused', async () => {
  await expect(act({ action: 'create', environment: 'staging' })).resolves.toMatchObject({ reason: 'refused' });
});

test('a name that Postgres would cut off is refused', async () => {
  await expect(act({ action: 'create', database_name: 'a'.repeat(60) })).resolves.toMatchObject({ reason: 'refused' });
});

test('without a server of project databases the tool says so', async () => {
  ports = { ...ports, server: 'no server of project databases is set' };
  await expect(act({ action: 'create' })).resolves.toMatchObject({ reason: 'not_available_here' });
});

test("another project's role cannot connect", async () => {
  await act({ action: 'create' });
  await act({ action: 'create' }, THEIRS);
  const theirs = [...secrets.entries()].find(([at]) => at.startsWith('other-i1/'))?.[1] ?? '';
  const inOurs = new URL(theirs);
  inOurs.pathname = `/${nameOf()}`;
  await expect(query(inOurs.href, 'select 1')).rejects.toThrow(/permission denied/);
});

test('a copy has what its source had, and belongs to its own role; the source stays as it was', async () => {
  await act({ action: 'create' });
  await query(addressOf(), 'create table orders (id int); insert into orders values (7)');
  await expect(act({ action: 'create', database_name: 'copy', seed_from: 'orders' })).resolves.toMatchObject({
    message: 'applied',
    seeded_from: nameOf(),
  });
  await query(addressOf('copy'), 'insert into orders values (8)');
  await expect(query(addressOf('copy'), 'select id from orders order by id')).resolves.toMatchObject([
    { id: 7 },
    { id: 8 },
  ]);
  await query(addressOf(), 'create table more (id int)');
  await expect(query(addressOf(), 'select id from orders')).resolves.toMatchObject([{ id: 7 }]);
});

test('a copy of a database that is in use is not made, and nothing of it is left', async () => {
  await act({ action: 'create' });
  const open = postgres(addressOf(), { max: 1 });
  await open`select 1`;
  await expect(act({ action: 'create', database_name: 'copy', seed_from: 'orders' })).resolves.toMatchObject({
    reason: 'conflict',
  });
  await open.end({ timeout: 1 });
  await expect(
    query(tables.url, `select datname from pg_database where datname like '${nameOf('copy')}%'`),
  ).resolves.toEqual([]);
});

test("another project's database is not copied", async () => {
  await act({ action: 'create' }, THEIRS);
  const theirs = `other_${slug.replace('-', '_')}_orders`;
  await expect(act({ action: 'create', database_name: 'copy', seed_from: theirs })).resolves.toMatchObject({
    reason: 'not_found',
  });
});
