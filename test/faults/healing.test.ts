/** What went missing comes back by itself: deliveries that failed while the server was away, and such that GitHub never made (T28). */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection, ScheduleOverlapPolicy } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OWNER } from '../../src/embedded/accounts.ts';
import { SCHEDULES } from '../../workflows/messages.ts';
import type { RedeliveryResult } from '../../workflows/maintenance/workflows.ts';
import { closeScene, openScene, type BoundRepository, type Scene } from '../e2e/support/scene.ts';
import { noopAgentCommand } from '../support/noop-agent.ts';
import { deliver } from './support/deliveries.ts';
import { ended, patiently } from './support/life.ts';

const REPO = 'healing';
const AT = { owner: OWNER, repo: REPO };
const GRACE_SECONDS = 3;
const home = mkdtempSync(join(tmpdir(), 'codex-k8s-healing-'));
const points = join(home, 'points');

let scene: Scene;
let repository: BoundRepository;
let temporal: Connection;
let client: Client;

beforeAll(async () => {
  mkdirSync(points);
  const env = {
    CODEXK8S_AGENT_COMMAND: noopAgentCommand(),
    CODEXK8S_SWEEP_REDELIVERY_SECONDS: '2',
    CODEXK8S_SWEEP_RECONCILE_SECONDS: '2',
    CODEXK8S_SWEEP_GRACE_SECONDS: `${GRACE_SECONDS}`,
  };
  scene = await openScene(env, { killPoints: points });
  repository = await scene.bindRepository(REPO);
  temporal = await Connection.connect({ address: scene.stack.ready.temporalAddress });
  client = new Client({ connection: temporal, namespace: 'codex-k8s' });
});

afterAll(async () => {
  await temporal?.close();
  await closeScene(scene);
  rmSync(home, { recursive: true, force: true });
});

const keyOf = (issue: number): string => `issue:${repository.id}#${issue}`;

async function openIssue(title: string, body = ''): Promise<number> {
  return scene.person.openIssue(REPO, { title, body });
}

/** An issue whose first run has succeeded, with its pull request. */
async function reviewed(title: string): Promise<{ issue: number; pull: number }> {
  const issue = await openIssue(title);
  await scene.person.label(REPO, issue, 'run:dev');
  const { pullRequest } = await ended(scene, REPO, issue, 0);
  return { issue, pull: pullRequest ?? 0 };
}

/** An issue whose agent waits. */
async function working(title: string): Promise<{ issue: number; release(): void }> {
  const flag = join(home, `${title.replaceAll(' ', '-')}.go`);
  const issue = await openIssue(title, `wait-for: ${flag}`);
  await scene.person.label(REPO, issue, 'run:dev');
  await patiently(`the agent of #${issue}`, async () => (await scene.runsOf(REPO, issue))[0]?.status === 'working');
  return { issue, release: () => writeFileSync(flag, '') };
}

async function unlabel(issue: number): Promise<void> {
  await scene.person.octokit.rest.issues.removeLabel({ ...AT, issue_number: issue, name: 'run:dev' });
}

async function deliveries(status?: 'failure') {
  return scene.person.octokit.paginate(scene.person.octokit.rest.repos.listWebhookDeliveries, {
    ...AT,
    hook_id: repository.hookId,
    per_page: 100,
    ...(status ? { status } : {}),
  });
}

/** Waits until sweeps that began after this moment have ended. */
async function sweptTwice(): Promise<void> {
  for (const id of [SCHEDULES.redeliverySweep, SCHEDULES.reconcileSweep]) {
    const handle = client.schedule.getHandle(id);
    const since = Date.now();
    await patiently(`two more of ${id}`, async () => {
      const { info } = await handle.describe();
      const later = info.recentActions.filter(({ takenAt }) => takenAt.getTime() > since);
      return later.length >= 3;
    });
  }
}

const shapeOf = async (issue: number) =>
  (await scene.runsOf(REPO, issue)).map(({ kind, status }) => `${kind} ${status}`);

describe('a server that was away while forty deliveries failed', () => {
  let asked: { issue: number; pull: number };
  let closed: { issue: number; pull: number };
  let merged: { issue: number; pull: number };
  let withdrawn: { issue: number };
  let fresh: number[];
  let back: number;
  let takenBack: number;
  let failed: number;
  let healedMs: number;

  beforeAll(async () => {
    [asked, closed, merged] = await Promise.all([
      reviewed('will be asked for changes'),
      reviewed('will be closed'),
      reviewed('will be merged'),
    ]);
    withdrawn = await working('will be withdrawn');
    fresh = [];
    for (let count = 0; count < 5; count += 1) fresh.push(await openIssue(`fresh ${count}`));
    back = await openIssue('labelled twice');
    takenBack = await openIssue('labelled and taken back');

    // Nobody starts the server again as long as `up` stands still.
    process.kill(scene.stack.pid, 'SIGSTOP');
    try {
      process.kill(scene.stack.pidOf('server'), 'SIGKILL');
      const { person } = scene;
      for (const issue of fresh) await person.label(REPO, issue, 'run:dev');
      for (let turn = 0; turn < 2; turn += 1) {
        await person.label(REPO, back, 'run:dev');
        await person.label(REPO, takenBack, 'run:dev');
        await unlabel(takenBack);
        if (turn === 0) await unlabel(back);
      }
      await unlabel(withdrawn.issue);
      await person.requestChanges(REPO, asked.pull, { body: 'Not like this.', comments: [] });
      await person.octokit.rest.issues.update({ ...AT, issue_number: closed.issue, state: 'closed' });
      await person.approveAndMerge(REPO, merged.pull);
      for (let count = 0; count < 30; count += 1) {
        await person.octokit.rest.issues.createComment({ ...AT, issue_number: fresh[0] ?? 0, body: `note ${count}` });
      }
      failed = await patiently('GitHub has given up on all of them', async () => {
        const found = await deliveries('failure');
        return found.length >= 40 && found.length;
      });
    } finally {
      process.kill(scene.stack.pid, 'SIGCONT');
    }
    await patiently('the server is back', async () => (await fetch(`${scene.stack.ready.url}/readyz`)).ok);
    const since = performance.now();
    await patiently('every failed delivery is kept', async () => {
      const guids = new Set((await deliveries('failure')).map(({ guid }) => guid));
      const [row] = await scene.sql<
        { n: number }[]
      >`select count(*)::int as n from deliveries where id in ${scene.sql([...guids])}`;
      return row?.n === guids.size;
    });
    healedMs = performance.now() - since;
  });

  test('gets every one of them again, within seconds of its return', () => {
    expect(failed).toBeGreaterThanOrEqual(40);
    expect(healedMs).toBeLessThan(60_000);
  });

  test('is asked by nobody but the sweep, and for no delivery again and again', async () => {
    await sweptTwice();
    const attempts = Map.groupBy(await deliveries(), ({ guid }) => guid);
    const resent = [...attempts.values()].map((tries) => tries.filter(({ redelivery }) => redelivery).length);
    expect(Math.max(...resent)).toBeLessThanOrEqual(4);
  });

  test('starts what was labelled meanwhile, each once', async () => {
    for (const issue of fresh) expect(await ended(scene, REPO, issue, 0)).toMatchObject({ status: 'succeeded' });
    for (const issue of fresh) expect(await shapeOf(issue)).toEqual(['work succeeded']);
  });

  test('does for a label that was put on twice what its last click asks for', async () => {
    await patiently('a run of it succeeds', async () => (await shapeOf(back)).includes('work succeeded'));
    await sweptTwice();
    expect((await shapeOf(back)).filter((shape) => shape !== 'work canceled')).toEqual(['work succeeded']);
  });

  test('starts nothing for a label that was taken back', async () => {
    await sweptTwice();
    expect((await shapeOf(takenBack)).filter((shape) => shape !== 'work canceled')).toEqual([]);
  });

  test('stops the run whose label was taken off', async () => {
    expect(await ended(scene, REPO, withdrawn.issue, 0)).toMatchObject({
      status: 'canceled',
      detail: expect.any(String),
    });
  });

  test('revises what a review sent back, once', async () => {
    expect(await ended(scene, REPO, asked.issue, 1)).toMatchObject({ kind: 'revise', status: 'succeeded' });
    expect(await shapeOf(asked.issue)).toEqual(['work succeeded', 'revise succeeded']);
  });

  test('ends the issues that were closed and merged', async () => {
    for (const { issue } of [closed, merged]) {
      await patiently(`the end of #${issue}`, async () => {
        const shown = await scene.issueOf(REPO, issue);
        return shown?.state === 'closed' && shown.workspace === null;
      });
      expect(await shapeOf(issue)).toEqual(['work succeeded']);
    }
  });

  test('says in Temporal how many were sent again', async () => {
    const results: RedeliveryResult[] = [];
    const query = `WorkflowType = 'redeliverySweep' and ExecutionStatus = 'Completed'`;
    for await (const { workflowId, runId } of client.workflow.list({ query })) {
      results.push((await client.workflow.getHandle(workflowId, runId).result()) as RedeliveryResult);
    }
    expect(results.reduce((sum, { resent }) => sum + resent, 0)).toBeGreaterThanOrEqual(20);
    expect(results.flatMap(({ leftOut }) => leftOut)).toEqual([]);
  });
});

describe('a repository whose webhook is gone', () => {
  beforeAll(async () => {
    await scene.person.octokit.rest.repos.updateWebhook({ ...AT, hook_id: repository.hookId, active: false });
  });

  test('starts a label once, with the worker killed in the middle and two sweeps at once', async () => {
    const schedule = client.schedule.getHandle(SCHEDULES.reconcileSweep);
    await schedule.pause();
    const issue = await openIssue('no webhook tells of it');
    await scene.person.label(REPO, issue, 'run:dev');
    const old = Date.now() + (GRACE_SECONDS + 1) * 1000;
    await patiently('webhooks have had their time', async () => Date.now() > old);
    writeFileSync(join(points, 'reconcileRepositories:after'), '');
    await schedule.trigger(ScheduleOverlapPolicy.ALLOW_ALL);
    await schedule.trigger(ScheduleOverlapPolicy.ALLOW_ALL);
    await patiently('the worker dies', async () => existsSync(join(points, 'reconcileRepositories:after.fired')));
    await schedule.unpause();
    expect(await ended(scene, REPO, issue, 0)).toMatchObject({ status: 'succeeded', triggeredBy: OWNER });
    await sweptTwice();
    expect(await shapeOf(issue)).toEqual(['work succeeded']);
    const kept = await scene.sql`select id from deliveries where issue_key = ${keyOf(issue)}`;
    expect(kept).toEqual([{ id: expect.stringMatching(/^reconcile-\d+$/) }]);
  });

  test('gets its reviews and closes all the same', async () => {
    const issue = await openIssue('no webhook at all');
    await scene.person.label(REPO, issue, 'run:dev');
    const { pullRequest } = await ended(scene, REPO, issue, 0);
    await scene.person.requestChanges(REPO, pullRequest ?? 0, { body: 'Not like this.', comments: [] });
    expect(await ended(scene, REPO, issue, 1)).toMatchObject({ kind: 'revise', status: 'succeeded' });
    await scene.person.octokit.rest.issues.update({ ...AT, issue_number: issue, state: 'closed' });
    await patiently(`the end of #${issue}`, async () => (await scene.issueOf(REPO, issue))?.workspace === null);
    await sweptTwice();
    expect(await shapeOf(issue)).toEqual(['work succeeded', 'revise succeeded']);
  });

  test('stops a run whose label was taken off', async () => {
    const issue = await openIssue('taken off', `wait-for: ${join(home, 'never')}`);
    await scene.person.label(REPO, issue, 'run:dev');
    await patiently('it works', async () => (await scene.runsOf(REPO, issue))[0]?.status === 'working');
    await unlabel(issue);
    expect(await ended(scene, REPO, issue, 0)).toMatchObject({ status: 'canceled' });
  });

  test('and its late delivery starts nothing more', async () => {
    const issue = await openIssue('told of late');
    await scene.person.label(REPO, issue, 'run:dev');
    expect(await ended(scene, REPO, issue, 0)).toMatchObject({ status: 'succeeded' });
    await scene.person.octokit.rest.repos.updateWebhook({ ...AT, hook_id: repository.hookId, active: true });
    const { data } = await scene.person.octokit.rest.issues.get({ ...AT, issue_number: issue });
    const body = JSON.stringify({
      action: 'labeled',
      issue: { ...data, labels: [{ name: 'run:dev' }] },
      label: { name: 'run:dev' },
      repository: { id: repository.id, name: REPO, owner: { login: OWNER } },
      sender: data.user,
    });
    expect(await deliver(scene.stack, { event: 'issues', body })).toMatchObject({ status: 202 });
    await patiently('it is taken in', async () => {
      const [inbox] =
        await scene.sql`select last_seq = signaled_seq as done from inboxes where issue_key = ${keyOf(issue)}`;
      return inbox?.['done'] === true;
    });
    await sweptTwice();
    expect(await shapeOf(issue)).toEqual(['work succeeded']);
  });
});
