/** D13: a member whose own token the platform uses: GitHub shows the platform's account for what both do. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { beforeEach, expect, test } from 'vitest';
import { createGitHubActivities, type GitHubPorts } from '../../../activities/github/publishing.ts';
import type { GitHubIssueState } from '../../../src/domain/issue/reads.ts';
import { addPerson } from '../../../src/store/projects/repositories.ts';
import { bind, issueOf, OLIVIA, useTables } from '../../support/tables.ts';

const tables = useTables();
beforeEach(() => tables.clear());

/** What is read of a label that the platform's account took off. */
async function read(): Promise<GitHubIssueState> {
  const takenOffBy = { id: OLIVIA.id, login: OLIVIA.login };
  const shown: GitHubIssueState = {
    open: true,
    title: '',
    labels: [],
    labeled: [{ id: 1, account: OLIVIA.id, at: '2026-12-01T10:00:00Z', clearedByPlatform: true, takenOffBy }],
  };
  const github = { readLabels: async () => shown } as unknown as GitHubPorts['github'];
  const activities = createGitHubActivities({ db: tables.db, github });
  const run = async (): Promise<GitHubIssueState> =>
    activities.readIssue({ issue: issueOf(7), label: 'run:dev', facts: [] });
  return new MockActivityEnvironment().run(run) as Promise<GitHubIssueState>;
}

test('a label that the member takes off is off', async () => {
  const { projectId } = await bind(tables.db);
  await addPerson(tables.db, OLIVIA, 'read_write', projectId);
  expect((await read()).labeled).toMatchObject([{ clearedByPlatform: false, takenOffBy: { id: OLIVIA.id } }]);
});

test("a label that an account of the platform's own takes off was cleared by the platform", async () => {
  expect((await read()).labeled).toMatchObject([{ clearedByPlatform: true }]);
});
