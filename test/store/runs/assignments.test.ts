/** From where a run's work is held against the scope of its stage. */
import { randomUUID } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import type { RunStatus } from '../../../src/domain/run/runs.ts';
import type { Stage } from '../../../src/domain/stages/stages.ts';
import { agentAssignments, runs } from '../../../src/store/connection/schema.ts';
import { startBeforeFailure, storeAssignment } from '../../../src/store/runs/assignments.ts';
import { assignmentOf, keyOf, REPOSITORY, useTables } from '../../support/tables.ts';

const tables = useTables();
const BRANCH = 'codex/issue-7';

beforeEach(async () => {
  await tables.db.delete(runs);
  await tables.db.delete(agentAssignments);
});

let at = Date.parse('2026-11-21T10:00:00Z');

async function run(status: RunStatus, stage: Stage, startSha: string, kind: 'work' | 'review' = 'work'): Promise<void> {
  const id = randomUUID();
  at += 1000;
  await storeAssignment(tables.db, assignmentOf(id, { branch: BRANCH, kind, startSha }));
  await tables.db.insert(runs).values({
    id,
    issueKey: keyOf(7),
    repositoryId: REPOSITORY.id,
    issueNumber: 7,
    stage,
    kind,
    trigger: `label:${at}`,
    triggeredBy: 'olivia',
    correlationId: 'd',
    status,
    branch: BRANCH,
    revision: 1,
    createdAt: new Date(at),
    finishedAt: new Date(at),
  });
}

const start = async () => (await startBeforeFailure(tables.db, keyOf(7), BRANCH))?.startSha;

test.each<RunStatus>(['failed', 'canceled'])(
  'of a run of documents that %s before, the check begins where that run began',
  async (status) => {
    await run(status, 'prd', 'before');
    expect(await start()).toBe('before');
  },
);

test('a run that succeeded was checked already', async () => {
  await run('failed', 'prd', 'before');
  await run('succeeded', 'prd', 'before');
  expect(await start()).toBeUndefined();
});

test('a stage of code may change everything', async () => {
  await run('failed', 'dev', 'before');
  expect(await start()).toBeUndefined();
});

test('a run that only reads changes nothing of it', async () => {
  await run('failed', 'prd', 'before');
  await run('succeeded', 'dev', 'after', 'review');
  expect(await start()).toBe('before');
});
