/** The diff that was pushed is held against the stage's scope. */
import { randomUUID } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { createGitHubActivities, type GitHubPorts } from '../../activities/github/publishing.ts';
import type { RunSettings } from '../../src/domain/stages/settings.ts';
import type { Stage } from '../../src/domain/stages/stages.ts';
import { storeAssignment, storeReport } from '../../src/store/runs/assignments.ts';
import { agentAssignments } from '../../src/store/connection/schema.ts';
import { assignmentOf, issueOf, UNCHANGED, useTables } from '../support/tables.ts';

const tables = useTables();
const HEAD = 'a'.repeat(40);
const SINCE = 'b'.repeat(40);
const SETTINGS = { locale: 'en', baseBranch: 'main', dashboardUrl: 'http://dashboard' } as RunSettings;

/** What differs between two commits or branches. */
let changed: Record<string, { paths: string[]; added?: string[]; all?: boolean }>;
let opened: number;
/** The commits that the branch has, one after the other; null: GitHub shows no such branch. */
let heads: (string | null)[];
/** Whether the run's token was closed when the branch was looked at first. */
let closedAtFirstLook: boolean | undefined;
let body: string;

beforeEach(async () => {
  await tables.db.delete(agentAssignments);
  changed = {};
  opened = 0;
  heads = [null];
  closedAtFirstLook = undefined;
});

async function publish(stage: Stage, startSha: string | null = null): Promise<unknown> {
  const runId = randomUUID();
  await storeAssignment(tables.db, assignmentOf(runId, { startSha }));
  await storeReport(tables.db, runId, 1, {
    outcome: 'finished',
    answer: { title: 'Done', summary: 'Done.', checks: [], answers: [] },
    headSha: HEAD,
    threadId: 't',
    model: 'm',
    reasoningEffort: 'high',
  });
  const github = {
    ...UNCHANGED,
    changedFiles: async (_issue: unknown, base: string, head: string) => ({
      all: true,
      paths: [],
      added: [],
      ...changed[`${base}...${head}`],
    }),
    readBranchHead: async () => {
      const [row] = await tables.db.select().from(agentAssignments);
      closedAtFirstLook ??= row?.closedAt instanceof Date;
      return heads.length > 1 ? heads.shift() : heads[0];
    },
    openPullRequest: async (_issue: unknown, _branch: unknown, text: { body: string }) => {
      opened += 1;
      ({ body } = text);
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
    closes: true,
  });
}

const BRANCH = 'codex/issue-7';
/** The run began on a branch that held the work of others. */
const LATER = { [`${SINCE}...main`]: { paths: [] as string[] } };

test('E17: what an agent has committed with force is named in the pull request, whatever the runner says', async () => {
  const added = ['src/a.js', '.env', 'web/node_modules/a.js', 'web/node_modules/b/c.js'];
  changed = { [`main...${BRANCH}`]: { paths: added, added } };
  await publish('dev');
  expect(body).toContain('Look closely');
  expect(body).toContain('- `web/node_modules/` (2 files)');
  expect(body).toContain('- `.env` (1 file)');
});

test('a pull request without such files has no warning', async () => {
  changed = { [`main...${BRANCH}`]: { paths: ['src/a.js', '.env'], added: ['src/a.js'] } };
  await publish('dev');
  expect(body).not.toContain('Look closely');
});

test('documents are opened as a pull request', async () => {
  changed = { [`main...${BRANCH}`]: { paths: ['docs/delivery/issue-7/brief.md', 'README.MD'] } };
  await publish('intake');
  expect(opened).toBe(1);
});

test('code in a stage of documents fails with the list of files, and nothing is opened', async () => {
  changed = { [`main...${BRANCH}`]: { paths: ['docs/brief.md', 'src/a.js', 'package.json', 'x.md/evil.sh'] } };
  await expect(publish('intake')).rejects.toMatchObject({
    type: 'ScopeViolation',
    nonRetryable: true,
    message: 'src/a.js\npackage.json\nx.md/evil.sh',
  });
  expect(opened).toBe(0);
});

test('code is what dev is for', async () => {
  changed = { [`main...${BRANCH}`]: { paths: ['src/a.js'] } };
  await publish('dev');
  expect(opened).toBe(1);
});

test('what an earlier run has left on the branch is not held against a later one', async () => {
  changed = {
    ...LATER,
    [`main...${BRANCH}`]: { paths: ['src/a.js', 'docs/test_plan.md'] },
    [`${SINCE}...${BRANCH}`]: { paths: ['docs/test_plan.md'] },
  };
  await publish('qa', SINCE);
  expect(opened).toBe(1);
});

test('neither is what came from the base branch by a merge', async () => {
  changed = {
    [`main...${BRANCH}`]: { paths: ['docs/test_plan.md'] },
    [`${SINCE}...${BRANCH}`]: { paths: ['docs/test_plan.md', 'src/of-others.js'] },
    [`${SINCE}...main`]: { paths: ['src/of-others.js'] },
  };
  await publish('qa', SINCE);
  expect(opened).toBe(1);
});

test('undoing what dev did is a change like any other, though nothing of it is left to see', async () => {
  changed = {
    ...LATER,
    [`main...${BRANCH}`]: { paths: ['docs/test_plan.md'] },
    [`${SINCE}...${BRANCH}`]: { paths: ['docs/test_plan.md', 'src/a.js'] },
  };
  await expect(publish('qa', SINCE)).rejects.toMatchObject({ message: 'src/a.js' });
});

test('self-improve may change prompts and lists of tools, and no code', async () => {
  changed = {
    [`main...${BRANCH}`]: { paths: ['prompts/dev-work.txt', 'docs/images/a.png', 'deploy/tools.yaml', 'src/a.ts'] },
  };
  await expect(publish('self-improve')).rejects.toMatchObject({ message: 'src/a.ts' });
});

test('more files than GitHub lists cannot be looked at, and are refused', async () => {
  changed = { [`main...${BRANCH}`]: { paths: ['docs/a.md'], all: false } };
  await expect(publish('intake')).rejects.toMatchObject({ type: 'ScopeViolation' });
});

test('nothing is let pass since a list that it is compared with was cut', async () => {
  changed = {
    [`main...${BRANCH}`]: { paths: ['docs/a.md'], all: false },
    [`${SINCE}...${BRANCH}`]: { paths: ['docs/a.md', 'src/zzz.ts'] },
    [`${SINCE}...main`]: { paths: ['src/zzz.ts'] },
  };
  await expect(publish('qa', SINCE)).rejects.toMatchObject({ message: 'src/zzz.ts' });
});

test('S11: what a process pushes after the scope was checked is looked at too, and fails the run', async () => {
  const [checked, pushed] = ['c'.repeat(40), 'd'.repeat(40)];
  heads = [checked, pushed];
  changed = {
    [`main...${checked}`]: { paths: ['docs/a.md'] },
    [`main...${pushed}`]: { paths: ['docs/a.md', 'src/a.js'] },
  };
  await expect(publish('intake')).rejects.toMatchObject({ type: 'ScopeViolation', message: 'src/a.js' });
});

test('S11: a person who pushes while the pull request is opened does not fail the run', async () => {
  const [checked, pushed] = ['c'.repeat(40), 'd'.repeat(40)];
  heads = [checked, pushed];
  changed = { [`main...${checked}`]: { paths: ['docs/a.md'] }, [`main...${pushed}`]: { paths: ['docs/a.md', 'b.md'] } };
  await expect(publish('intake')).resolves.toMatchObject({ number: 8 });
});

test('S11: the token of the run is closed before the branch is looked at', async () => {
  heads = ['c'.repeat(40)];
  await publish('intake');
  expect(await tables.db.select({ closedAt: agentAssignments.closedAt }).from(agentAssignments)).toEqual([
    { closedAt: expect.any(Date) as Date },
  ]);
  expect(closedAtFirstLook).toBe(true);
});
