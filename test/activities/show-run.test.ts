/** docs/reliability.md T17: a run is shown though GitHub takes no comment of it, and it is said why. */
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { expect, test } from 'vitest';
import { toFailure } from '../../activities/failures.ts';
import { createRunActivities } from '../../activities/records/runs.ts';
import type { RunRow } from '../../src/read-model/projections/projections.ts';

const ISSUE = { repositoryId: 42, owner: 'acme', name: 'demo', number: 7 };
const LOCKED = 'Unable to create comment because issue is locked.';

/** Shows a run whose comment cannot be written. */
async function showWith(failure: unknown): Promise<unknown> {
  const parts = { recordRun: async () => [], comments: { showNow: () => Promise.reject(failure) } };
  const activities = createRunActivities(parts as unknown as Parameters<typeof createRunActivities>[0]);
  const row = { id: 'r1', status: 'preparing', revision: 1 } as RunRow;
  const comment = { issue: ISSUE, body: 'a story', commentId: null };
  return new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(() =>
    activities.showRun({ row, events: [], comment, acknowledge: null }),
  );
}

test('T17: a permanent refusal of GitHub is returned, with its message', async () => {
  const refusal = toFailure(Object.assign(new Error(LOCKED), { status: 403 }));
  expect(await showWith(refusal)).toEqual({ links: [], comment: null, refused: LOCKED });
});

test.each([
  ['an answer that may be another one later', toFailure(Object.assign(new Error('bad gateway'), { status: 502 }))],
  ['a wait that GitHub asks for', ApplicationFailure.create({ type: 'GitHubRateLimited', message: 'wait' })],
  ['a fault of this program', new Error('no database')],
])('T17: %s is no refusal: the comment is written later', async (_what, failure) => {
  expect(await showWith(failure)).toEqual({ links: [], comment: null });
});
