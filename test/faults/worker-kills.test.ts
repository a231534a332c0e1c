/**
 * docs/reliability.md T29: a worker is killed when an activity begins, when its first change on GitHub was made, and when it has
 * done its work and Temporal does not know. Every activity, one after the other in the same life of an issue; what is left of
 * that life is the same as without the kills.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createActivities, type Activities, type ActivityPorts } from '../../activities/index.ts';
import { COLLEAGUE, OWNER } from '../../src/embedded/accounts.ts';
import { closeScene, openScene, type Scene } from '../e2e/support/scene.ts';
import { noopAgentCommand } from '../support/noop-agent.ts';
import { environmentOf, startBeside, type Beside } from './support/beside.ts';
import {
  ended,
  live,
  liveWithDecisions,
  liveWithWaits,
  patiently,
  remains,
  terminateWorkflow,
} from './support/life.ts';
import { SWEEP_ACTIVITIES } from './support/sweep-activities.ts';

const REPO = 'kills';
/** A kill is noticed after the heartbeat timeout; three workers keep the others going meanwhile. */
const WORKERS_BESIDE = 2;

/** Which of them are there is asked of the program itself, so that a new one cannot be forgotten. */
const ACTIVITIES = Object.keys(createActivities({} as ActivityPorts)) as (keyof Activities)[];

/** Called as activities of their own only when GitHub fails, when somebody edits a status comment, or for a run without a workflow. */
const NOT_IN_A_LIFE: readonly (keyof Activities)[] = [
  'recordRun',
  'acknowledge',
  'writeStatusComment',
  'restoreStatusComment',
];
/** What Schedules start is killed in sweep-kills.test.ts, what happens while a run waits for its turn in run-limits.test.ts. */
const ELSEWHERE = new Set<keyof Activities>([...NOT_IN_A_LIFE, ...SWEEP_ACTIVITIES, 'findEndedRuns']);

/** Not every life has these: they have tests of their own below. */
const OF_WAITS = [
  'haltAgent',
  'revokeToken',
  'releasePermit',
  'recordRequest',
  'writeRequestComment',
  'readAnswerComment',
] as const satisfies (keyof Activities)[];
const OF_DECISIONS = ['performCall', 'endCall'] as const satisfies (keyof Activities)[];
const OF_SOME_LIVES = [
  'leaseNamespace',
  'releaseNamespace',
  'readRepository',
  'readSettings',
  ...OF_WAITS,
  ...OF_DECISIONS,
] as const satisfies (keyof Activities)[];
const [LEASE, RELEASE, READ_REPOSITORY, READ_SETTINGS] = OF_SOME_LIVES;

const home = mkdtempSync(join(tmpdir(), 'codex-k8s-kills-'));
const points = join(home, 'points');
const journal = join(home, 'journal');
let scene: Scene;
let workers: Beside[];
let undisturbed: Awaited<ReturnType<typeof remains>>;

beforeAll(async () => {
  mkdirSync(points);
  // An agent that kills the worker before it claims its place is the middle of a launch.
  const agent = noopAgentCommand(journal, join(points, 'launchAgent:middle'));
  scene = await openScene({ CODEXK8S_AGENT_COMMAND: agent }, { killPoints: points });
  await scene.bindRepository(REPO);
  await scene.platform.addMember({ login: COLLEAGUE, role: 'platform_owner' });
  await scene.person.addCollaborator(REPO, COLLEAGUE);
  undisturbed = await remains(scene, await live(scene, REPO, { title: 'nothing dies', flags: home }), journal);
  const env = environmentOf(scene.stack, 'worker');
  workers = Array.from({ length: WORKERS_BESIDE }, () => startBeside(scene.stack, 'worker', env, { again: true }));
});

afterAll(async () => {
  for (const worker of workers ?? []) await worker.end();
  await closeScene(scene);
  rmSync(home, { recursive: true, force: true });
});

test('an undisturbed life is what it should be', () => {
  expect(undisturbed).toMatchObject({
    runs: [
      { place: 0, status: 'canceled', kind: 'work', trigger: 'label:' },
      { place: 1, status: 'succeeded', kind: 'work', trigger: 'label:' },
      { place: 2, status: 'succeeded', kind: 'revise', trigger: 'review:' },
    ],
    triggers: 3,
    pullRequests: 1,
    commits: [1, 2],
    answers: [1],
    reactions: ['eyes'],
    chain: true,
    agents: ['begin 0.1', 'begin 1.1', 'end 1.1', 'begin 2.1', 'end 2.1'],
    workspace: false,
    processes: 0,
    workflows: ['COMPLETED', 'COMPLETED', 'COMPLETED', 'COMPLETED'],
  });
});

describe.concurrent('a worker that is killed three times', () => {
  const inEveryLife = ACTIVITIES.filter((one) => !ELSEWHERE.has(one) && !OF_SOME_LIVES.some((other) => other === one));
  test.each(inEveryLife)('around %s loses nothing and does nothing twice', async (activity) => {
    const life = await killedAround(activity, () =>
      live(scene, REPO, { title: `dies around ${activity}`, flags: home }),
    );
    expect(await remains(scene, life, journal)).toEqual(undisturbed);
  });
});

describe.concurrent('in a life in which a run asks and is paused, a worker that is killed', () => {
  test.each(OF_WAITS)('around %s loses no answer, and asks, pauses and ends once', async (activity) => {
    const { issue, run } = await killedAround(activity, () =>
      liveWithWaits(scene, REPO, { title: `waits, and dies around ${activity}`, flags: home }),
    );
    expect((await scene.runsOf(REPO, issue)).map(({ status }) => status)).toEqual(['succeeded']);
    // It is shown that it was answered, once the run is over.
    await patiently(`the answered question of ${REPO}#${issue}`, async () => {
      const questions = (await scene.commentsOn(REPO, issue)).filter(({ body }) => body.includes('codex-k8s:request'));
      return questions.length === 1 && /Answered[^]*This/.test(questions[0]?.body ?? '');
    });
    const events = await scene.sql`
      select type, count(*)::int as times from flow_events
      where chain = ${run.issueKey} and (type like 'request.%' or type like 'run.wait.%') group by type order by type`;
    expect(events.map(({ type, times }) => [type, times])).toEqual([
      ['request.answered', 1],
      ['request.opened', 1],
      ['run.wait.paused', 2],
      ['run.wait.resumed', 2],
    ]);
    const begun = readFileSync(journal, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith(`begin ${run.id} `));
    expect(begun.map((line) => line.split(' ')[2])).toEqual(['1', '2', '3']);
    expect(await scene.pullRequestsOf(REPO, issue)).toHaveLength(1);
  });
});

describe.concurrent('in a life in which people decide on tool calls, a worker that is killed', () => {
  test.each(OF_DECISIONS)('around %s ends each call once', async (activity) => {
    const { issue, run } = await killedAround(activity, () =>
      liveWithDecisions(scene, REPO, { title: `decides, and dies around ${activity}` }),
    );
    expect((await scene.runsOf(REPO, issue)).map(({ status }) => status)).toEqual(['succeeded']);
    const calls = await scene.sql`select tool, state from tool_calls where run_id = ${run.id} order by called_at`;
    expect(calls.map(({ tool, state }) => [tool, state])).toEqual([
      ['user.decision.request', 'applied'],
      ['github_labels_add', 'applied'],
    ]);
    const decided = await scene.sql`
      select type, count(*)::int as times from flow_events
      where run_id = ${run.id} and type like 'approval.%' group by type order by type`;
    expect(decided.map(({ type, times }) => [type, times])).toEqual([
      ['approval.applied', 1],
      ['approval.approved', 1],
      ['approval.requested', 1],
    ]);
    expect(await scene.person.labels(REPO, issue)).toContain('need:qa');
  });
});

describe('in a project that names its namespaces, a worker that is killed', () => {
  beforeAll(async () => {
    const { name } = await scene.bindRepository('kills-slots');
    await scene.platform.bindRepository({ fullName: `${OWNER}/${name}`, project: 'slots' });
    await scene.platform.setProject('slots', { namespaceTemplate: '{{ .Project }}-dev-{{ .Slot }}' });
  });

  test.each([LEASE, RELEASE])(
    'around %s loses nothing, does nothing twice, and leaves no slot taken',
    async (activity) => {
      const title = `dies around ${activity}`;
      const life = await killedAround(activity, () => live(scene, 'kills-slots', { title, flags: home }));
      expect(life.runs.map(({ workspace }) => workspace)).toEqual(Array.from({ length: 3 }, () => 'slots-dev-1'));
      expect(await remains(scene, life, journal)).toEqual(undisturbed);
      expect(await scene.sql`select * from workspace_slots`).toEqual([]);
    },
  );
});

test(`a worker that is killed around ${READ_REPOSITORY} ends the issues of an archived repository once`, async () => {
  const repo = 'kills-archived';
  await scene.bindRepository(repo);
  const flag = join(home, 'never');
  const issue = await scene.person.openIssue(repo, { title: 'in the archive', body: `wait-for: ${flag}` });
  await scene.person.label(repo, issue, 'run:dev');
  await patiently(`the agent of ${repo}#${issue}`, async () => {
    const [run] = await scene.runsOf(repo, issue);
    return run?.status === 'working' && run;
  });
  await killedAround(READ_REPOSITORY, async () => {
    await scene.person.octokit.rest.repos.update({ owner: OWNER, repo, archived: true });
    await ended(scene, repo, issue, 0);
    await patiently(`the end of ${repo}#${issue}`, async () => (await scene.issueOf(repo, issue))?.workspace === null);
  });
  const runs = await scene.runsOf(repo, issue);
  expect(runs.map(({ status }) => status)).toEqual(['canceled']);
  const chain = runs[0]?.issueKey ?? '';
  const gone = await scene.sql`select type from flow_events where chain = ${chain} and type = 'repository.gone'`;
  expect(gone).toHaveLength(1);
});

test(`a worker that is killed around ${READ_SETTINGS} says once that a run's workflow was terminated`, async () => {
  const repo = 'kills-terminated';
  await scene.bindRepository(repo);
  const issue = await scene.person.openIssue(repo, { title: 'terminated', body: `wait-for: ${join(home, 'never')}` });
  await scene.person.label(repo, issue, 'run:dev');
  const { id } = await patiently(`the agent of ${repo}#${issue}`, async () => {
    const [run] = await scene.runsOf(repo, issue);
    return run?.status === 'working' && run;
  });
  await killedAround(READ_SETTINGS, async () => {
    await terminateWorkflow(scene, `run:${id}`);
    await ended(scene, repo, issue, 0);
  });
  const runs = await scene.runsOf(repo, issue);
  expect(runs.map(({ status, failure }) => [status, failure])).toEqual([['failed', 'platform_error']]);
});

/** Lives a life with kills around an activity. What asks nothing of GitHub and starts no agent has no middle. */
async function killedAround<Lived>(activity: keyof Activities, life: () => Promise<Lived>): Promise<Lived> {
  const armed = ['before', 'middle', 'after'].map((point) => join(points, `${activity}:${point}`));
  for (const point of armed) writeFileSync(point, '');
  const lived = await life();
  // What is done in the background may be reached after the life is over for people.
  await patiently(`a worker is killed before and after ${activity}`, async () =>
    [armed[0], armed[2]].every((point) => existsSync(`${point}.fired`)),
  );
  for (const point of armed) rmSync(point, { force: true });
  return lived;
}
