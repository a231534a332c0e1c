/** A1: the platform keeps commits that could not be pushed, for the next run on the branch. */
import { randomBytes, randomUUID } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { createAgentApi } from '../../../ingress/gateways/agent-api.ts';
import { Assignment, KEPT_COMMITS_BYTES } from '../../../src/agent/platform/protocol.ts';
import { closeAssignment, findAssignment, storeAssignment, storeReport } from '../../../src/store/runs/assignments.ts';
import { keptCommitParts, keptCommits } from '../../../src/store/connection/schema.ts';
import { assignmentOf, useTables } from '../../support/tables.ts';

const tables = useTables();
const HEAD = 'a'.repeat(40);
const FAILED = {
  outcome: 'failed',
  failure: 'push_refused',
  detail: 'Commits must have verified signatures.',
} as const;

beforeEach(async () => {
  await tables.db.delete(keptCommits);
  await tables.db.delete(keptCommitParts);
});

/** A run on a branch, and its agent's calls. */
async function newRun(branch: string, kind: 'work' | 'review' = 'work') {
  const runId = randomUUID();
  await storeAssignment(tables.db, assignmentOf(runId, { branch, kind }));
  const api = createAgentApi({
    db: tables.db,
    access: { open: async () => findAssignment(tables.db, runId) },
    platformUrl: 'http://platform.test',
    author: { name: '', email: '' },
    limits: { stallSeconds: 1, runSeconds: 1 },
    secrets: [],
  });
  return {
    runId,
    keep: async (bundle: Uint8Array<ArrayBuffer>, headSha = HEAD) =>
      api.request('/commits', { method: 'PUT', headers: { 'x-head-sha': headSha }, body: bundle }),
    kept: async () => api.request('/commits'),
    assignment: async () => Assignment.parse(await (await api.request('/assignment')).json()),
    report: async (report: object) => api.request('/report', { method: 'POST', body: JSON.stringify(report) }),
  };
}

const bytesOf = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer());

test('the next run on the branch gets what was kept, and why', async () => {
  const bundle = randomBytes(2.5 * 1024 * 1024);
  const first = await newRun('codex/issue-1');
  expect((await first.keep(bundle)).status).toBe(204);
  await storeReport(tables.db, first.runId, 1, FAILED);
  const next = await newRun('codex/issue-1');
  expect((await next.assignment()).kept).toEqual({ headSha: HEAD, reason: FAILED.detail });
  expect((await bytesOf(await next.kept())).equals(bundle)).toBe(true);
});

test('what a run keeps again replaces what it kept before', async () => {
  const first = await newRun('codex/issue-2');
  await first.keep(randomBytes(2 * 1024 * 1024));
  await first.keep(Buffer.from('newer'));
  expect((await bytesOf(await (await newRun('codex/issue-2')).kept())).toString()).toBe('newer');
});

test('the next attempt of the run itself begins with them, and runs on other branches get nothing', async () => {
  const first = await newRun('codex/issue-3');
  await first.keep(Buffer.from('bundle'));
  expect((await first.kept()).status).toBe(200);
  const other = await newRun('codex/issue-4');
  expect((await other.kept()).status).toBe(404);
  expect((await other.assignment()).kept).toBeUndefined();
});

test('a run that only reads keeps nothing and gets nothing', async () => {
  const first = await newRun('codex/issue-5');
  await first.keep(Buffer.from('bundle'));
  const review = await newRun('codex/issue-5', 'review');
  expect((await review.keep(Buffer.from('bundle'))).status).toBe(403);
  expect((await review.assignment()).kept).toBeUndefined();
});

test('a bundle that is too large is refused, and none of it stays', async () => {
  const first = await newRun('codex/issue-6');
  expect((await first.keep(new Uint8Array(KEPT_COMMITS_BYTES + 1))).status).toBe(413);
  expect(await tables.db.select({ n: keptCommitParts.n }).from(keptCommitParts)).toEqual([]);
});

test('what is left of an upload that was cut off goes with the next one, when its run is over', async () => {
  const [cutOff, next] = [await newRun('codex/issue-9'), await newRun('codex/issue-9')];
  await tables.db.insert(keptCommitParts).values({ runId: cutOff.runId, n: 0, part: Buffer.from('half') });
  await next.keep(Buffer.from('bundle'));
  expect(await tables.db.$count(keptCommitParts)).toBe(2);
  await closeAssignment(tables.db, cutOff.runId);
  await next.keep(Buffer.from('bundle'));
  expect(await tables.db.$count(keptCommitParts)).toBe(1);
});

test('a head that is no commit id is refused', async () => {
  expect((await (await newRun('codex/issue-7')).keep(Buffer.from('bundle'), 'HEAD')).status).toBe(400);
});

test('when a later run has pushed, nothing is kept any more', async () => {
  await (await newRun('codex/issue-8')).keep(Buffer.from('bundle'));
  const next = await newRun('codex/issue-8');
  const session = { threadId: 't', model: 'm', reasoningEffort: 'high' };
  const answer = { title: 'Done', summary: 'Done.', checks: [], answers: [] };
  expect((await next.report({ outcome: 'finished', answer, headSha: HEAD, ...session })).status).toBe(204);
  expect((await (await newRun('codex/issue-8')).kept()).status).toBe(404);
});
