/** B33: in learning mode, what an agent explains of its changes is kept, and posted once on the pull request. */
import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { beforeEach, expect, test } from 'vitest';
import { createGitHubActivities, type GitHubPorts } from '../../../activities/github/publishing.ts';
import { outgoing } from '../../../src/adapters/github/outgoing.ts';
import { learningFeedback } from '../../../src/store/connection/schema.ts';
import { storeAssignment, storeReport } from '../../../src/store/runs/assignments.ts';
import { assignmentOf, bind, issueOf, UNCHANGED, useTables } from '../../support/tables.ts';

const tables = useTables();
/** The comments on the pull request, by marker. */
let comments: Map<string, string>;
let refuses: boolean;

beforeEach(async () => {
  await tables.clear();
  await tables.db.delete(learningFeedback);
  await bind(tables.db);
  comments = new Map();
  refuses = false;
});

async function publish(runId: string): Promise<unknown> {
  const github = {
    ...UNCHANGED,
    readBranchHead: async () => 'head',
    changedFiles: async () => ({ paths: [], added: [], all: true }),
    openPullRequest: async () => ({ number: 8, url: 'http://github/8', created: true }),
    async writeComment({ number }: { number: number }, { marker, body }: { marker: string; body: string }) {
      if (refuses) throw new Error('GitHub is away');
      comments.set(`${number} ${marker}`, outgoing(body));
      return { id: 1, url: '' };
    },
  } as unknown as GitHubPorts['github'];
  const { title: _, url: __, ...issue } = issueOf(7);
  const input = {
    issue,
    runId,
    target: { stage: 'dev', kind: 'work' },
    requestedBy: 'olivia',
    branch: 'codex/issue-7',
    settings: { locale: 'en', baseBranch: 'main', dashboardUrl: 'http://d' },
    closes: true,
  } as unknown as Parameters<ReturnType<typeof createGitHubActivities>['openPullRequest']>[0];
  const activities = createGitHubActivities({ db: tables.db, github });
  return new MockActivityEnvironment().run(async () => activities.openPullRequest(input));
}

async function reported(learning: boolean): Promise<string> {
  const runId = randomUUID();
  await storeAssignment(tables.db, assignmentOf(runId, { stage: 'dev', learning }));
  const explanations = [
    { path: 'src/count.js', line: 3, explanation: 'A `Set` counts each word once, @olivia.' },
    { path: 'README.md', line: null, explanation: 'It says what is counted.' },
  ];
  await storeReport(tables.db, runId, 1, {
    outcome: 'finished',
    answer: { title: 'Count', summary: 'Counts.', checks: [], answers: [], learning: explanations },
    headSha: 'a'.repeat(40),
    threadId: 't',
    model: 'm',
    reasoningEffort: 'low',
  });
  return runId;
}

test('the explanations are kept and posted in one comment, however often the activity is repeated', async () => {
  const runId = await reported(true);
  await publish(runId);
  await publish(runId);
  expect(await tables.db.select().from(learningFeedback)).toMatchObject([
    { runId, n: 1, path: 'src/count.js', line: 3 },
    { runId, n: 2, path: 'README.md', line: null },
  ]);
  const [comment, ...others] = comments.values();
  expect(others).toEqual([]);
  expect([...comments.keys()]).toEqual([`8 <!-- codex-k8s:learning ${runId} -->`]);
  expect(comment).toContain('**`src/count.js:3`**');
  expect(comment).toContain('A `Set` counts each word once');
  expect(comment).not.toContain(' @olivia');
});

test('without learning mode nothing that an agent explains is kept or posted', async () => {
  await publish(await reported(false));
  expect(await tables.db.select().from(learningFeedback)).toEqual([]);
  expect(comments.size).toBe(0);
});

test('a comment that GitHub refuses does not fail the run', async () => {
  refuses = true;
  expect(await publish(await reported(true))).toMatchObject({ number: 8 });
});
