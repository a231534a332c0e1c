/** The diff that was pushed is held against the stage's scope (requirements.md A14). */
import { randomUUID } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { createGitHubActivities, type GitHubPorts } from '../../activities/github.ts';
import type { RunSettings } from '../../src/domain/settings.ts';
import type { Stage } from '../../src/domain/stages.ts';
import { storeAssignment, storeReport } from '../../src/read-model/assignments.ts';
import { agentAssignments } from '../../src/read-model/schema.ts';
import { issueOf, useTables } from '../support/tables.ts';

const tables = useTables();
const HEAD = 'a'.repeat(40);
const SINCE = 'b'.repeat(40);
const SETTINGS = { locale: 'en', baseBranch: 'main', dashboardUrl: 'http://dashboard' } as RunSettings;

/** What differs from a commit or branch to the head. */
let changed: Record<string, { paths: string[]; all?: boolean }>;
let opened: number;

beforeEach(async () => {
  await tables.db.delete(agentAssignments);
  changed = {};
  opened = 0;
});

async function publish(stage: Stage, since: string | null = null): Promise<unknown> {
  const runId = randomUUID();
  await storeAssignment(tables.db, {
    runId,
    repositoryId: 42,
    repositoryFullName: 'acme/demo',
    branch: 'codex/issue-7',
    baseBranch: 'main',
    kind: 'work',
    prompt: '',
    promptSha256: '',
    model: 'm',
    reasoningEffort: 'high',
    resumeThreadId: null,
    resumeRunId: null,
  });
  await storeReport(tables.db, runId, {
    outcome: 'finished',
    answer: { title: 'Done', summary: 'Done.', checks: [], answers: [] },
    headSha: HEAD,
    threadId: 't',
    model: 'm',
    reasoningEffort: 'high',
  });
  const github = {
    changedFiles: async (_issue: unknown, base: string) => ({ all: true, paths: [], ...changed[base] }),
    openPullRequest: async () => {
      opened += 1;
      return { number: 8, url: 'http://github/8', created: true };
    },
  } as unknown as GitHubPorts['github'];
  const { title: _, url: __, ...issue } = issueOf(7);
  return createGitHubActivities({ db: tables.db, github }).openPullRequest({
    runId,
    issue,
    target: { stage, kind: 'work' },
    requestedBy: 'olivia',
    branch: 'codex/issue-7',
    settings: SETTINGS,
    since,
  });
}

test('documents are opened as a pull request', async () => {
  changed = { main: { paths: ['docs/delivery/issue-7/brief.md', 'README.MD'] } };
  await publish('intake');
  expect(opened).toBe(1);
});

test('code in a stage of documents fails with the list of files, and nothing is opened', async () => {
  changed = { main: { paths: ['docs/brief.md', 'src/a.js', 'package.json'] } };
  await expect(publish('intake')).rejects.toMatchObject({
    type: 'ScopeViolation',
    nonRetryable: true,
    message: 'src/a.js\npackage.json',
  });
  expect(opened).toBe(0);
});

test('code is what dev is for', async () => {
  changed = { main: { paths: ['src/a.js'] } };
  await publish('dev');
  expect(opened).toBe(1);
});

test('what an earlier run has left on the branch is not held against a later one', async () => {
  changed = { main: { paths: ['src/a.js', 'docs/test_plan.md'] }, [SINCE]: { paths: ['docs/test_plan.md'] } };
  await publish('qa', SINCE);
  expect(opened).toBe(1);
});

test('neither is what came from the base branch by a merge', async () => {
  changed = { main: { paths: ['docs/test_plan.md'] }, [SINCE]: { paths: ['docs/test_plan.md', 'src/of-others.js'] } };
  await publish('qa', SINCE);
  expect(opened).toBe(1);
});

test('self-improve may change prompts and lists of tools, and no code', async () => {
  changed = { main: { paths: ['prompts/dev-work.txt', 'docs/images/a.png', 'deploy/tools.yaml', 'src/a.ts'] } };
  await expect(publish('self-improve')).rejects.toMatchObject({ message: 'src/a.ts' });
});

test('more files than GitHub lists cannot be looked at, and are refused', async () => {
  changed = { main: { paths: ['docs/a.md'], all: false } };
  await expect(publish('intake')).rejects.toMatchObject({ type: 'ScopeViolation' });
});
