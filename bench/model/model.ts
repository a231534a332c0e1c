/**
 * What the model gateway adds to a call, and whether its ledger holds: `npm run bench:model [-- --calls 400]`. Calls go to a model
 * that answers at once, directly and through the gateway, one after the other in turns; then fifty at once against a budget that
 * has room for some of them. Gateway, ledger and Postgres (with fsync on) are real; all are on this machine.
 */
import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { sql } from 'drizzle-orm';
import { createMeter } from '../../ingress/gateways/model/metering.ts';
import { createModelGateway } from '../../ingress/gateways/model/model-gateway.ts';
import type { BudgetLimits } from '../../src/domain/money/budgets.ts';
import { connect, type Database } from '../../src/store/connection/database.ts';
import { beginAttempt, findAssignment, storeAssignment } from '../../src/store/runs/assignments.ts';
import { startTestDatabase } from '../../test/support/postgres.ts';
import { assignmentOf } from '../../test/support/tables.ts';
import { describeMachine, machineSentence } from '../machine.ts';
import { quantile } from '../quantiles.ts';
import { markdownTable, writeResults } from '../table.ts';
import { PRICE, startBilledModel, type BilledModel } from './mock.ts';

const AT_ONCE = 50;
const OUTPUT_TOKENS = 2048;
/** A conversation of the size that agents have after some turns. */
const BODY = JSON.stringify({ model: 'bench', stream: true, input: 'word '.repeat(20_000) });

const log = { error: (fields: object) => process.stderr.write(`${JSON.stringify(fields)}\n`), warn: () => undefined };

/** Runs the gateway for one new run, without a limit or with these. */
async function startGateway(db: Database, model: BilledModel, limits: BudgetLimits) {
  const runId = randomUUID();
  await storeAssignment(db, assignmentOf(runId, { model: 'bench', issueKey: `issue:${runId}#1`, project: runId }));
  await beginAttempt(db, runId, 1, undefined);
  const app = new Hono().route(
    '/model',
    createModelGateway({
      access: { open: async () => findAssignment(db, runId) },
      openai: { url: model.url, key: 'bench' },
      meter: createMeter(db, { limits, mode: 'enforce', outputTokens: OUTPUT_TOKENS, prices: { bench: PRICE } }, log),
    }),
  );
  const server = await new Promise<Server>((resolve) => {
    const listening = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, () => resolve(listening as Server));
  });
  return {
    runId,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/model/v1`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** One call: its status, and milliseconds until the whole answer is there. */
async function call(url: string): Promise<{ status: number; ms: number }> {
  const begun = performance.now();
  const response = await fetch(`${url}/responses`, {
    method: 'POST',
    headers: { authorization: 'Bearer bench', 'content-type': 'application/json' },
    body: BODY,
  });
  await response.text();
  return { status: response.status, ms: performance.now() - begun };
}

async function ledgerOf(db: Database, runId: string): Promise<number> {
  const [row] = await db.execute<{ cost: number }>(
    sql`select coalesce(sum(cost), 0)::float8 as cost from model_calls where run_id = ${runId}`,
  );
  return row?.cost ?? 0;
}

async function measure(db: Database, count: number) {
  const model = await startBilledModel();
  const free = await startGateway(db, model, {});
  for (const url of [model.url, free.url]) for (let n = 0; n < 20; n += 1) await call(url);
  const direct: number[] = [];
  const through: number[] = [];
  for (let n = 0; n < count; n += 1) {
    direct.push((await call(model.url)).ms);
    through.push((await call(free.url)).ms);
  }
  const limit = 5_000_000;
  const ownModel = await startBilledModel();
  const limited = await startGateway(db, ownModel, { run: limit });
  const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => call(limited.url)));
  const spent = await ledgerOf(db, limited.runId);
  const result = {
    calls: count,
    directMs: { p50: quantile(direct, 0.5), p99: quantile(direct, 0.99) },
    gatewayMs: { p50: quantile(through, 0.5), p99: quantile(through, 0.99) },
    atOnce: { calls: AT_ONCE, answered: answers.filter(({ status }) => status === 200).length, limit, spent },
    overshoot: Math.max(0, ownModel.bill() - limit),
    difference: Math.abs(spent - ownModel.bill()),
    answered: ownModel.calls(),
  };
  for (const each of [model, free, ownModel, limited]) each.close();
  return result;
}

const { values } = parseArgs({ options: { calls: { type: 'string', default: '400' } } });
const database = await startTestDatabase();
const connection = connect(database.url, { name: 'bench', max: 10 });
const result = await measure(connection.db, Number(values.calls));
const machine = describeMachine(['hono', 'undici', 'postgres', 'drizzle-orm']);
const ms = (value: number): string => value.toFixed(1);
const added = {
  p50: result.gatewayMs.p50 - result.directMs.p50,
  p99: result.gatewayMs.p99 - result.directMs.p99,
};
const markdown = `# The model gateway

${result.calls} calls with a body of ${Math.round(BODY.length / 1024)} KiB, directly and through the gateway in turns; milliseconds until the whole answer is there.

${markdownTable(
  ['', 'p50', 'p99'],
  [
    ['directly', ms(result.directMs.p50), ms(result.directMs.p99)],
    ['through the gateway', ms(result.gatewayMs.p50), ms(result.gatewayMs.p99)],
    ['added', ms(added.p50), ms(added.p99)],
  ],
)}

${AT_ONCE} calls at once with a budget of $${(result.atOnce.limit / 1e6).toFixed(2)}: ${result.atOnce.answered} were answered, the others refused. Overshoot: ${result.overshoot} micro-dollars. Ledger against the bill of the model: ${result.difference} micro-dollars.

${machineSentence(machine)}`;
writeResults('model', { ...result, added, machine }, markdown);
process.stdout.write(`${markdown}\n`);
await connection.close();
await database.stop();
if (result.overshoot > 0 || result.difference > 0) process.exitCode = 1;
