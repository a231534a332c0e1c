/** `POST /api/v1/webhooks/github` on the running stack: its answers, and what comes of a delivery while something is away. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OWNER } from '../../src/embedded/accounts.ts';
import type { Receiver } from '../emulators/github/emulator.ts';
import { eventually, whileFrozen } from '../support/stack.ts';
import { listenTo, signature } from './support/hook-receiver.ts';
import { closeScene, openScene, type BoundRepository, type Scene } from './support/scene.ts';

const REPO = 'intake';
const AT = { owner: OWNER, repo: REPO };

/** So long GitHub waits for an answer. The 5 s that are promised hold on a machine that is not busy. */
const LISTENS_SECONDS = 10;

const flags = mkdtempSync(join(tmpdir(), 'codex-k8s-e2e-flags-'));

let scene: Scene;
let repository: BoundRepository;
let receiver: Receiver;
let endpoint: string;
let secret: string;

beforeAll(async () => {
  scene = await openScene();
  endpoint = `${scene.stack.ready.url}/api/v1/webhooks/github`;
  secret = scene.stack.ready.webhookSecret;
  repository = await scene.bindRepository(REPO);
  receiver = await listenTo(scene, REPO);
  await hookIs('off');
});

afterAll(async () => {
  await receiver?.close();
  await closeScene(scene);
  rmSync(flags, { recursive: true, force: true });
});

/** While it is off, the tests hand over themselves what GitHub would have sent. */
async function hookIs(state: 'on' | 'off'): Promise<void> {
  await scene.person.octokit.rest.repos.updateWebhook({ ...AT, hook_id: repository.hookId, active: state === 'on' });
}

interface Delivery {
  readonly event: string;
  readonly body: string;
  readonly delivery?: string;
  readonly headers?: Record<string, string | undefined>;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
  readonly seconds: number;
}

/** Posts a delivery, signed; `headers` are put over the usual ones, undefined ones are left out. */
async function deliver({ event, body, delivery = randomUUID(), headers = {} }: Delivery): Promise<Answer> {
  const all = {
    'content-type': 'application/json',
    'x-github-delivery': delivery,
    'x-github-event': event,
    'x-hub-signature-256': signature(secret, body),
    ...headers,
  };
  const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const since = performance.now();
  const response = await fetch(endpoint, { method: 'POST', headers: given, body });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: JSON.parse(text) as Answer['body'],
    seconds: (performance.now() - since) / 1000,
  };
}

/** Posts bodies of these sizes one after the other, on one connection as long as the server keeps it. */
async function onOneConnection(sizes: readonly number[]): Promise<{ status: number; body: unknown }[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const answers: { status: number; body: unknown }[] = [];
  try {
    for (const size of sizes) {
      const headers = {
        'content-type': 'application/json',
        'x-github-delivery': randomUUID(),
        'x-github-event': 'ping',
      };
      const sent = request(endpoint, { method: 'POST', agent, headers: { ...headers, 'content-length': size } });
      sent.end(Buffer.alloc(size, ' '));
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      answers.push({ status: response.statusCode ?? 0, body: await json(response) });
    }
    return answers;
  } finally {
    agent.destroy();
  }
}

async function openIssue(title: string): Promise<number> {
  return scene.person.openIssue(REPO, { title, body: '' });
}

/** The raw deliveries of an issue's label events, as GitHub sent them to the tests. */
function labelDeliveries(issue: number, action: 'labeled' | 'unlabeled' = 'labeled') {
  return receiver.named(`issues.${action}`).filter(({ body }) => body.issue.number === issue);
}

/** The body that GitHub sends for a label that is put on an issue now. */
async function labeled(issue: number, label = 'run:dev'): Promise<string> {
  const before = labelDeliveries(issue).length;
  await scene.person.label(REPO, issue, label);
  return (await eventually('GitHub tells of the label', () => labelDeliveries(issue)[before])).raw;
}

/** A delivery like GitHub's, with something else in it. */
function altered(raw: string, change: Record<string, unknown>): string {
  return JSON.stringify({ ...(JSON.parse(raw) as object), ...change });
}

async function countRuns(issue: number): Promise<number> {
  const [row] = await scene.sql`
    select count(*)::int as n from runs where repository_id = ${repository.id} and issue_number = ${issue}`;
  return row?.['n'] ?? 0;
}

/** Waits until an issue's workflow has taken in all that was accepted, and acted on it. */
async function settled(issue: number): Promise<void> {
  const key = `issue:${repository.id}#${issue}`;
  await eventually(`${key} has nothing left to do`, async () => {
    const [inbox] = await scene.sql`select last_seq, signaled_seq from inboxes where issue_key = ${key}`;
    const shown = await scene.issueOf(REPO, issue);
    return inbox?.['last_seq'] === inbox?.['signaled_seq'] && shown?.activeRunId === null && shown.queued === 0;
  });
}

describe('a trigger label', () => {
  let issue: number;
  let raw: string;
  let first: Answer;
  const delivery = randomUUID();

  beforeAll(async () => {
    issue = await openIssue('A trigger');
    raw = await labeled(issue);
    first = await deliver({ event: 'issues', body: raw, delivery });
  });

  test('is accepted with 202, its correlation id, the id of its run and a reason', () => {
    expect(first.status).toBe(202);
    expect(first.body).toEqual({
      correlation_id: delivery,
      run_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      status: 'accepted',
      duplicate: false,
      reason: 'platform_owner',
    });
  });

  test('starts the run whose id the answer named', async () => {
    const run = await scene.ended(REPO, issue);
    expect(run).toMatchObject({ id: first.body['run_id'], status: 'succeeded', correlationId: delivery });
  });

  test('T10: delivered again is answered 200 as a duplicate, with the same run', async () => {
    const again = await deliver({ event: 'issues', body: raw, delivery });
    expect(again.status).toBe(200);
    expect(again.body).toEqual({ ...first.body, status: 'duplicate', duplicate: true });
  });

  test('T11: delivered again under another delivery id, which nobody signs, starts no second run', async () => {
    await scene.ended(REPO, issue);
    const again = await deliver({ event: 'issues', body: raw });
    expect(again.status).toBe(202);
    await eventually('the copy is judged', async () => {
      const events = await scene.sql`
        select payload from flow_events
        where correlation_id = ${String(again.body['correlation_id'])} and type in ('trigger.duplicate', 'run.not_started')`;
      return events.length === 1;
    });
    expect(await countRuns(issue)).toBe(1);
    expect(await scene.commentsOn(REPO, issue)).toHaveLength(1);
  });
});

describe('a delivery that is not for us', () => {
  let raw: string;
  let issue: number;

  beforeAll(async () => {
    issue = await openIssue('Ignored');
    raw = await labeled(issue);
  });

  const stranger = { id: 424_242, login: 'stranger', type: 'User' };

  test.each([
    ['another label', 'issue_event_not_trigger_label', { label: { name: 'bug' } }],
    [
      'an unbound repository',
      'repository_not_bound_for_issue_label',
      { repository: { id: 999_999, name: 'elsewhere', owner: { login: OWNER } } },
    ],
    ['a sender nobody knows', 'sender_not_allowed', { sender: stranger }],
    ['a bot', 'sender_type_bot_not_permitted', { sender: { id: 2, login: 'some[bot]', type: 'Bot' } }],
    ['a sender without a name', 'sender_login_missing', { sender: null }],
  ])('T25: for %s is ignored with 200 and the reason %s, without a word on the issue', async (_, reason, change) => {
    const answer = await deliver({ event: 'issues', body: altered(raw, change) });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      correlation_id: expect.any(String),
      status: 'ignored',
      duplicate: false,
      reason,
    });
    expect(await scene.commentsOn(REPO, issue)).toEqual([]);
    expect(await countRuns(issue)).toBe(0);
  });

  test('is a duplicate when it is delivered again, and writes no second event', async () => {
    const body = altered(raw, { sender: stranger });
    const delivery = randomUUID();
    await deliver({ event: 'issues', body, delivery });
    const again = await deliver({ event: 'issues', body, delivery });
    expect([again.status, again.body['status']]).toEqual([200, 'duplicate']);
    expect(again.body['reason']).toBe('sender_not_allowed');
    const events = await scene.sql`select id from flow_events where correlation_id = ${delivery}`;
    expect(events).toHaveLength(1);
  });

  test('because two triggers contradict each other is ignored, and one comment says so', async () => {
    const both = await openIssue('Two triggers');
    await labeled(both, 'run:dev');
    const body = await labeled(both, 'run:qa');
    const delivery = randomUUID();
    const answer = await deliver({ event: 'issues', body, delivery });
    expect([answer.status, answer.body['reason']]).toEqual([200, 'issue_trigger_label_conflict']);
    await deliver({ event: 'issues', body, delivery });
    const comments = await eventually('the person is told', async () => {
      const now = await scene.commentsOn(REPO, both);
      return now.length > 0 && now;
    });
    expect(comments).toHaveLength(1);
    expect(comments[0]?.body).toContain('`run:dev`');
    expect(comments[0]?.body).toContain('`run:qa`');
    expect(await countRuns(both)).toBe(0);
  });
});

describe('a request that is no delivery', () => {
  const body = JSON.stringify({ zen: 'Keep it logically awesome.', hook_id: 1 });
  let kept: number;

  async function countDeliveries(): Promise<number> {
    const [row] = await scene.sql`select count(*)::int as n from deliveries`;
    return row?.['n'] ?? 0;
  }

  beforeAll(async () => {
    kept = await countDeliveries();
  });

  test('T01: without a good signature is answered 401, always in the same words', async () => {
    const good = signature(secret, body);
    const bad = [
      undefined,
      '',
      'sha256=',
      good.slice(0, -1),
      good.replace('sha256=', 'sha1='),
      good.replace('sha256=', ''),
      `${good}0`,
      good.toUpperCase(),
      `sha256=${'0'.repeat(64)}`,
      signature('not the secret of this hook', body),
      signature(secret, `${body} `),
    ];
    const answers = await Promise.all(
      bad.map((value) => deliver({ event: 'ping', body, headers: { 'x-hub-signature-256': value } })),
    );
    const seen = answers.map(({ status, headers, body: envelope }) => ({
      status,
      envelope,
      headers: [...headers].filter(([name]) => name !== 'date'),
    }));
    expect(seen[0]).toMatchObject({ status: 401, envelope: { code: 'unauthorized' } });
    for (const answer of seen) expect(answer).toEqual(seen[0]);
  });

  test.each([
    [
      'without a delivery id',
      { event: 'ping', body, headers: { 'x-github-delivery': undefined } },
      'X-GitHub-Delivery',
    ],
    ['without an event', { event: 'ping', body, headers: { 'x-github-event': undefined } }, 'X-GitHub-Event'],
    ['whose body is no JSON', { event: 'ping', body: '{"zen":' }, 'body'],
    ['whose body is a JSON string', { event: 'issues', body: '"issues"' }, 'X-GitHub-Event'],
    ['whose body is that of another event', { event: 'issues', body }, 'X-GitHub-Event'],
  ])('%s is answered 400, naming what is wrong', async (_, delivery, field) => {
    const answer = await deliver(delivery);
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual({ code: 'invalid_argument', message: expect.any(String), field });
  });

  test.each(['GET', 'PUT', 'DELETE'])('made with %s is answered 405', async (method) => {
    const response = await fetch(endpoint, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
    expect(await response.json()).toMatchObject({ code: 'invalid_argument' });
  });

  test('T03: of more than a mebibyte is answered 413', async () => {
    const [large] = await onOneConnection([1_048_577]);
    expect(large?.status).toBe(413);
    expect(large?.body).toMatchObject({ code: 'invalid_argument', field: 'body' });
  });

  test('of more than a mebibyte spoils no later request on a connection that is kept', async () => {
    const answers = await onOneConnection([1_048_577, 2, 2]);
    expect(answers.map(({ status }) => status)).toEqual([413, 401, 401]);
  });

  test.each(['application/x-www-form-urlencoded', 'text/plain'])('of the type %s is answered 415', async (type) => {
    const answer = await deliver({ event: 'ping', body, headers: { 'content-type': type } });
    expect(answer.status).toBe(415);
    expect(answer.body).toMatchObject({ code: 'invalid_argument', field: 'Content-Type' });
  });

  test('leaves nothing behind', async () => {
    expect(await countDeliveries()).toBe(kept);
  });
});

describe('one click of a person', () => {
  test('T13: delivered by two hooks of the repository is one run', async () => {
    await hookIs('on');
    const { data: second } = await scene.person.octokit.rest.repos.createWebhook({
      ...AT,
      config: { url: `${endpoint}?hook=second`, content_type: 'json', secret },
      events: ['issues'],
    });
    const issue = await openIssue('Two hooks');
    const raw = await labeled(issue);
    // On github.com two hooks (of the repository, of the organization) may also have delivery ids of their own.
    await deliver({ event: 'issues', body: raw });
    const run = await scene.ended(REPO, issue);
    expect(run.status).toBe('succeeded');
    await eventually('both hooks have delivered', async () => {
      const sent = await Promise.all(
        [repository.hookId, second.id].map((hook_id) =>
          scene.person.octokit.rest.repos.listWebhookDeliveries({ ...AT, hook_id, per_page: 100 }),
        ),
      );
      return sent.every(({ data }) => data.filter(({ action }) => action === 'labeled').length > 0);
    });
    await settled(issue);
    await scene.person.octokit.rest.repos.deleteWebhook({ ...AT, hook_id: second.id });
    await hookIs('off');
    expect(await countRuns(issue)).toBe(1);
    const statuses = (await scene.commentsOn(REPO, issue)).filter(({ body }) => body.includes('run-status'));
    expect(statuses).toHaveLength(1);
  });

  test('and another, with the label taken off in between, are two runs', async () => {
    await hookIs('on');
    // The first agent waits, so that its run is not over before the label is off.
    const flag = join(flags, 'twice');
    const issue = await scene.person.openIssue(REPO, { title: 'Twice [script: wait]', body: `wait-for: ${flag}` });
    await scene.person.label(REPO, issue, 'run:dev');
    const first = await scene.started(REPO, issue);
    await scene.person.octokit.rest.issues.removeLabel({ ...AT, issue_number: issue, name: 'run:dev' });
    await scene.person.label(REPO, issue, 'run:dev');
    await scene.ended(REPO, issue);
    writeFileSync(flag, '');
    const second = await scene.ended(REPO, issue, 1);
    await settled(issue);
    await hookIs('off');
    expect(await scene.run(first.id)).toMatchObject({ status: 'canceled', triggeredBy: OWNER });
    expect(second).toMatchObject({ status: 'succeeded' });
    expect(second.trigger).not.toBe(first.trigger);
    expect(await countRuns(issue)).toBe(2);
  });
});

describe('while Temporal is away', () => {
  test('a trigger is accepted while GitHub listens, and its run happens when Temporal is back', async () => {
    const issue = await openIssue('Temporal is away');
    const raw = await labeled(issue);
    const temporal = scene.stack.pidOf('temporal');
    const answer = await whileFrozen(temporal, async () => {
      const accepted = await deliver({ event: 'issues', body: raw });
      // It does not come back as it was: the process dies, and another one takes its place.
      process.kill(temporal, 'SIGKILL');
      return accepted;
    });
    expect(answer).toMatchObject({ status: 202, body: { status: 'accepted', duplicate: false } });
    expect(answer.seconds).toBeLessThan(LISTENS_SECONDS);
    const run = await scene.ended(REPO, issue);
    expect(run).toMatchObject({ id: answer.body['run_id'], status: 'succeeded' });
    expect(scene.stack.pids()['temporal']).not.toBe(temporal);
    expect(await countRuns(issue)).toBe(1);
  });
});

describe('while Postgres is away', () => {
  test('a trigger is answered 503 with Retry-After while GitHub listens, and its redelivery is taken once', async () => {
    const issue = await openIssue('Postgres is away');
    const raw = await labeled(issue);
    const delivery = randomUUID();
    const refused = await whileFrozen(scene.stack.pidOf('postgres'), () =>
      deliver({ event: 'issues', body: raw, delivery }),
    );
    expect(refused).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect(refused.seconds).toBeLessThan(LISTENS_SECONDS);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);

    const again = await eventually('the redelivery is taken', async () => {
      const answer = await deliver({ event: 'issues', body: raw, delivery });
      return answer.status !== 503 && answer;
    });
    // What was sent before may have been kept after all, too late for its answer.
    expect(['accepted', 'duplicate']).toContain(again.body['status']);
    const run = await scene.ended(REPO, issue);
    expect(run).toMatchObject({ id: again.body['run_id'], status: 'succeeded' });
    await settled(issue);
    expect(await countRuns(issue)).toBe(1);
    const facts = await scene.sql`select seq from issue_facts where delivery_id = ${delivery}`;
    expect(facts).toHaveLength(1);
  });
});
