/**
 * docs/reliability.md T50: Postgres is shut down at once (SIGQUIT) under a hundred deliveries a second, and is back after five
 * seconds. The intake is not started again.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { request, Agent, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAdaptorServer } from '@hono/node-server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createGitHubWebhook } from '../../ingress/github-webhook/route.ts';
import { deliveryHeaders } from '../../src/github-deliveries/headers.ts';
import { migrateDatabase } from '../../src/store/connection/migrate.ts';
import { embeddedPostgres } from '../../src/embedded/postgres/postgres.ts';
import type { ProcessSpec } from '../../src/embedded/processes/supervised-process.ts';
import { createSupervisor, type Supervisor } from '../../src/embedded/processes/supervisor.ts';
import { connect, type Connection } from '../../src/store/connection/database.ts';
import { createIntake, INTAKE_CONNECTION } from '../../src/store/intake/intake.ts';
import { deliveries, flowEvents, issueFacts } from '../../src/store/connection/schema.ts';
import { eventually } from '../support/stack.ts';
import { bind, OLIVIA, REPOSITORY, verifiedChain } from '../support/tables.ts';
import { now } from './support/clock.ts';
import { firstOwnPort } from './support/ports.ts';

const SECRET = 'the secret of the tests';
const PER_SECOND = 100;
const SECONDS = 20;
const AWAY_MS = 5000;

interface Sent {
  readonly id: string;
  readonly issue: number;
  readonly status: number;
  readonly milliseconds: number;
}

let directory: string;
let supervisor: Supervisor;
let connection: Connection;
let server: Server;
let sent: Sent[];
const agent = new Agent({ keepAlive: true });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'codexk8s-test-postgres-away-'));
  const password = randomBytes(12).toString('hex');
  const postgres = await embeddedPostgres({ dataDirectory: directory, port: firstOwnPort, password, report: () => {} });
  const backoff = { firstMs: AWAY_MS, longestMs: AWAY_MS, forgivenAfterMs: 60_000 };
  supervisor = createSupervisor({ dataDirectory: directory, onEvent: () => {}, backoff });
  await supervisor.start([postgres.spec]);
  await migrateDatabase(postgres.url);

  connection = connect(postgres.url, INTAKE_CONNECTION);
  await bind(connection.db);
  const app = createGitHubWebhook({ intake: createIntake(connection.db), secrets: [SECRET] });
  server = createAdaptorServer({ fetch: app.fetch }) as Server;
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });

  const sending: Promise<Sent>[] = [];
  let begin = performance.now();
  for (let n = 0; n < PER_SECOND * SECONDS; n += 1) {
    // The last second of deliveries is for the time when Postgres is there again, however long its start takes.
    if (n === PER_SECOND * (SECONDS - 1)) begin += await untilReady(postgres.spec);
    await sleep(Math.max(0, begin + (n * 1000) / PER_SECOND - performance.now()));
    sending.push(send(randomUUID(), (n % 50) + 1));
    if (n === PER_SECOND * 3) quit(supervisor.pids()['postgres']);
  }
  sent = await Promise.all(sending);
});

afterAll(async () => {
  agent.destroy();
  server?.close();
  await connection?.close();
  await supervisor?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Nobody kills pid 0, which is everybody. */
function quit(pid: number | undefined): void {
  if (pid === undefined) throw new Error('there is no Postgres just now');
  process.kill(pid, 'SIGQUIT');
}

/** Waits until a process can be used; returns for how many milliseconds. */
async function untilReady({ ready }: ProcessSpec): Promise<number> {
  const since = performance.now();
  await eventually('Postgres is back', () => ready?.().catch(() => false), 120_000);
  return performance.now() - since;
}

/** Sends a label of an issue as a delivery; status 0 is no answer. */
async function send(id: string, issue: number): Promise<Sent> {
  const body = JSON.stringify({
    action: 'labeled',
    repository: { id: REPOSITORY.id, name: REPOSITORY.name, owner: { login: REPOSITORY.owner } },
    sender: { ...OLIVIA, type: 'User' },
    issue: { number: issue, title: `Issue ${issue}`, html_url: 'https://github.com/', labels: [{ name: 'run:dev' }] },
    label: { name: 'run:dev' },
  });
  const headers = deliveryHeaders({ id, event: 'issues', body, secret: SECRET });
  const { port } = server.address() as AddressInfo;
  const began = now();
  return new Promise((resolve) => {
    const end = (status: number): void => resolve({ id, issue, status, milliseconds: now() - began });
    const asked = request({ port, host: '127.0.0.1', method: 'POST', headers, agent }, (answer) => {
      answer.resume().on('end', () => end(answer.statusCode ?? 0));
    });
    asked.on('error', () => end(0)).end(body);
  });
}

test('every delivery is answered in time, as accepted or as to be sent again', () => {
  const others = sent.filter(({ status }) => status !== 202 && status !== 503);
  expect(others).toEqual([]);
  expect(Math.max(...sent.map(({ milliseconds }) => milliseconds))).toBeLessThan(5000);
});

test('deliveries are accepted again without anything being started again', () => {
  const last = sent.slice(-PER_SECOND);
  expect(new Set(last.map(({ status }) => status))).toEqual(new Set([202]));
});

test('whatever was accepted is kept, once and whole', async () => {
  const kept = await connection.db.select({ id: deliveries.id, repeats: deliveries.repeats }).from(deliveries);
  const ids = new Set(kept.map(({ id }) => id));
  expect(sent.filter(({ id, status }) => status === 202 && !ids.has(id))).toEqual([]);
  expect(kept.filter(({ repeats }) => repeats > 0)).toEqual([]);
  const [facts, events] = await Promise.all([
    connection.db.select({ id: issueFacts.deliveryId }).from(issueFacts),
    connection.db.select({ id: flowEvents.correlationId }).from(flowEvents),
  ]);
  const sorted = (rows: readonly { id: string | null }[]): (string | null)[] =>
    rows.map(({ id }) => id).toSorted((a, b) => String(a).localeCompare(String(b)));
  expect(sorted(facts)).toEqual(sorted(kept));
  expect(sorted(events)).toEqual(sorted(kept));
});

test('what was not, is kept when it is sent again', async () => {
  const refused = sent.filter(({ status }) => status === 503);
  for (const { id, issue } of refused) expect([200, 202]).toContain((await send(id, issue)).status);
  const kept = await connection.db.select({ id: deliveries.id }).from(deliveries);
  expect(kept.map(({ id }) => id).toSorted()).toEqual(sent.map(({ id }) => id).toSorted());
  for (let issue = 1; issue <= 50; issue += 1) {
    const chain = await verifiedChain(connection.db, `issue:${REPOSITORY.id}#${issue}`);
    expect(chain).toHaveLength((PER_SECOND * SECONDS) / 50);
  }
});
