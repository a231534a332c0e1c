import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import { expect, test } from 'vitest';
import { embeddedPostgres, type EmbeddedPostgres } from '../../../src/embedded/postgres/postgres.ts';
import { removeStalePidFile } from '../../../src/embedded/postgres/pid-file.ts';
import { freePort } from '../../support/free-port.ts';
import { run } from '../running.ts';
import { eventually, temporaryDirectory } from '../temporary-directory.ts';

const PASSWORD = 'not-a-secret-in-a-test';

async function prepared(dataDirectory: string): Promise<EmbeddedPostgres> {
  return embeddedPostgres({ dataDirectory, port: await freePort(), password: PASSWORD, report: () => {} });
}

async function query<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await work(sql);
  } finally {
    await sql.end();
  }
}

test('data outlives a SIGKILL of the database: the supervisor starts it again over the stale pid file', async () => {
  const dataDirectory = temporaryDirectory();
  const { spec, url } = await prepared(dataDirectory);
  const supervisor = await run(dataDirectory, spec);
  await query(url, (sql) => sql`create table kept as select 42 as answer`);
  const killed = supervisor.pids()['postgres'] ?? 0;
  process.kill(killed, 'SIGKILL');
  await eventually('another process', () => (supervisor.pids()['postgres'] ?? killed) !== killed);
  const answer = await eventually('the database answers', () =>
    query(url, async (sql) => (await sql`select answer from kept`)[0]?.['answer'] as number).catch(() => undefined),
  );
  expect(answer).toBe(42);
});

test('it is stopped cleanly, and starts again with its data and nothing to recover', async () => {
  const dataDirectory = temporaryDirectory();
  const first = await prepared(dataDirectory);
  const supervisor = await run(dataDirectory, first.spec);
  await query(first.url, (sql) => sql`create table kept as select 42 as answer`);
  await supervisor.stop();
  expect(existsSync(join(dataDirectory, 'postgres', 'postmaster.pid'))).toBe(false);

  const second = await prepared(dataDirectory);
  await run(dataDirectory, second.spec);
  expect(await query(second.url, (sql) => sql`select answer from kept`)).toEqual([{ answer: 42 }]);
  expect(readFileSync(join(dataDirectory, 'logs', 'postgres.log'), 'utf8')).not.toContain('not properly shut down');
});

test('nobody gets in without the password', async () => {
  const dataDirectory = temporaryDirectory();
  const { spec, url } = await prepared(dataDirectory);
  await run(dataDirectory, spec);
  const refused = query(url.replace(PASSWORD, 'another'), (sql) => sql`select 1`);
  await expect(refused).rejects.toThrow('password authentication failed');
});

test('a pid file is stale when its pid now belongs to something else', async () => {
  const cluster = temporaryDirectory();
  const file = join(cluster, 'postmaster.pid');
  writeFileSync(file, `${process.pid}\n${cluster}\n`);
  await removeStalePidFile(cluster);
  expect(existsSync(file)).toBe(false);
});
