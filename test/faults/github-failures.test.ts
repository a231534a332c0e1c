/**
 * What GitHub does to those who call it: it fails, asks to wait, loses answers after it has done the work, and forgets issues
 * (docs/reliability.md T17, T22, T23). A whole `up` works through a proxy that does all of this to its emulator.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BOT, OWNER } from '../../src/embedded/accounts.ts';
import { closeScene, marked, openScene, type BoundRepository, type Scene } from '../e2e/support/scene.ts';
import { startFaultyGitHub, type Call, type FaultyGitHub } from '../support/github-faults.ts';
import { eventually } from '../support/stack.ts';
import { bodyOf, deliver } from './support/deliveries.ts';

const REPO = 'moody';
const AT = { owner: OWNER, repo: REPO };
const STEP_LIMIT_MS = 120_000;

let github: FaultyGitHub;
let scene: Scene;
let repository: BoundRepository;

beforeAll(async () => {
  github = await startFaultyGitHub();
  scene = await openScene(
    (directory) => {
      github.follow(() => emulatorUrlOf(directory));
      return {};
    },
    { gitHubApiUrl: github.url },
  );
  repository = await scene.bindRepository(REPO);
});

afterAll(async () => {
  await closeScene(scene);
  await github?.close();
});

/** Where the emulator of a data directory is, as soon as `up` has chosen a port for it. */
function emulatorUrlOf(directory: string): string {
  try {
    const { github: port } = JSON.parse(readFileSync(join(directory, 'ports.json'), 'utf8')) as { github: number };
    return `http://127.0.0.1:${port}`;
  } catch {
    return '';
  }
}

async function ended(issue: number, place = 0) {
  return eventually(
    `the end of run ${place} of issue ${issue}`,
    async () => {
      const shown = await scene.issueOf(REPO, issue);
      const found = (await scene.runsOf(REPO, issue))[place];
      return found?.terminal && shown?.activeRunId !== found.id ? found : undefined;
    },
    STEP_LIMIT_MS,
  );
}

async function labelled(title: string, body = ''): Promise<number> {
  const issue = await scene.person.openIssue(REPO, { title, body });
  await scene.person.label(REPO, issue, 'run:dev');
  return issue;
}

async function statusComments(runId: string, number: number): Promise<string[]> {
  const comments = await scene.commentsOn(REPO, number);
  return comments.map(({ body }) => body).filter((body) => body.includes(marked(runId)));
}

async function expectDoneOnce(issue: number): Promise<void> {
  const run = await ended(issue);
  expect(run).toMatchObject({ status: 'succeeded', pullRequest: expect.any(Number) });
  expect(await scene.pullRequestsOf(REPO, issue)).toHaveLength(1);
  await eventually('its comment shows the end', async () =>
    (await statusComments(run.id, issue)).some((body) => body.includes('Done.')),
  );
  expect(await statusComments(run.id, issue)).toHaveLength(1);
  await eventually('its label is moved', async () =>
    (await scene.person.labels(REPO, run.pullRequest ?? 0)).includes('state:in-review'),
  );
  expect(await scene.person.labels(REPO, issue)).toEqual(['state:in-review']);
}

describe('a GitHub that answers 500', () => {
  test.each([
    ['to the look at the labels', { method: 'GET', path: /\/issues\/\d+\/events/ }],
    ['to the reading of the issue', { method: 'GET', path: /\/issues\/\d+\/comments\?/ }],
    ['to the status comment', { method: 'POST', path: /\/issues\/\d+\/comments$/ }],
    ['to the pull request', { method: 'POST', path: /\/pulls$/ }],
    ['to the labels at the end', { method: 'POST', path: /\/issues\/\d+\/labels$/ }],
  ])('three times %s is tried again until it works', async (what, request) => {
    const rule = github.hit({ ...request, times: 3, fault: { kind: 'answer', status: 500, message: 'Server Error' } });
    await expectDoneOnce(await labelled(`500 ${what}`));
    expect(rule.hits()).toBe(3);
  });
});

/** What was under way when somebody was told cannot be called back. */
const UNDER_WAY_MS = 3000;
/** Long enough for all that is looked at meanwhile. */
const WAIT_SECONDS = 20;

function callsWhileToldToWait(told: Call, waitMs: number): Call[] {
  const from = (told.answeredAt ?? 0) + UNDER_WAY_MS;
  const until = (told.answeredAt ?? 0) + waitMs;
  return github.calls.filter(({ at }) => at > from && at < until);
}

describe.each([
  ['403 with Retry-After', 403, 'You have exceeded a secondary rate limit.', { 'retry-after': `${WAIT_SECONDS}` }],
  ['429 with Retry-After', 429, 'Too many requests.', { 'retry-after': `${WAIT_SECONDS}` }],
  ['403 with no request left', 403, 'API rate limit exceeded for user ID 1.', undefined],
])('a GitHub that answers %s', (what, status, message, named) => {
  let issue: number;
  let other: number;
  let told: Call;
  let ready: { status: string; checks: Record<string, { status: string }> };
  let page: string;
  let metrics: string;
  let member: unknown;

  beforeAll(async () => {
    const headers = named ?? {
      'x-ratelimit-remaining': '0',
      // Counted from the answer, whenever an agent comes that far.
      get 'x-ratelimit-reset'() {
        return String(Math.ceil(Date.now() / 1000) + WAIT_SECONDS + 4);
      },
    };
    const { url } = scene.stack.ready;
    const rule = github.hit({ method: 'POST', path: /\/pulls$/, fault: { kind: 'answer', status, message, headers } });
    issue = await labelled(`told ${what}`);
    await eventually('somebody is told to wait', () => rule.hits() === 1, STEP_LIMIT_MS);
    [told] = rule.calls as [Call];
    // The others have every reason to call now: the worker for a new label, the server for a new member.
    other = await labelled(`meanwhile ${what}`);
    ready = await eventually('the server knows of the wait', async () => {
      const shown = (await (await fetch(`${url}/readyz`)).json()) as typeof ready;
      return shown.checks['github']?.status === 'degraded' && shown;
    });
    [page, metrics, member] = await Promise.all([
      fetch(url).then((response) => response.text()),
      fetch(`${url}/metrics`).then((response) => response.text()),
      scene.platform.addMember({ login: OWNER, role: 'platform_owner' }).catch((error: unknown) => error),
    ]);
    await Promise.all([ended(issue), ended(other)]);
  });

  test('is not called by anybody before the time', () => {
    expect(callsWhileToldToWait(told, WAIT_SECONDS * 1000)).toEqual([]);
  });

  test('loses no run', async () => {
    await expectDoneOnce(issue);
    await expectDoneOnce(other);
  });

  test('is shown to people: on the overview, in /readyz and in the metrics', () => {
    expect(page).toContain('GitHub asks to wait until');
    expect(page).toContain(message);
    expect(ready).toMatchObject({
      status: 'degraded',
      checks: { github: { status: 'degraded', error: 'GitHubAsksToWait' } },
    });
    expect(Number(/^codexk8s_github_waiting_seconds (\S+)$/m.exec(metrics)?.[1])).toBeGreaterThan(0);
  });

  test('keeps who needs it for an answer from getting one, and says why', async () => {
    expect(member).toMatchObject({
      status: 503,
      message: expect.stringContaining('GitHub asks to wait until') as string,
    });
  });
});

describe('a GitHub that does the work and answers 502', () => {
  let issue: number;
  let pullRequest: number;
  const writes = [
    { method: 'POST', path: /\/issues\/\d+\/comments$/, times: 3 },
    { method: 'POST', path: /\/issues\/\d+\/reactions$/, times: 1 },
    { method: 'POST', path: /\/pulls$/, times: 1 },
    { method: 'POST', path: /\/issues\/\d+\/labels$/, times: 2 },
    { method: 'DELETE', path: /\/issues\/\d+\/labels\//, times: 1 },
    { method: 'POST', path: /\/replies$/, times: 1 },
    { method: 'PATCH', path: /\/issues\/comments\/\d+$/, times: 2 },
  ];
  let rules: ReturnType<FaultyGitHub['hit']>[];

  beforeAll(async () => {
    rules = writes.map((write) => github.hit({ ...write, fault: { kind: 'lose', as: 502 } }));
    issue = await labelled('done, and not told');
    pullRequest = (await ended(issue)).pullRequest ?? 0;
    const comment = { path: `notes/issue-${issue}.md`, line: 1, body: 'In other words, please.' };
    await scene.person.requestChanges(REPO, pullRequest, { body: 'Nearly.', comments: [comment] });
    await ended(issue, 1);
  });
  afterAll(() => {
    for (const rule of rules ?? []) rule.stop();
  });

  test('has every write of the whole job lost once at least', async () => {
    // The last words of a comment come after the run's end.
    await eventually('all are lost', () => rules.every((rule, index) => rule.hits() === writes[index]?.times));
    expect(rules.map((rule) => rule.hits())).toEqual(writes.map(({ times }) => times));
  });

  test('has one comment for each run, and one for the answer to the review', async () => {
    const runs = await scene.runsOf(REPO, issue);
    expect(runs.map(({ status, kind }) => [status, kind])).toEqual([
      ['succeeded', 'work'],
      ['succeeded', 'revise'],
    ]);
    await eventually('the comments show the end', async () => {
      const all = await commentsOfBot();
      return all.filter((body) => body.includes('Done.')).length === 2;
    });
    const first = (await commentsOfBot()).map((body) => body.split('\n')[0] ?? '');
    expect(first.toSorted((one, other) => one.localeCompare(other))).toEqual([
      `<!-- codex-k8s:answer ${runs[1]?.id} review -->`,
      ...runs.map(({ id }) => marked(id)).toSorted((one, other) => one.localeCompare(other)),
    ]);
  });

  async function commentsOfBot(): Promise<string[]> {
    const all = [...(await scene.commentsOn(REPO, issue)), ...(await scene.commentsOn(REPO, pullRequest))];
    return all.filter(({ author }) => author === BOT).map(({ body }) => body);
  }

  test('has one pull request', async () => {
    expect(await scene.pullRequestsOf(REPO, issue)).toHaveLength(1);
  });

  test('has one reaction to the label', async () => {
    const { data } = await scene.person.octokit.rest.reactions.listForIssue({ ...AT, issue_number: issue });
    expect(data.map(({ content }) => content)).toEqual(['eyes']);
  });

  test('has one answer to the review comment', async () => {
    expect((await scene.person.answers(REPO, pullRequest)).map(({ answers }) => answers.length)).toEqual([1]);
  });

  test('has the labels moved', async () => {
    expect(await scene.person.labels(REPO, issue)).toEqual(['state:in-review']);
    expect(await scene.person.labels(REPO, pullRequest)).toEqual(['state:in-review']);
  });
});

describe('an issue that is deleted while an agent works on it', () => {
  let issue: number;
  let workspace: string;
  let rule: ReturnType<FaultyGitHub['hit']>;

  beforeAll(async () => {
    issue = await labelled('short-lived [script: wait]', 'wait-for: /nowhere');
    const run = await scene.started(REPO, issue);
    await scene.working(run.id, /until \[ -e/);
    workspace = (await scene.run(run.id)).workspace ?? '';
    const path = new RegExp(`/issues/${issue}(/|$|\\?)|/issues/comments/`);
    rule = github.hit({ path, times: 1e6, fault: { kind: 'answer', status: 410, message: 'This issue was deleted' } });
    const labelledBody = JSON.parse(await bodyOf(scene, repository, 'issues', 'labeled')) as {
      issue: { number: number };
    };
    expect(labelledBody.issue.number).toBe(issue);
    const body = JSON.stringify({ ...labelledBody, action: 'deleted', label: undefined });
    expect(await deliver(scene.stack, { event: 'issues', body })).toMatchObject({ status: 200 });
  });
  afterAll(() => rule?.stop());

  test('has its run canceled', async () => {
    expect(await ended(issue)).toMatchObject({ status: 'canceled' });
  });

  test('has its workspace removed, and hangs nowhere', async () => {
    await eventually(
      'the end of the issue',
      async () => {
        const shown = await scene.issueOf(REPO, issue);
        return shown?.state === 'closed' && shown.workspace === null;
      },
      STEP_LIMIT_MS,
    );
    expect(readdirSync(join(scene.stack.directory, 'workspaces'))).not.toContain(workspace);
  });
});

describe('an issue that is gone before the agent gets its prompt', () => {
  test('has its run fail, and says why', async () => {
    const issue = await scene.person.openIssue(REPO, { title: 'gone', body: '' });
    const path = new RegExp(`/issues/${issue}/comments\\?`);
    const rule = github.hit({
      method: 'GET',
      path,
      times: 1e6,
      fault: { kind: 'answer', status: 410, message: 'This issue was deleted' },
    });
    await scene.person.label(REPO, issue, 'run:dev');
    const run = await ended(issue);
    expect(run).toMatchObject({ status: 'failed', detail: expect.stringContaining('This issue was deleted') });
    rule.stop();
  });
});

test('a permission that the token lacks fails the run at once, and says so', async () => {
  const rule = github.hit({
    method: 'POST',
    path: /\/pulls$/,
    times: 1e6,
    fault: { kind: 'answer', status: 403, message: 'Resource not accessible by integration' },
  });
  const run = await ended(await labelled('forbidden'));
  rule.stop();
  expect(rule.hits()).toBe(1);
  expect(run).toMatchObject({ status: 'failed', failure: 'publish_failed' });
  expect(run.detail).toContain('Resource not accessible by integration');
});
