/**
 * The whole of `up` while every port fails now and then: GitHub, the runtime, Postgres and Temporal's client, each kind of
 * fault with one percent. What must come true all the same: nothing that was accepted is lost, and
 * nothing is there twice. `CODEXK8S_TEST_SEED` brings the faults of a failure back, `CODEXK8S_TEST_RATE` makes more.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ApiRefusal } from '../../src/api-client/api-client.ts';
import { BOT, OWNER } from '../../src/embedded/accounts.ts';
import { eventually, processesOf } from '../support/stack.ts';
import { closeScene, marked, openScene, type BoundRepository, type Scene } from '../e2e/support/scene.ts';

const SEED = Number(process.env['CODEXK8S_TEST_SEED'] ?? Math.floor(Math.random() * 1e9));
/** A rate, and a kind of fault if it should be one alone: `0.1,kind=execute_and_timeout`. */
const RATE = process.env['CODEXK8S_TEST_RATE'] ?? '0.01';
const REPO = 'faulty';

/** A step with all of its faults behind it. */
const STEP_LIMIT_MS = 300_000;
/** Issues that go the whole way, at the same time. */
const WHOLE_WAY = 3;

/** Deliveries that were not kept are brought back by the platform itself, here within seconds. */
const SWEEPS = {
  CODEXK8S_SWEEP_REDELIVERY_SECONDS: '5',
  CODEXK8S_SWEEP_RECONCILE_SECONDS: '10',
  CODEXK8S_SWEEP_WORKSPACE_SECONDS: '20',
  CODEXK8S_SWEEP_GRACE_SECONDS: '5',
  CODEXK8S_SWEEP_ORPHAN_SECONDS: '5',
};

interface Way {
  readonly issue: number;
  readonly pullRequest: number;
}

let scene: Scene;
let repository: BoundRepository;
let ways: Way[];
let canceled: number;
let repeated: number;

/** Asks until there is an answer: what is asked may fail in these tests. */
async function patiently<Value>(what: string, holds: () => Promise<Value | undefined | false | null>): Promise<Value> {
  return eventually(`${what} (seed ${SEED}, rate ${RATE})`, () => holds().catch(() => undefined), STEP_LIMIT_MS);
}

/** What server and worker have written. */
function logs(): string {
  return ['server', 'worker']
    .map((name) => readFileSync(join(scene.stack.directory, 'logs', `${name}.log`), 'utf8'))
    .join('\n');
}

const hook = () => ({ owner: OWNER, repo: REPO, hook_id: repository.hookId });

function allDeliveries() {
  const { octokit } = scene.person;
  return octokit.paginate(octokit.rest.repos.listWebhookDeliveries, { ...hook(), per_page: 100 });
}

async function runRows(issue: number) {
  return scene.sql`select * from runs where repository_id = ${repository.id} and issue_number = ${issue} order by created_at`;
}

async function issueRow(issue: number) {
  const [row] = await scene.sql`select * from issues where repository_id = ${repository.id} and number = ${issue}`;
  return row;
}

async function runEnded(issue: number, place: number) {
  return patiently(`the end of run ${place} of issue ${issue}`, async () => {
    const run = (await runRows(issue))[place];
    return run?.['finished_at'] && (await issueRow(issue))?.['active_run_id'] === null && run;
  });
}

async function isOver(issue: number): Promise<void> {
  await patiently(`the end of issue ${issue}`, async () => {
    const row = await issueRow(issue);
    return row?.['state'] === 'closed' && row['workspace'] === null;
  });
}

/** From the label to the merge. */
async function goTheWholeWay(title: string): Promise<Way> {
  const { person } = scene;
  const issue = await person.openIssue(REPO, { title, body: 'A note, please.' });
  await person.label(REPO, issue, 'run:dev');
  const work = await runEnded(issue, 0);
  const pullRequest = Number(work['pull_request']);
  if (pullRequest === 0)
    throw new Error(`${title}: ${work['status']} ${work['failure']} ${work['detail']} (seed ${SEED})`);
  const comment = { path: `notes/issue-${issue}.md`, line: 1, body: 'In other words, please.' };
  await person.requestChanges(REPO, pullRequest, { body: 'Nearly.', comments: [comment] });
  await runEnded(issue, 1);
  await person.approveAndMerge(REPO, pullRequest);
  await isOver(issue);
  return { issue, pullRequest };
}

/** A run that a person cancels while its agent works, and an issue that is closed. */
async function cancelOne(): Promise<number> {
  const { person, platform } = scene;
  const issue = await person.openIssue(REPO, { title: 'no more [script: wait]', body: 'wait-for: /nowhere' });
  await person.label(REPO, issue, 'run:dev');
  const run = await patiently('an agent at work', async () => (await runRows(issue)).find((row) => row['started_at']));
  const wish = { actor: 'paula', reason: 'it is not needed' };
  await patiently('the cancel is taken', async () => {
    await platform.cancelRun(String(run['id']), wish).catch((error: unknown) => {
      // Canceled already: an earlier attempt, whose answer was lost.
      if (!(error instanceof ApiRefusal) || error.status !== 409) throw error;
    });
    return true;
  });
  await runEnded(issue, 0);
  await person.octokit.rest.issues.update({ owner: OWNER, repo: REPO, issue_number: issue, state: 'closed' });
  await isOver(issue);
  return issue;
}

/**
 * GitHub's own delivery of the label on an issue. Whether the platform kept that one says nothing here: when it failed, the
 * platform may have found the label by asking.
 */
async function clickOn(issue: number) {
  const { octokit } = scene.person;
  for (const delivery of await allDeliveries()) {
    if (delivery.event !== 'issues' || delivery.action !== 'labeled' || delivery.status_code === 0) continue;
    const { data } = await octokit.rest.repos.getWebhookDelivery({ ...hook(), delivery_id: delivery.id });
    const told = data.request.payload as { issue: { number: number }; label: { name: string } };
    if (told.issue.number === issue && told.label.name === 'run:dev') return delivery;
  }
  return undefined;
}

/** One click, delivered five times more. */
async function deliverAgain(): Promise<number> {
  const { person } = scene;
  const issue = await person.openIssue(REPO, { title: 'Twice', body: 'A note, please.' });
  await person.label(REPO, issue, 'run:dev');
  const delivery = await patiently('the click is delivered', async () => clickOn(issue));
  for (let time = 0; time < 5; time += 1)
    await person.octokit.rest.repos.redeliverWebhookDelivery({ ...hook(), delivery_id: delivery.id });
  await runEnded(issue, 0);
  await person.octokit.rest.issues.update({ owner: OWNER, repo: REPO, issue_number: issue, state: 'closed' });
  await isOver(issue);
  return issue;
}

beforeAll(async () => {
  scene = await openScene(SWEEPS, { random: `seed=${SEED},rate=${RATE}` });
  const { person, platform } = scene;
  await person.pushRepository(REPO, 'for a test', [{ path: 'README.md', content: '# A thing\n', executable: false }]);
  await person.addCollaborator(REPO, BOT);
  const bound = await patiently('the repository is bound', async () =>
    platform.bindRepository({ fullName: `${OWNER}/${REPO}` }),
  );
  repository = { name: REPO, id: bound.repositoryId, hookId: bound.hookId ?? 0 };
  [canceled, repeated, ...ways] = await Promise.all([
    cancelOne(),
    deliverAgain(),
    ...Array.from({ length: WHOLE_WAY }, (_, index) => goTheWholeWay(`A wish ${index}`)),
  ]);
  await patiently('every fact is signaled', async () => {
    const [waiting] = await scene.sql`select count(*)::int as n from inboxes where last_seq > signaled_seq`;
    return waiting?.['n'] === 0;
  });
  // Nobody else reads pages here, so these may have met no fault yet.
  await patiently('a page meets a fault', async () => {
    await platform.runs({}).catch(() => undefined);
    return logs().includes('"call":"server.pages');
  });
}, 900_000);

afterAll(() => closeScene(scene));

describe(`with faults of seed ${SEED} and rate ${RATE}`, () => {
  test('there were faults, in both processes and in every pool', () => {
    const said = logs();
    const ports = new Set(said.match(/"call":"\w+\.\w+/g));
    const calls = said.match(/a fault was put in/g)?.length ?? 0;
    expect([...ports].toSorted()).toEqual(
      expect.arrayContaining(
        ['intake', 'pages', 'agents'].map((pool) => `"call":"server.${pool}`).concat('"call":"worker.postgres'),
      ),
    );
    expect(calls).toBeGreaterThan(10);
  });

  test('every run that was asked for was done, once', async () => {
    for (const { issue } of ways) {
      const rows = await runRows(issue);
      expect(rows.map(({ kind, status, failure }) => [kind, status, failure])).toEqual([
        ['work', 'succeeded', null],
        ['revise', 'succeeded', null],
      ]);
    }
    expect((await runRows(repeated)).map((row) => row['status'])).toEqual(['succeeded']);
  });

  test('a canceled run is canceled, for the reason that was given', async () => {
    expect((await runRows(canceled)).map(({ status, detail }) => [status, detail])).toEqual([
      ['canceled', 'paula: it is not needed'],
    ]);
  });

  test('every trigger that was accepted led to a run, or to a comment', async () => {
    const unheard = () => scene.sql`select d.id from deliveries d where d.status = 'accepted' and d.run_id is not null
      and not exists (select 1 from runs r where r.correlation_id = d.id)
      and not exists (select 1 from flow_events e where e.correlation_id = d.id and e.type in ('trigger.duplicate', 'run.not_started'))`;
    // Handed over is not judged yet.
    await patiently('the last triggers are judged', async () => (await unheard()).length === 0).catch(() => undefined);
    expect(await unheard()).toEqual([]);
  });

  test('each issue has one pull request', async () => {
    for (const { issue } of ways) expect(await scene.pullRequestsOf(REPO, issue)).toHaveLength(1);
    expect(await scene.pullRequestsOf(REPO, repeated)).toHaveLength(1);
    expect(await scene.pullRequestsOf(REPO, canceled)).toHaveLength(0);
  });

  test('each run has one status comment, which shows its end', async () => {
    for (const { issue, pullRequest } of ways) {
      const commentsNow = async () => [
        ...(await scene.commentsOn(REPO, issue)),
        ...(await scene.commentsOn(REPO, pullRequest)),
      ];
      for (const row of await runRows(issue)) {
        const its = await patiently(`the comment of run ${row['id']}`, async () => {
          const found = (await commentsNow()).filter(({ body }) => body.includes(marked(String(row['id']))));
          return found.some(({ body }) => body.includes('Done.')) && found;
        });
        expect(its).toHaveLength(1);
      }
      const written = await patiently(`the comments of #${issue}`, async () => {
        const own = (await commentsNow()).filter(({ author }) => author === BOT);
        return own.length >= 3 && own;
      });
      expect(written).toHaveLength(3);
    }
  });

  test('each review comment has one answer, each click one reaction', async () => {
    for (const { issue, pullRequest } of ways) {
      expect((await scene.person.answers(REPO, pullRequest)).map(({ answers }) => answers.length)).toEqual([1]);
      const { data } = await scene.person.octokit.rest.reactions.listForIssue({
        owner: OWNER,
        repo: REPO,
        issue_number: issue,
      });
      expect(data.length).toBeLessThanOrEqual(1);
    }
  });

  test('the events of each run tell its story once', async () => {
    const told = await scene.sql`select run_id, type, count(*)::int as n from flow_events where run_id is not null
      and type in ('run.requested', 'run.succeeded', 'run.canceled', 'run.pr.created') group by run_id, type having count(*) > 1`;
    expect(told).toEqual([]);
    const created = await scene.sql`select run_id from flow_events where type = 'run.pr.created'`;
    expect(created).toHaveLength(WHOLE_WAY + 1);
  });

  test('nothing is left: no workspace, no agent, no open workflow', async () => {
    expect(readdirSync(join(scene.stack.directory, 'workspaces'))).toEqual([]);
    expect(processesOf(scene.stack.directory).filter(({ command }) => / agent /.test(command))).toEqual([]);
    const connection = await Connection.connect({ address: scene.stack.ready.temporalAddress });
    try {
      const { workflow } = new Client({ connection, namespace: 'codex-k8s' });
      await patiently('no open workflow', async () => {
        const open: string[] = [];
        for await (const { workflowId } of workflow.list({ query: 'ExecutionStatus = "Running"' }))
          open.push(workflowId);
        return open.every((id) => !/^(issue|run):/.test(id));
      });
    } finally {
      await connection.close();
    }
  });
});
