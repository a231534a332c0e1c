/**
 * Deliveries that GitHub never sent like this: old ones under a new id, which nobody signs, and those that were overtaken by
 * what happened since. GitHub's own record decides, on the running stack.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunView } from '../../ingress/api/views.ts';
import { OWNER } from '../../src/embedded/accounts.ts';
import type { Receiver } from '../emulators/github/emulator.ts';
import { noopAgentCommand } from '../support/noop-agent.ts';
import { eventually } from '../support/stack.ts';
import { listenTo, signature } from './support/hook-receiver.ts';
import { closeScene, openScene, type BoundRepository, type Scene } from './support/scene.ts';

const REPO = 'semantics';
const AT = { owner: OWNER, repo: REPO };

/** What people are promised: an end within this time, in milliseconds. */
const PROMISED_MS = 30_000;

const flags = mkdtempSync(join(tmpdir(), 'codex-k8s-semantics-'));
let scene: Scene;
let repository: BoundRepository;
let receiver: Receiver;
let issues = 0;

beforeAll(async () => {
  scene = await openScene({ CODEXK8S_AGENT_COMMAND: noopAgentCommand() });
  repository = await scene.bindRepository(REPO);
  receiver = await listenTo(scene, REPO);
});

afterAll(async () => {
  await receiver?.close();
  await closeScene(scene);
  rmSync(flags, { recursive: true, force: true });
});

interface Subject {
  readonly issue: number;
  /** Its agents wait until this file is there. */
  readonly flag: string;
}

async function openIssue(title: string): Promise<Subject> {
  const flag = join(flags, `go-${(issues += 1)}`);
  return { issue: await scene.person.openIssue(REPO, { title, body: `wait-for: ${flag}` }), flag };
}

async function hookIs(state: 'on' | 'off'): Promise<void> {
  await scene.person.octokit.rest.repos.updateWebhook({ ...AT, hook_id: repository.hookId, active: state === 'on' });
}

/** What GitHub sent about an issue, or about the pull request of its branch, oldest first. */
function sentAbout(name: string, issue: number): string[] {
  return receiver
    .named(name)
    .filter(({ body }) => body.issue?.number === issue || body.pull_request?.head.ref === `codex/issue-${issue}`)
    .map(({ raw }) => raw);
}

async function sent(name: string, issue: number, place = 0): Promise<string> {
  return eventually(`${name} ${place} of #${issue}`, () => sentAbout(name, issue)[place]);
}

/** Sends a body as GitHub signed it, under an id of its own; gives the id. */
async function replay(event: string, body: string): Promise<string> {
  const id = randomUUID();
  const answer = await fetch(`${scene.stack.ready.url}/api/v1/webhooks/github`, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      'x-github-event': event,
      'x-github-delivery': id,
      'x-hub-signature-256': signature(scene.stack.ready.webhookSecret, body),
    },
  });
  expect(answer.status).toBeLessThan(300);
  return id;
}

/** The events that a delivery led to, by type, with their reasons. */
async function outcomeOf(delivery: string, type: string): Promise<Record<string, unknown>> {
  return eventually(`${type} after ${delivery}`, async () => {
    const [row] = await scene.sql`
      select payload from flow_events where correlation_id = ${delivery} and type = ${type}`;
    return row?.['payload'] as Record<string, unknown> | undefined;
  });
}

const labelOn = ({ issue }: Subject): Promise<void> => scene.person.label(REPO, issue, 'run:dev');

async function labelOff({ issue }: Subject): Promise<void> {
  await scene.person.octokit.rest.issues.removeLabel({ ...AT, issue_number: issue, name: 'run:dev' });
}

/** The issue's run of this place, once its agent works. */
async function atWork({ issue }: Subject, place = 0): Promise<RunView> {
  return eventually(`run ${place} of #${issue} at work`, async () => {
    const run = (await scene.runsOf(REPO, issue))[place];
    return run?.status === 'working' && run;
  });
}

/** An issue with a pull request, and a review that has its agent at work again. */
async function revising(title: string): Promise<Subject & { pull: number; run: RunView }> {
  const subject = await openIssue(title);
  writeFileSync(subject.flag, '');
  await labelOn(subject);
  const work = await scene.ended(REPO, subject.issue);
  expect(work.status).toBe('succeeded');
  rmSync(subject.flag);
  const pull = work.pullRequest ?? 0;
  await scene.person.requestChanges(REPO, pull, { body: 'In other words, please.', comments: [] });
  return { ...subject, pull, run: await atWork(subject, 1) };
}

async function headOf(issue: number): Promise<string> {
  const { data } = await scene.person.octokit.rest.repos.getBranch({ ...AT, branch: `codex/issue-${issue}` });
  return data.commit.sha;
}

describe('T11: a click on the label that is replayed under a new delivery id', () => {
  test('T11: starts no run when the label is off by now', async () => {
    const subject = await openIssue('Replayed with the label off');
    await hookIs('off');
    await labelOn(subject);
    const click = await sent('issues.labeled', subject.issue);
    await labelOff(subject);
    await hookIs('on');
    const delivery = await replay('issues', click);
    expect(await outcomeOf(delivery, 'run.not_started')).toMatchObject({ reason: 'label_absent' });
    expect(await scene.runsOf(REPO, subject.issue)).toEqual([]);
  });

  test('T11: does nothing while its run works, and nothing when that has finished', async () => {
    const subject = await openIssue('Replayed at work and after');
    await labelOn(subject);
    const run = await atWork(subject);
    const click = await sent('issues.labeled', subject.issue);
    await outcomeOf(await replay('issues', click), 'trigger.duplicate');
    expect(await scene.issueOf(REPO, subject.issue)).toMatchObject({ activeRunId: run.id, queued: 0 });
    writeFileSync(subject.flag, '');
    await scene.ended(REPO, subject.issue);
    const late = await replay('issues', click);
    await eventually('the late one is judged', async () => {
      const events = await scene.sql`
        select type from flow_events where correlation_id = ${late} and type in ('trigger.duplicate', 'run.not_started')`;
      return events.length === 1;
    });
    expect(await scene.runsOf(REPO, subject.issue)).toHaveLength(1);
    expect(await scene.pullRequestsOf(REPO, subject.issue)).toHaveLength(1);
  });
});

describe('T15: a label that was taken off', () => {
  test('T15: and put on again is not ended by the old delivery of its removal', async () => {
    const subject = await openIssue('Removal replayed');
    await labelOn(subject);
    await atWork(subject);
    await labelOff(subject);
    expect(await scene.ended(REPO, subject.issue)).toMatchObject({ status: 'canceled', triggeredBy: OWNER });
    await labelOn(subject);
    const second = await atWork(subject, 1);
    const delivery = await replay('issues', await sent('issues.unlabeled', subject.issue));
    await outcomeOf(delivery, 'trigger.removal_stale');
    expect(await scene.run(second.id)).toMatchObject({ status: 'working' });
    writeFileSync(subject.flag, '');
    expect(await scene.ended(REPO, subject.issue, 1)).toMatchObject({ status: 'succeeded' });
  });

  test('T15: by the platform at the end of a run ends no run that is asked for right after', async () => {
    const subject = await openIssue("The platform's own removal");
    writeFileSync(subject.flag, '');
    await labelOn(subject);
    await scene.ended(REPO, subject.issue);
    const removal = await sent('issues.unlabeled', subject.issue);
    rmSync(subject.flag);
    await labelOn(subject);
    const second = await atWork(subject, 1);
    const delivery = await replay('issues', removal);
    const [row] = await scene.sql`select status, reason from deliveries where id = ${delivery}`;
    expect(row).toMatchObject({ status: 'ignored' });
    expect(await scene.sql`select seq from issue_facts where delivery_id = ${delivery}`).toEqual([]);
    expect(await scene.run(second.id)).toMatchObject({ status: 'working' });
    writeFileSync(subject.flag, '');
    await scene.ended(REPO, subject.issue, 1);
  });
});

describe('T18: the pull request while a run works', () => {
  test('T18: closed unmerged ends the run in time, and leaves the branch and the pull request as they are', async () => {
    const { issue, pull, run } = await revising('Closed unmerged');
    const head = await headOf(issue);
    const since = performance.now();
    await scene.person.octokit.rest.pulls.update({ ...AT, pull_number: pull, state: 'closed' });
    const canceled = await scene.ended(REPO, issue, 1);
    expect(performance.now() - since).toBeLessThan(PROMISED_MS);
    expect(canceled).toMatchObject({ id: run.id, status: 'canceled', failure: null });
    expect(canceled.detail).toBe(`${OWNER}: pull request #${pull} was closed`);
    expect(await headOf(issue)).toBe(head);
    const pulls = await scene.pullRequestsOf(REPO, issue);
    expect(pulls.map(({ number, state }) => [number, state])).toEqual([[pull, 'closed']]);
  });

  test('T18: reopened since is not taken for closed when the close is replayed', async () => {
    const subject = await revising('Close replayed');
    const { issue, pull } = subject;
    await scene.person.octokit.rest.pulls.update({ ...AT, pull_number: pull, state: 'closed' });
    await scene.ended(REPO, issue, 1);
    await scene.person.octokit.rest.pulls.update({ ...AT, pull_number: pull, state: 'open' });
    await scene.person.requestChanges(REPO, pull, { body: 'Once more.', comments: [] });
    const again = await atWork(subject, 2);
    const delivery = await replay('pull_request', await sent('pull_request.closed', issue));
    await outcomeOf(delivery, 'pull_request.close_stale');
    expect(await scene.run(again.id)).toMatchObject({ status: 'working' });
    writeFileSync(subject.flag, '');
    expect(await scene.ended(REPO, issue, 2)).toMatchObject({ status: 'succeeded', pullRequest: pull });
  });

  test('T18: merged ends the run as succeeded, and its workspace is removed', async () => {
    const { issue, pull, run } = await revising('Merged meanwhile');
    const directory = join(scene.stack.directory, 'workspaces', run.workspace ?? '');
    const since = performance.now();
    await scene.person.approveAndMerge(REPO, pull);
    const merged = await scene.ended(REPO, issue, 1);
    expect(performance.now() - since).toBeLessThan(PROMISED_MS);
    expect(merged).toMatchObject({ status: 'succeeded', failure: null, pullRequest: pull });
    await eventually('the workspace is removed', () => !existsSync(directory));
    expect(await scene.pullRequestsOf(REPO, issue)).toHaveLength(1);
    await eventually('the comment says so', async () =>
      (await scene.commentsOn(REPO, pull)).some(({ body }) => body.includes(`${OWNER} merged #${pull} meanwhile`)),
    );
  });
});

describe('T19: a review that asks for changes', () => {
  async function reviewed(title: string): Promise<Subject & { pull: number }> {
    const subject = await openIssue(title);
    writeFileSync(subject.flag, '');
    await labelOn(subject);
    const { pullRequest } = await scene.ended(REPO, subject.issue);
    return { ...subject, pull: pullRequest ?? 0 };
  }

  test('T19: on an old commit starts no revise, and the reviewer is told', async () => {
    const { issue, pull } = await reviewed('Reviewed too late');
    const [old] = (await scene.person.octokit.rest.pulls.listCommits({ ...AT, pull_number: pull })).data;
    await scene.person.requestChanges(REPO, pull, { body: 'First.', comments: [] });
    expect(await scene.ended(REPO, issue, 1)).toMatchObject({ status: 'succeeded' });
    await scene.person.octokit.rest.pulls.createReview({
      ...AT,
      pull_number: pull,
      commit_id: old?.sha ?? '',
      event: 'REQUEST_CHANGES',
      body: 'I began to read before that.',
    });
    const told = await eventually('the reviewer is told', async () =>
      (await scene.commentsOn(REPO, pull)).find(({ body }) => body.includes('review_outdated')),
    );
    expect(told.body).toContain(`@${OWNER}`);
    const stale = await eventually('it is recorded', async () => {
      const [row] = await scene.sql`
        select payload from flow_events where type = 'review.stale' and chain = ${`issue:${repository.id}#${issue}`}`;
      return row;
    });
    expect(stale).toMatchObject({ payload: { reason: 'review_outdated' } });
    expect(await scene.runsOf(REPO, issue)).toHaveLength(2);
  });

  test('T19: that was dismissed before the platform heard of it starts no revise', async () => {
    const { issue, pull } = await reviewed('Dismissed');
    await hookIs('off');
    await scene.person.requestChanges(REPO, pull, { body: 'Change this.', comments: [] });
    const { data } = await scene.person.octokit.rest.pulls.listReviews({ ...AT, pull_number: pull });
    await scene.person.octokit.rest.pulls.dismissReview({
      ...AT,
      pull_number: pull,
      review_id: data.at(-1)?.id ?? 0,
      message: 'A mistake.',
    });
    await hookIs('on');
    const delivery = await replay('pull_request_review', await sent('pull_request_review.submitted', issue));
    expect(await outcomeOf(delivery, 'review.stale')).toMatchObject({ reason: 'review_dismissed' });
    expect(await scene.runsOf(REPO, issue)).toHaveLength(1);
  });

  test('T19: of an earlier life of the issue starts no revise when it is replayed after the reopening', async () => {
    const { issue, pull } = await reviewed('Reopened');
    await scene.person.requestChanges(REPO, pull, { body: 'Change this.', comments: [] });
    await scene.ended(REPO, issue, 1);
    const review = await sent('pull_request_review.submitted', issue);
    // GitHub's times have seconds: what follows is to be later by its clock, too.
    await new Promise((resolve) => {
      setTimeout(resolve, 1100);
    });
    await scene.person.octokit.rest.issues.update({ ...AT, issue_number: issue, state: 'closed' });
    // A reopening that comes before the end is one more fact of the same life, in which the review is known.
    expect(await scene.closedAs(`issue:${repository.id}#${issue}`)).toBe('COMPLETED');
    await scene.person.octokit.rest.issues.update({ ...AT, issue_number: issue, state: 'open' });
    const delivery = await replay('pull_request_review', review);
    expect(await outcomeOf(delivery, 'review.stale')).toMatchObject({ reason: 'review_of_earlier_life' });
    expect((await scene.commentsOn(REPO, pull)).filter(({ body }) => body.includes('refusal'))).toEqual([]);
    expect(await scene.runsOf(REPO, issue)).toHaveLength(2);
  });
});

describe('T25: who may not', () => {
  test("T25: the platform's own account starts no run with a label, and nobody is told", async () => {
    const subject = await openIssue('By the platform itself');
    await hookIs('off');
    await labelOn(subject);
    const click = JSON.parse(await sent('issues.labeled', subject.issue)) as Record<string, unknown>;
    await labelOff(subject);
    await hookIs('on');
    const { data: bot } = await scene.person.octokit.rest.users.getByUsername({ username: 'codex-k8s[bot]' });
    const senders = [
      { id: bot.id, login: bot.login, type: bot.type },
      // The login of somebody who may, under another account's id: logins can be given up and taken by others.
      { id: bot.id, login: OWNER, type: 'User' },
      { id: 424_242, login: 'another-app[bot]', type: 'Bot' },
    ];
    for (const sender of senders) {
      const delivery = await replay('issues', JSON.stringify({ ...click, sender }));
      const [row] = await scene.sql`select status from deliveries where id = ${delivery}`;
      expect(row).toMatchObject({ status: 'ignored' });
      expect(await scene.sql`select seq from issue_facts where delivery_id = ${delivery}`).toEqual([]);
    }
    expect(await scene.commentsOn(REPO, subject.issue)).toEqual([]);
    expect(await scene.runsOf(REPO, subject.issue)).toEqual([]);
  });
});

describe('T21: a repository that is archived while its agents work', () => {
  const archive = (archived: boolean) => scene.person.octokit.rest.repos.update({ ...AT, archived });

  test('T21: loses its runs and workspaces within the time that people are promised', async () => {
    const subjects = [await openIssue('One of two'), await openIssue('The other')];
    for (const subject of subjects) await labelOn(subject);
    const runs = await Promise.all(subjects.map((subject) => atWork(subject)));
    const since = performance.now();
    await archive(true);
    try {
      for (const [index, { issue }] of subjects.entries()) {
        await eventually(`#${issue} is over`, async () => {
          const shown = await scene.issueOf(REPO, issue);
          return shown?.state === 'closed' && shown.workspace === null;
        });
        const run = await scene.run(runs[index]?.id ?? '');
        expect([run.status, run.detail]).toEqual(['canceled', expect.stringContaining('the repository was archived')]);
      }
      expect(performance.now() - since).toBeLessThan(PROMISED_MS);
    } finally {
      await archive(false);
    }
  });

  test('T21: begins anew with a label, when it can be worked in again', async () => {
    const subject = await openIssue('Once more');
    await labelOn(subject);
    await atWork(subject);
    await archive(true);
    await scene.ended(REPO, subject.issue);
    await archive(false);
    writeFileSync(subject.flag, '');
    await labelOff(subject);
    await labelOn(subject);
    expect(await scene.ended(REPO, subject.issue, 1)).toMatchObject({ status: 'succeeded' });
  });
});
