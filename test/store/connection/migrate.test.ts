/** What `migrate` does with databases of other builds. */
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import postgres from 'postgres';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { migrateDatabase, UnknownSchema } from '../../../src/store/connection/migrate.ts';
import { startTestDatabase, type TestDatabase } from '../../support/postgres.ts';

const CLI = fileURLToPath(new URL('../../../src/cli/cli.ts', import.meta.url));

let database: TestDatabase;
let sql: postgres.Sql;

beforeEach(async () => {
  database = await startTestDatabase();
  sql = postgres(database.url, { max: 1, onnotice: () => {} });
});
afterEach(async () => {
  await sql.end({ timeout: 1 });
  await database.stop();
});

const migrations = async (): Promise<unknown[]> => [
  ...(await sql`select hash from drizzle.__drizzle_migrations order by hash`),
];

/** As 0.3 left one: tables of the same names, and other migrations. */
async function becomeOld(): Promise<void> {
  await sql`delete from drizzle.__drizzle_migrations where id > 1`;
  await sql`update drizzle.__drizzle_migrations set hash = 'of 0.3', created_at = 1`;
}

test('a database that is up to date stays as it is', async () => {
  const before = await migrations();
  await migrateDatabase(database.url);
  expect(await migrations()).toEqual(before);
});

test('a database of a newer build stays as it is', async () => {
  const before = await migrations();
  await sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('of a newer build', 9999999999999)`;
  await migrateDatabase(database.url);
  expect(await migrations()).toHaveLength(before.length + 1);
});

test('a database of 0.1 to 0.3 is refused and left as it is', async () => {
  await becomeOld();
  await expect(migrateDatabase(database.url)).rejects.toThrow(UnknownSchema);
  expect(await migrations()).toEqual([{ hash: 'of 0.3' }]);
});

test('`codex-k8s migrate` says what it found and what to do, without a stack trace', async () => {
  await becomeOld();
  const { stderr, exitCode } = await execa(process.execPath, [CLI, 'migrate'], {
    env: { DATABASE_URL: database.url },
    reject: false,
  });
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/made by codex-k8s 0\.1, 0\.2 or 0\.3[^]*Nothing was changed or deleted[^]*--data/);
  expect(stderr).not.toMatch(/\n\s+at |CREATE TABLE/);
});
