/** The sweeps' activities over a real Postgres, the GitHub emulator and the local runtime; Temporal is told what it knows. */
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createSweepActivities, type WorkflowRecords } from '../../../activities/maintenance/sweeps.ts';
import { createGitHub } from '../../../src/adapters/github/index.ts';
import { ensureWorkspace } from '../../../src/adapters/local-runtime/workspace.ts';
import { createLocalRuntime } from '../../../src/adapters/local-runtime/runtime.ts';
import type { WorkflowStatus } from '../../../src/domain/maintenance/orphans.ts';
import { connect, type Connection } from '../../../src/store/connection/database.ts';
import { createIntake } from '../../../src/store/intake/intake.ts';
import type { Fact } from '../../../src/domain/issue/facts.ts';
import {
  projectIssue,
  projectRun,
  type IssueRow,
  type RunRow,
} from '../../../src/read-model/projections/projections.ts';
import { addPerson, bindRepository, ensureProject } from '../../../src/store/projects/repositories.ts';
import { addHook, DEMO, openPull, Receiver, startWithDemo, type Stage } from '../../emulators/github/emulator.ts';
import { startTestDatabase, type TestDatabase } from '../../support/postgres.ts';

/** The emulator's first repository. */
const REPOSITORY = 1;
const QUIET = new DefaultLogger('ERROR');
const LONG_AGO = '2020-01-01T00:00:00.000Z';
const RUN = '0f0f0f0f-0000-4000-8000-000000000002';

let stage: Stage;
let database: TestDatabase;
let connection: Connection;
let root: string;
let projectId: string;

/** What Temporal would say, and what was told. */
let statuses: Map<string, WorkflowStatus>;
let outcome: Awaited<ReturnType<WorkflowRecords['outcomeOf']>>;
let told: { key: string; fact: unknown }[];
let serverAnswers: boolean;
let agentLogin: string | undefined;
/** Around each removal of a workspace. */
let removing: <Removed>(remove: () => Promise<Removed>) => Promise<Removed>;

beforeAll(async () => {
  [stage, database] = await Promise.all([startWithDemo(), startTestDatabase()]);
  connection = connect(database.url, { name: 'sweeps' });
  projectId = await ensureProject(connection.db, 'trial');
  const { data } = await stage.octo.users.getAuthenticated();
  await addPerson(connection.db, { id: data.id, login: data.login }, 'read_write', projectId);
});
afterAll(async () => {
  await connection?.close();
  await database?.stop();
  await stage?.emulator.close();
});
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sweeps-'));
  statuses = new Map();
  outcome = undefined;
  told = [];
  serverAnswers = true;
  agentLogin = undefined;
  removing = (remove) => remove();
  await connection.sql`truncate deliveries, inboxes, issue_facts, issues, runs, flow_events, repositories cascade`;
  await bind({});
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

async function bind(more: Partial<Parameters<typeof bindRepository>[1]>): Promise<void> {
  const row = { id: REPOSITORY, owner: DEMO.owner, name: DEMO.repo, hookId: null, createdAt: new Date(LONG_AGO) };
  await bindRepository(connection.db, { ...row, projectId, ...more });
}

type Activities = ReturnType<typeof createSweepActivities>;

function activities(apiUrl = stage.emulator.apiUrl): Activities {
  const waits = { current: async () => undefined, hold: async () => ({ until: new Date(), leftMs: 1, reason: '' }) };
  const local = createLocalRuntime({ root, command: ['none'], platformUrl: '', env: {} });
  const set = createSweepActivities({
    db: connection.db,
    intake: createIntake(connection.db),
    github: createGitHub({ apiUrl, token: 'token-octo', waits, limits: { settleMs: 0 } }),
    runtime: { ...local, removeWorkspace: (workspace) => removing(() => local.removeWorkspace(workspace)) },
    serverAnswers: async () => serverAnswers,
    ...(agentLogin === undefined ? {} : { agentLogin }),
    workflows: {
      statusOf: async (id) => statuses.get(id) ?? { status: 'absent' },
      outcomeOf: async () => outcome,
      openIssues: async () => new Set([...statuses].flatMap(([id, { status }]) => (status === 'open' ? [id] : []))),
      async signal(issue, facts) {
        const key = `issue:${issue.repositoryId}#${issue.number}`;
        if (statuses.get(key)?.status !== 'open') return false;
        told.push(...facts.map(({ fact }) => ({ key, fact })));
        return true;
      },
    },
  });
  const inActivity = Object.entries(set).map(([name, act]) => [
    name,
    async (input: never) => new MockActivityEnvironment({}, { logger: QUIET }).run(act, input),
  ]);
  return Object.fromEntries(inActivity) as Activities;
}

function issueRow(number: number, more: Partial<IssueRow> = {}): IssueRow {
  return {
    key: `issue:${REPOSITORY}#${number}`,
    repositoryId: REPOSITORY,
    number,
    title: 'An issue',
    url: 'http://github/octo/demo/issues/1',
    state: 'waiting',
    waitingFor: 'label',
    stage: 'dev',
    activeRunId: null,
    queued: 0,
    pullRequest: null,
    workspace: null,
    past: null,
    revision: 1,
    updatedAt: LONG_AGO,
    ...more,
  };
}

function runRow(number: number, more: Partial<RunRow> = {}): RunRow {
  return {
    id: RUN,
    issueKey: `issue:${REPOSITORY}#${number}`,
    repositoryId: REPOSITORY,
    issueNumber: number,
    stage: 'dev',
    kind: 'work',
    trigger: 'label:1',
    triggeredBy: 'octo',
    correlationId: 'd1',
    status: 'working',
    failure: null,
    detail: null,
    branch: `codex/issue-${number}`,
    workspace: null,
    pullRequest: null,
    pullRequestUrl: null,
    statusCommentUrl: null,
    cli: null,
    model: null,
    reasoningEffort: null,
    threadId: null,
    wait: null,
    revision: 1,
    createdAt: LONG_AGO,
    startedAt: LONG_AGO,
    finishedAt: null,
    ...more,
  };
}

describe('failed deliveries', () => {
  let receiver: Receiver;
  let hookId: number;

  beforeEach(async () => {
    receiver = await Receiver.start();
    receiver.status = 503;
    hookId = await addHook(stage.octo, receiver, ['issues']);
    await bind({ hookId });
    await expect.poll(async () => (await failed()).length).toBe(1);
  });
  afterEach(async () => {
    await stage.octo.repos.deleteWebhook({ ...DEMO, hook_id: hookId });
    await receiver.close();
  });

  async function failed(): Promise<string[]> {
    const { data } = await stage.octo.repos.listWebhookDeliveries({ ...DEMO, hook_id: hookId, status: 'failure' });
    return data.map(({ guid }) => guid);
  }

  const sweep = (repositories = [REPOSITORY], limit = 100) => activities().redeliverFailed({ repositories, limit });

  test('are sent again, once', async () => {
    receiver.status = 200;
    expect(await sweep()).toMatchObject({ resent: 1, waiting: 0, givenUp: 0, recovered: 0, leftOut: [] });
    await expect.poll(() => receiver.received.length).toBe(2);
  });

  test('that were kept all the same are let be', async () => {
    const [guid = ''] = await failed();
    await connection.sql`insert into deliveries (id, event, body, status, reason)
      values (${guid}, 'ping', ''::bytea, 'accepted', 'recorded')`;
    expect(await sweep()).toMatchObject({ resent: 0, recovered: 1 });
    expect(receiver.received).toHaveLength(1);
  });

  test('wait while the server is away', async () => {
    serverAnswers = false;
    expect(await sweep()).toMatchObject({ resent: 0, waiting: 1 });
    expect(receiver.received).toHaveLength(1);
  });

  test('beyond the limit wait', async () => {
    await stage.octo.issues.create({ ...DEMO, title: 'another' });
    await expect.poll(async () => (await failed()).length).toBe(2);
    expect(await sweep([REPOSITORY], 1)).toMatchObject({ resent: 1, waiting: 1 });
  });

  test('of repositories that are gone keep no other waiting, however many', async () => {
    const gone = [-9, -8, -7, -6, -5];
    for (const id of gone) await bind({ id, name: 'gone', hookId: 99 });
    const report = await sweep([...gone, REPOSITORY]);
    expect(report).toMatchObject({ resent: 1, leftOut: gone.map((repository) => ({ repository })) });
    expect(report.leftOut[0]?.reason).toContain('GitHubNotFound');
  });
});

test('a GitHub that fails for repository after repository is tried again as a whole', async () => {
  const ids = [1, 2, 3, 4, 5, 6];
  for (const id of ids) await bind({ id, name: `repository-${id}`, hookId: 99 });
  const away = activities('http://127.0.0.1:9').redeliverFailed({ repositories: ids, limit: 10 });
  await expect(away).rejects.toMatchObject({ type: 'GitHubFailed' });
});

describe('events that no webhook reported', () => {
  const sweep = (graceSeconds = 0, since = LONG_AGO) =>
    activities().reconcileRepositories({ repositories: [{ id: REPOSITORY, since }], graceSeconds });

  async function labeledIssue(label = 'run:dev'): Promise<{ number: number; key: string; event: number }> {
    const { data } = await stage.octo.issues.create({ ...DEMO, title: 'not told of', labels: [label] });
    const { data: events } = await stage.octo.issues.listEvents({ ...DEMO, issue_number: data.number });
    const event = events.find(({ event }) => event === 'labeled')?.id ?? 0;
    return { number: data.number, key: `issue:${REPOSITORY}#${data.number}`, event };
  }

  async function factsOf(key: string): Promise<Record<string, unknown>[]> {
    const rows = await connection.sql`select fact from issue_facts where issue_key = ${key} order by seq`;
    return rows.map(({ fact }) => fact as Record<string, unknown>);
  }

  beforeEach(async () => {
    const { data } = await stage.octo.issues.listForRepo({ ...DEMO, state: 'open', per_page: 100 });
    for (const { number } of data) {
      await stage.octo.issues.update({ ...DEMO, issue_number: number, state: 'closed' });
    }
  });

  test('a label becomes a fact that names its event, with a delivery of its own', async () => {
    const { key, event } = await labeledIssue();
    const { found } = await sweep();
    expect(found).toEqual([{ issue: key, what: 'labeled run:dev', delivery: `reconcile-${event}` }]);
    expect(await factsOf(key)).toMatchObject([
      { kind: 'trigger_label_added', label: 'run:dev', event, delivery: `reconcile-${event}`, by: { login: 'octo' } },
    ]);
  });

  test('is said in the audit trail', async () => {
    const { key } = await labeledIssue();
    await sweep();
    const rows = await connection.sql`select type, payload from flow_events where chain = ${key}`;
    expect(rows).toMatchObject([
      { type: 'webhook.received', payload: { reconciled: true, event: 'issues', action: 'labeled', label: 'run:dev' } },
    ]);
  });

  test('is found once, however many sweeps look at once', async () => {
    const { key } = await labeledIssue();
    const reports = await Promise.all([sweep(), sweep(), sweep()]);
    await sweep();
    expect(reports.flatMap(({ found }) => found)).toHaveLength(1);
    expect(await factsOf(key)).toHaveLength(1);
  });

  test('within the grace is left to webhooks', async () => {
    await labeledIssue();
    expect((await sweep(60)).found).toEqual([]);
  });

  test('from before the binding is not looked at', async () => {
    await labeledIssue();
    await connection.sql`update repositories set created_at = now() + interval '1 second'`;
    expect((await sweep()).found).toEqual([]);
  });

  test('by somebody who may not is kept, and asks for nothing', async () => {
    const { key } = await labeledIssue();
    await connection.sql`delete from project_members`;
    try {
      expect((await sweep()).found).toHaveLength(1);
      const rows = await connection.sql`select status, reason, run_id from deliveries where issue_key = ${key}`;
      expect(rows).toMatchObject([{ status: 'ignored', reason: 'sender_not_project_member', run_id: null }]);
      expect(await factsOf(key)).toMatchObject([{ kind: 'trigger_refused' }]);
    } finally {
      await connection.sql`insert into project_members (project_id, person_id, role)
        select ${projectId}, id, 'read_write' from people`;
    }
  });

  test('a close becomes a fact for an issue whose workflow lives', async () => {
    const { number, key, event } = await labeledIssue();
    await projectIssue(connection.db, issueRow(number), []);
    await projectRun(connection.db, runRow(number, { trigger: `label:${event}`, status: 'succeeded' }), []);
    await stage.octo.issues.update({ ...DEMO, issue_number: number, state: 'closed' });
    await sweep();
    expect(await factsOf(key)).toMatchObject([{ kind: 'issue_closed' }]);
    expect((await sweep()).found).toEqual([]);
  });

  test('a review and the close of its pull request become facts of the issue', async () => {
    const { data } = await stage.octo.issues.create({ ...DEMO, title: 'under review' });
    const key = `issue:${REPOSITORY}#${data.number}`;
    const pull = await openPull(stage, { branch: `codex/issue-${data.number}`, files: { [`${data.number}`]: 'x\n' } });
    await projectIssue(connection.db, issueRow(data.number, { pullRequest: pull, waitingFor: 'review' }), []);
    const review = await stage.octo.pulls.createReview({
      ...DEMO,
      pull_number: pull,
      event: 'REQUEST_CHANGES',
      body: 'Not yet',
    });
    expect((await sweep()).found).toMatchObject([{ delivery: `reconcile-review-${review.data.id}` }]);
    expect(await factsOf(key)).toMatchObject([
      { kind: 'changes_requested', review: review.data.id, pullRequest: pull, by: { login: 'octo' } },
    ]);
    await stage.octo.pulls.update({ ...DEMO, pull_number: pull, state: 'closed' });
    expect((await sweep()).found).toMatchObject([{ issue: key, what: `closed pull request #${pull}` }]);
    expect((await factsOf(key)).at(-1)).toMatchObject({
      kind: 'pull_request_closed',
      pullRequest: pull,
      merged: false,
    });
    expect((await sweep()).found).toEqual([]);
  });

  test('a repository that is gone keeps no other waiting', async () => {
    const { key } = await labeledIssue();
    await bind({ id: -5, name: 'gone' });
    const report = await activities().reconcileRepositories({
      repositories: [
        { id: -5, since: LONG_AGO },
        { id: REPOSITORY, since: LONG_AGO },
      ],
      graceSeconds: 0,
    });
    expect(report.found.map(({ issue }) => issue)).toEqual([key]);
    expect(report.leftOut).toMatchObject([{ repository: -5 }]);
  });

  test('T21: a repository that is gone is reported to its open issues, and to no closed one', async () => {
    await bind({ id: -5, name: 'gone' });
    for (const [number, state] of [
      [1, 'working'],
      [2, 'waiting'],
      [3, 'closed'],
    ] as const) {
      const key = `issue:-5#${number}`;
      statuses.set(key, { status: 'open' });
      await projectIssue(connection.db, issueRow(number, { key, repositoryId: -5, state }), []);
    }
    await activities().reconcileRepositories({ repositories: [{ id: -5, since: LONG_AGO }], graceSeconds: 0 });
    const words = told.map(({ key, fact }) => `${key} ${(fact as Fact).kind}`);
    expect(words.toSorted()).toEqual(['issue:-5#1 repository_gone', 'issue:-5#2 repository_gone']);
    expect(told).toMatchObject([{ fact: { reason: 'not_shown' } }, { fact: { reason: 'not_shown' } }]);
  });

  test('T21: a repository that was archived is reported to its open issues, and nothing in it is started', async () => {
    const { key } = await labeledIssue();
    await projectIssue(connection.db, issueRow(Number(key.split('#')[1])), []);
    statuses.set(key, { status: 'open' });
    await stage.octo.repos.update({ ...DEMO, archived: true });
    try {
      expect(await sweep()).toMatchObject({ made: 0, leftOut: [] });
    } finally {
      await stage.octo.repos.update({ ...DEMO, archived: false });
    }
    expect(told).toMatchObject([{ key, fact: { kind: 'repository_gone', reason: 'archived' } }]);
    expect(await factsOf(key)).toEqual([]);
  });

  test('T21: a name that is another repository now is as good as gone', async () => {
    await bind({ id: 77 });
    await projectIssue(connection.db, issueRow(1, { key: 'issue:77#1', repositoryId: 77 }), []);
    statuses.set('issue:77#1', { status: 'open' });
    await activities().reconcileRepositories({ repositories: [{ id: 77, since: LONG_AGO }], graceSeconds: 0 });
    expect(told).toMatchObject([{ key: 'issue:77#1', fact: { kind: 'repository_gone', reason: 'not_shown' } }]);
  });

  test('B22: a label that an agent put on is evaluated as such, also when a sweep finds it', async () => {
    const { key } = await labeledIssue();
    agentLogin = 'octo';
    await sweep();
    expect(await factsOf(key)).toMatchObject([{ kind: 'trigger_refused', reason: 'trigger_by_agent' }]);
  });

  test('is not looked for when Postgres does not answer: the sweep is tried again', async () => {
    await labeledIssue();
    await connection.sql`alter table deliveries rename to deliveries_away`;
    try {
      await expect(sweep()).rejects.toThrow('Failed query');
    } finally {
      await connection.sql`alter table deliveries_away rename to deliveries`;
    }
  });
});

describe('a run that is shown at work', () => {
  const KEY = `issue:${REPOSITORY}#7`;
  const sweep = () => activities().endLostRuns({ graceSeconds: 60 });

  beforeEach(async () => {
    await projectIssue(connection.db, issueRow(7, { state: 'working', activeRunId: RUN }), []);
    statuses.set(KEY, { status: 'open' });
  });

  test('and works is let be', async () => {
    statuses.set(`run:${RUN}`, { status: 'open' });
    expect(await sweep()).toEqual({ looked: 1, ended: [], unsignaled: [] });
  });

  test('and was ended from outside is reported as lost', async () => {
    statuses.set(`run:${RUN}`, { status: 'closed', closedAt: LONG_AGO });
    expect(await sweep()).toMatchObject({ ended: [RUN] });
    expect(told).toMatchObject([{ key: KEY, fact: { kind: 'run_lost', runId: RUN, outcome: { status: 'failed' } } }]);
  });

  test('and completed is reported with its outcome', async () => {
    statuses.set(`run:${RUN}`, { status: 'closed', closedAt: LONG_AGO });
    outcome = { status: 'canceled', actor: 'olivia', reason: 'enough' };
    await sweep();
    expect(told).toEqual([{ key: KEY, fact: { kind: 'run_finished', runId: RUN, outcome } }]);
  });

  test('and ended a moment ago is let be', async () => {
    statuses.set(`run:${RUN}`, { status: 'closed', closedAt: new Date().toISOString() });
    expect(await sweep()).toMatchObject({ ended: [] });
  });

  test('whose issue has no workflow either is counted', async () => {
    statuses.clear();
    expect(await sweep()).toEqual({ looked: 1, ended: [], unsignaled: [KEY] });
  });

  test('of an issue without a workflow is named as abandoned', async () => {
    expect(await activities().findAbandonedIssues({ ageSeconds: 60 })).toEqual([]);
    statuses.clear();
    expect(await activities().findAbandonedIssues({ ageSeconds: 60 })).toEqual([KEY]);
  });
});

describe('a workspace', () => {
  const OWNER = 'issue:1#7';
  const HOUR = { ageSeconds: 3600 };

  /** A workspace that was made two hours ago; `run` worked in it then. */
  async function workspace(name: string, { owner = OWNER, run = RUN, hours = 2 } = {}): Promise<void> {
    const directory = join(root, name);
    await ensureWorkspace(directory, owner);
    await mkdir(join(directory, 'runs', `${run}.1`), { recursive: true });
    const then = new Date(Date.now() - hours * 3_600_000);
    for (const path of [join(directory, 'runs'), join(directory, 'workspace.json')]) await utimes(path, then, then);
  }

  const found = async (limit = 20) => (await activities().findOrphans({ ...HOUR, limit })).map(({ name }) => name);

  test('without an open workflow is found, and removed at the second look', async () => {
    await workspace('codex-demo-r1-i7');
    const orphans = await activities().findOrphans({ ...HOUR, limit: 20 });
    expect(orphans).toMatchObject([{ name: 'codex-demo-r1-i7', owner: OWNER, runs: [RUN] }]);
    expect(await readdir(root)).toEqual(['codex-demo-r1-i7']);
    expect(await activities().removeOrphans({ ...HOUR, orphans })).toEqual({ removed: ['codex-demo-r1-i7'], kept: [] });
    expect(await readdir(root)).toEqual([]);
  });

  test.each([OWNER, `run:${RUN}`])('is wanted while %s is open', async (workflow) => {
    await workspace('codex-demo-r1-i7');
    statuses.set(workflow, { status: 'open' });
    expect(await found()).toEqual([]);
  });

  test('that was used within the hour is let be', async () => {
    await workspace('codex-demo-r1-i7', { hours: 0.5 });
    expect(await found()).toEqual([]);
  });

  test('that is wanted again at the second look is kept', async () => {
    await workspace('codex-demo-r1-i7');
    const orphans = await activities().findOrphans({ ...HOUR, limit: 20 });
    statuses.set(OWNER, { status: 'open' });
    expect(await activities().removeOrphans({ ...HOUR, orphans })).toMatchObject({ removed: [] });
    expect(await readdir(root)).toEqual(['codex-demo-r1-i7']);
  });

  test('in which a run began between the two looks is kept', async () => {
    await workspace('codex-demo-r1-i7');
    const orphans = await activities().findOrphans({ ...HOUR, limit: 20 });
    await mkdir(join(root, 'codex-demo-r1-i7', 'runs', 'another.1'));
    expect(await activities().removeOrphans({ ...HOUR, orphans })).toMatchObject({ removed: [] });
  });

  test('is removed with four others at the same time, and no more: each may take a minute', async () => {
    const names = Array.from({ length: 7 }, (_, index) => `codex-demo-r1-i${index + 1}`);
    for (const name of names) await workspace(name);
    const orphans = await activities().findOrphans({ ...HOUR, limit: 20 });
    const five = Promise.withResolvers<void>();
    let begun = 0;
    let most = 0;
    let now = 0;
    removing = async (remove) => {
      begun += 1;
      now += 1;
      most = Math.max(most, now);
      if (begun === 5) five.resolve();
      await five.promise;
      const removed = await remove();
      now -= 1;
      return removed;
    };
    const { removed } = await activities().removeOrphans({ ...HOUR, orphans });
    expect(removed.toSorted()).toEqual(names);
    expect(most).toBe(5);
  });

  test('of somebody else is never touched, whatever its name', async () => {
    const then = new Date(LONG_AGO);
    const files = { 'codex-foreign': '{"managedBy":"somebody","owner":"issue:1#7"}', 'codex-broken': 'no JSON' };
    for (const [name, content] of Object.entries(files)) {
      await mkdir(join(root, name));
      await writeFile(join(root, name, 'workspace.json'), content);
      await utimes(join(root, name, 'workspace.json'), then, then);
    }
    await mkdir(join(root, 'codex-empty'));
    await writeFile(join(root, 'a-file'), '');
    expect(await found()).toEqual([]);
    const orphans = ['codex-foreign', 'codex-broken', 'codex-empty'].map((name) => ({
      name,
      owner: OWNER,
      runs: [],
      usedAt: LONG_AGO,
    }));
    expect(await activities().removeOrphans({ ...HOUR, orphans })).toMatchObject({ removed: [] });
    expect((await readdir(root)).toSorted()).toEqual(['a-file', 'codex-broken', 'codex-empty', 'codex-foreign']);
  });

  test('whose removal was cut off is found again', async () => {
    await workspace('codex-demo-r1-i7.removing');
    expect(await found()).toEqual(['codex-demo-r1-i7.removing']);
  });

  test('that was unused longest is first, and no more than the limit are found', async () => {
    await workspace('codex-a', { hours: 2 });
    await workspace('codex-b', { hours: 3 });
    expect(await found(1)).toEqual(['codex-b']);
  });
});

test('all bound repositories are swept', async () => {
  await bind({ id: 5, name: 'other' });
  expect(await activities().listSweptRepositories()).toEqual([REPOSITORY, 5]);
  await connection.db.execute(sql`delete from repositories where id = 5`);
});
