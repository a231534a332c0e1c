import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { agentAssignments } from '../../../src/store/connection/schema.ts';
import { beginAttempt, closeAssignment, revokeAttempt, storeAssignment } from '../../../src/store/runs/assignments.ts';
import { isPushing, leasePush } from '../../../src/store/runs/push-leases.ts';
import { assignmentOf, useTables } from '../../support/tables.ts';

const tables = useTables();

async function newRun(): Promise<string> {
  const runId = randomUUID();
  await storeAssignment(tables.db, assignmentOf(runId));
  await beginAttempt(tables.db, runId, 1);
  return runId;
}

test('S11: a push is under way from its lease to its release', async () => {
  const runId = await newRun();
  expect(await isPushing(tables.db, runId)).toBe(false);
  const lease = await leasePush(tables.db, { runId, attempt: 1 });
  expect(await isPushing(tables.db, runId)).toBe(true);
  await lease?.release();
  expect(await isPushing(tables.db, runId)).toBe(false);
});

test('S11: a second push of the run waits for the first', async () => {
  const runId = await newRun();
  const first = await leasePush(tables.db, { runId, attempt: 1 });
  expect(await leasePush(tables.db, { runId, attempt: 1 })).toBeUndefined();
  await first?.release();
  const second = await leasePush(tables.db, { runId, attempt: 1 });
  expect(second).toBeDefined();
  await second?.release();
});

test('S11: a push that began before the token was closed gets no lease after it', async () => {
  const closed = await newRun();
  await closeAssignment(tables.db, closed);
  expect(await leasePush(tables.db, { runId: closed, attempt: 1 })).toBeUndefined();
  const revoked = await newRun();
  await revokeAttempt(tables.db, revoked, 1);
  expect(await leasePush(tables.db, { runId: revoked, attempt: 1 })).toBeUndefined();
  const replaced = await newRun();
  await beginAttempt(tables.db, replaced, 2);
  expect(await leasePush(tables.db, { runId: replaced, attempt: 1 })).toBeUndefined();
});

test('the lease of a server that was killed ends by itself', async () => {
  const runId = await newRun();
  const killed = await leasePush(tables.db, { runId, attempt: 1 }, { leaseMs: 1, renewMs: 3_600_000 });
  await expect.poll(() => isPushing(tables.db, runId)).toBe(false);
  const next = await leasePush(tables.db, { runId, attempt: 1 });
  expect(next).toBeDefined();
  await next?.release();
  await killed?.release();
});

test('a long push keeps its lease', async () => {
  const runId = await newRun();
  const lease = await leasePush(tables.db, { runId, attempt: 1 }, { leaseMs: 5000, renewMs: 5 });
  await tables.db
    .update(agentAssignments)
    .set({ pushingUntil: new Date(0) })
    .where(eq(agentAssignments.runId, runId));
  await expect.poll(() => isPushing(tables.db, runId)).toBe(true);
  expect(lease?.lost.aborted).toBe(false);
  await lease?.release();
});
