/** The main job, from the label to the merge, as the demo tells it: what is on the wire and in the tables at each step. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunView } from '../../ingress/api/views.ts';
import { BOT, OWNER } from '../../src/embedded/accounts.ts';
import { eventHash } from '../../src/store/audit/events.ts';
import { DEMO_ISSUE, DEMO_REVIEW, demoRepositoryFiles } from '../../src/emulators/demo-repository.ts';
import type { Receiver } from '../emulators/github/emulator.ts';
import { eventually } from '../support/stack.ts';
import { historyOfComment, listenTo } from './support/hook-receiver.ts';
import { closeScene, marked, openScene, type BoundRepository, type Scene } from './support/scene.ts';

const REPO = 'tally';
const AT = { owner: OWNER, repo: REPO };

let scene: Scene;
let receiver: Receiver;
let repository: BoundRepository;
let issue: number;
let unknownIssue: number;
let work: RunView;
let revise: RunView;
let pullRequest: number;
let firstHead: string;
let issueKey: string;

beforeAll(async () => {
  // The program as it is shipped.
  scene = await openScene({}, { limits: 'production' });
  const { person } = scene;
  repository = await scene.bindRepository(REPO, demoRepositoryFiles());
  receiver = await listenTo(scene, REPO);
  issue = await person.openIssue(REPO, DEMO_ISSUE);
  unknownIssue = await person.openIssue(REPO, { title: 'Paint it blue', body: 'All of it.' });
  await person.label(REPO, issue, 'run:dev');
  await person.label(REPO, unknownIssue, 'run:dev');
  work = await scene.ended(REPO, issue);
  pullRequest = work.pullRequest ?? 0;
  firstHead = (await person.pullRequest(REPO, pullRequest)).head.sha;
  issueKey = work.issueKey;
});

afterAll(async () => {
  await receiver?.close();
  await closeScene(scene);
});

async function statusCommentsOf(runId: string, number: number) {
  return (await scene.commentsOn(REPO, number)).filter(({ body }) => body.includes(marked(runId)));
}

/** The second line of text of a status comment says how the run stands. */
function headline(body: string): string {
  return (body.split('\n\n')[2] ?? '').replace(/ \[Details\].*$/, '');
}

describe('a label on an issue', () => {
  test('is answered with eyes by the bot, once', async () => {
    const { data } = await scene.person.octokit.rest.reactions.listForIssue({ ...AT, issue_number: issue });
    expect(data.map(({ content, user }) => [content, user?.login])).toEqual([['eyes', BOT]]);
  });

  test('starts one run for the very label event that GitHub recorded', async () => {
    const { data } = await scene.person.octokit.rest.issues.listEvents({ ...AT, issue_number: issue });
    const labeled = data.filter(({ event, actor }) => event === 'labeled' && actor?.login === OWNER);
    expect(labeled).toHaveLength(1);
    const runs = await scene.runsOf(REPO, issue);
    expect(runs).toEqual([
      expect.objectContaining({
        status: 'succeeded',
        stage: 'dev',
        kind: 'work',
        trigger: `label:${labeled[0]?.id}`,
        triggeredBy: OWNER,
        branch: `codex/issue-${issue}`,
      }),
    ]);
  });

  test('has one status comment by the bot, which begins with the marker of the run', async () => {
    const comments = await scene.commentsOn(REPO, issue);
    expect(comments.map(({ author, body }) => [author, body.split('\n')[0]])).toEqual([[BOT, marked(work.id)]]);
  });

  test('has its status comment written once and edited through the phases of the run', async () => {
    const done = `Done. The work is in #${pullRequest} and waits for your review.`;
    const history = await eventually('the last edit of the comment', () => {
      const told = historyOfComment(receiver, marked(work.id));
      return headline(told.at(-1)?.body ?? '') === done && told;
    });
    expect(history.map(({ action }) => action)).toEqual(['created', ...history.slice(1).map(() => 'edited')]);
    // What lasts for less than two seconds is not written.
    const headlines = history.map(({ body }) => headline(body)).filter((text) => text !== 'The agent is working.');
    expect(headlines).toEqual(['Preparing the workspace.', done]);
    const timeline = [...(history.at(-1)?.body ?? '').matchAll(/^- ✅ (.*) · /gm)].map(([, step]) => step);
    expect(timeline).toEqual([
      'Requested',
      'Preparing the workspace',
      'Agent working',
      'Publishing the work',
      'Finished',
    ]);
  });

  test('is taken off, and state:in-review is set on the issue and on the pull request', async () => {
    await scene.expectLabels(REPO, issue, ['state:in-review']);
    await scene.expectLabels(REPO, pullRequest, ['state:in-review']);
  });

  test("leads to one pull request by the bot, from the issue's branch into main, which closes the issue", async () => {
    const pulls = await scene.pullRequestsOf(REPO, issue);
    expect(pulls).toHaveLength(1);
    const [pull] = pulls;
    expect(pull).toMatchObject({ number: pullRequest, state: 'open', user: { login: BOT }, base: { ref: 'main' } });
    expect(pull?.body?.split('\n')).toContain(`Closes #${issue}`);
  });

  test("has the program's own tests run by the agent, and shows it line by line in the log", async () => {
    const lines = await scene.log(work.id);
    expect(lines.map(({ n }) => n)).toEqual(lines.map((_, index) => index));
    const ran = lines.findIndex(({ kind, text }) => kind === 'command' && /npm test|node --test/.test(text));
    expect(ran).toBeGreaterThan(-1);
    expect(lines.slice(ran).some(({ kind, text }) => kind === 'output' && /pass \d+/.test(text))).toBe(true);
  });

  test('leaves a workspace on this machine that waits for the review', async () => {
    const shown = await scene.issueOf(REPO, issue);
    expect(shown).toMatchObject({ state: 'waiting', waitingFor: 'review', activeRunId: null });
    expect(existsSync(join(scene.stack.directory, 'workspaces', shown?.workspace ?? '-'))).toBe(true);
  });

  test('on an issue that the script does not know leads to a note with the title of the issue', async () => {
    const run = await scene.ended(REPO, unknownIssue);
    expect(run).toMatchObject({ status: 'succeeded', branch: `codex/issue-${unknownIssue}` });
    const { data } = await scene.person.octokit.rest.pulls.listFiles({ ...AT, pull_number: run.pullRequest ?? 0 });
    expect(data.map(({ filename, status }) => [filename, status])).toEqual([
      [`notes/issue-${unknownIssue}.md`, 'added'],
    ]);
    expect(data[0]?.patch).toContain('+# Paint it blue');
  });
});

describe('a review that asks for changes', () => {
  beforeAll(async () => {
    await scene.person.requestChanges(REPO, pullRequest, DEMO_REVIEW);
    revise = await scene.ended(REPO, issue, 1);
  });

  test('starts run:dev:revise by itself, for that review', async () => {
    const { data } = await scene.person.octokit.rest.pulls.listReviews({ ...AT, pull_number: pullRequest });
    const reviews = data.filter(({ state }) => state === 'CHANGES_REQUESTED');
    expect(reviews).toHaveLength(1);
    expect(revise).toMatchObject({ status: 'succeeded', kind: 'revise', trigger: `review:${reviews[0]?.id}` });
    expect(await scene.runsOf(REPO, issue)).toHaveLength(2);
  });

  test('is worked in by the same conversation', () => {
    expect(work.threadId).toMatch(/^[0-9a-f-]{36}$/);
    expect(revise.threadId).toBe(work.threadId);
  });

  test('adds commits to the same branch of the same pull request', async () => {
    expect(revise).toMatchObject({ pullRequest, branch: work.branch });
    expect(await scene.pullRequestsOf(REPO, issue)).toHaveLength(1);
    const { data } = await scene.person.octokit.rest.pulls.listCommits({ ...AT, pull_number: pullRequest });
    const commits = data.map(({ sha }) => sha);
    expect(commits.indexOf(firstHead)).toBeGreaterThan(-1);
    expect(commits.length).toBeGreaterThan(commits.indexOf(firstHead) + 1);
    expect((await scene.person.pullRequest(REPO, pullRequest)).head.sha).toBe(commits.at(-1));
  });

  test('has each of its comments answered exactly once, by the bot', async () => {
    const { data } = await scene.person.octokit.rest.pulls.listReviewComments({ ...AT, pull_number: pullRequest });
    const asked = data.filter(({ in_reply_to_id: parent }) => !parent);
    expect(asked.map(({ body }) => body).toSorted()).toEqual(DEMO_REVIEW.comments.map(({ body }) => body).toSorted());
    const answers = data.filter(({ in_reply_to_id: parent }) => parent);
    expect(answers).toHaveLength(asked.length);
    expect(new Set(answers.map(({ in_reply_to_id: parent }) => parent))).toEqual(new Set(asked.map(({ id }) => id)));
    expect(new Set(answers.map(({ user }) => user.login))).toEqual(new Set([BOT]));
  });

  test('has its one status comment on the pull request, and none on the issue', async () => {
    expect(await statusCommentsOf(revise.id, pullRequest)).toHaveLength(1);
    expect(await statusCommentsOf(revise.id, issue)).toHaveLength(0);
    expect(await statusCommentsOf(work.id, issue)).toHaveLength(1);
    const history = await eventually('GitHub tells of the comment', () => {
      const told = historyOfComment(receiver, marked(revise.id));
      return told.at(-1)?.body.includes('Done.') && told;
    });
    expect(history.filter(({ action }) => action === 'created')).toHaveLength(1);
    expect(history.every(({ on }) => on === pullRequest)).toBe(true);
  });
});

describe('an approved and merged pull request', () => {
  beforeAll(async () => {
    await scene.person.approveAndMerge(REPO, pullRequest);
  });

  test('closes the issue', async () => {
    await eventually('the issue is closed', async () => !(await scene.person.isOpen(REPO, issue)));
  });

  test('has the workspace removed from this machine and from the issue', async () => {
    const shown = await eventually('the workspace is given back', async () => {
      const now = await scene.issueOf(REPO, issue);
      return now?.state === 'closed' && now.workspace === null && now;
    });
    expect(shown.activeRunId).toBeNull();
    const left = readdirSync(join(scene.stack.directory, 'workspaces'));
    expect(left.filter((name) => name.endsWith(`-i${issue}`) || name.includes('.removing'))).toEqual([]);
    expect(left).toHaveLength(1); // of the issue that is still open
  });

  test.each([
    ['work', () => work.id],
    ['revise', () => revise.id],
  ])('has the status comment of the %s run say that its workspace was removed', async (_, runOf) => {
    await eventually('the end of the workspace is told', () => {
      const text = historyOfComment(receiver, marked(runOf())).at(-1)?.body ?? '';
      return /^\| Workspace removed \| \d{4}-.* UTC, the issue was closed \|$/m.test(text);
    });
  });

  test("ends the issue's workflow", async () => {
    expect(await scene.closedAs(issueKey)).toBe('COMPLETED');
  });
});

describe('the audit trail', () => {
  async function chain(key: string) {
    return scene.sql`select * from flow_events where chain = ${key} order by seq`;
  }

  test.each(['issue', 'platform'])('of the %s is an unbroken chain of hashes', async (of) => {
    const events = await chain(of === 'issue' ? issueKey : 'platform');
    expect(events.length).toBeGreaterThan(2);
    let previous = '0'.repeat(64);
    for (const [index, row] of events.entries()) {
      expect(row['seq']).toBe(index + 1);
      expect(row['previous_hash']).toBe(previous);
      const event = {
        id: row['id'],
        chain: row['chain'],
        type: row['type'],
        actorType: row['actor_type'],
        actorId: row['actor_id'],
        runId: row['run_id'],
        correlationId: row['correlation_id'],
        payload: row['payload'],
        occurredAt: row['occurred_at'].toISOString(),
      };
      expect(row['hash']).toBe(eventHash(previous, index + 1, event));
      previous = row['hash'];
    }
  });

  test('tells the life of the issue in its order', async () => {
    const milestones = [
      'run.requested',
      'run.agent.started',
      'run.pr.created',
      'run.succeeded',
      'run.revise.stage_resolved',
      'run.requested',
      'run.agent.started',
      'run.pr.updated',
      'run.succeeded',
      'pull_request.merged',
      'run.namespace.cleaned',
    ];
    const types = (await chain(issueKey)).map((row) => String(row['type']));
    expect(types.filter((type) => milestones.includes(type))).toEqual(milestones);
  });
});

describe('every delivery of the repository sent once more', () => {
  const hook = () => ({ ...AT, hook_id: repository.hookId });

  async function deliveries() {
    return scene.person.octokit.paginate(scene.person.octokit.rest.repos.listWebhookDeliveries, {
      ...hook(),
      per_page: 100,
    });
  }

  async function all() {
    const { sql } = scene;
    return {
      runs: await sql`select * from runs order by id`,
      issues: await sql`select * from issues order by key`,
      events: await sql`select id, hash from flow_events order by chain, seq`,
      facts: await sql`select issue_key, seq from issue_facts order by 1, 2`,
      inboxes: await sql`select issue_key, last_seq, signaled_seq from inboxes order by 1`,
      comments: [
        await scene.commentsOn(REPO, issue),
        await scene.commentsOn(REPO, unknownIssue),
        await scene.commentsOn(REPO, pullRequest),
      ],
      answers: await scene.person.answers(REPO, pullRequest),
      labels: await scene.person.labels(REPO, unknownIssue),
    };
  }

  test('is answered as a duplicate and changes nothing', async () => {
    const sent = await eventually('everything is written, told and handed over', async () => {
      // In this order: what is written on GitHub last makes one more delivery.
      const [unwritten] = await scene.sql`
        select count(*)::int as n from status_comments
        where written_revision is distinct from revision or claimed_until > clock_timestamp()`;
      const now = await deliveries();
      const [waiting] = await scene.sql`select count(*)::int as n from inboxes where last_seq > signaled_seq`;
      const [known] = await scene.sql`select count(*)::int as n from deliveries`;
      return unwritten?.['n'] === 0 && waiting?.['n'] === 0 && known?.['n'] === now.length && now;
    });
    expect(sent.length).toBeGreaterThan(15);
    const before = await all();

    for (const { id } of sent)
      await scene.person.octokit.rest.repos.redeliverWebhookDelivery({ ...hook(), delivery_id: id });
    const again = await eventually('all deliveries have arrived again', async () => {
      const now = (await deliveries()).filter(({ redelivery }) => redelivery);
      return now.length === sent.length && now;
    });
    expect(again.map(({ guid }) => guid).toSorted()).toEqual(sent.map(({ guid }) => guid).toSorted());
    expect(new Set(again.map(({ status_code: code }) => code))).toEqual(new Set([200]));

    const repeats = await scene.sql`
      select distinct repeats from deliveries where id = any(${sent.map(({ guid }) => guid)})`;
    expect(repeats.map((row) => row['repeats'])).toEqual([1]);
    expect(await all()).toEqual(before);
  });
});
