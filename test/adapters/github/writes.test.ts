/** Every write to GitHub, tried again as Temporal does when its answer was lost: one object afterwards (T23). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createGitHub } from '../../../src/adapters/github/index.ts';
import type { IssueRef } from '../../../src/domain/issue/facts.ts';
import { startFaultyGitHub, type Fault, type FaultyGitHub } from '../../support/github-faults.ts';
import { eventually } from '../../support/stack.ts';
import { client, DEMO, openPull, startWithDemo, type Stage } from '../../emulators/github/emulator.ts';

const BOT = 'codex-k8s[bot]';
const MARKER = '<!-- a marker -->';
const BODY = `${MARKER}\n\nhello`;

let stage: Stage;
let faulty: FaultyGitHub;
let pull: number;
let review: { id: number; comment: number };

beforeAll(async () => {
  stage = await startWithDemo();
  pull = await openPull(stage);
});
afterAll(async () => {
  await stage.emulator.close();
});
beforeEach(async () => {
  faulty = await startFaultyGitHub(stage.emulator.apiUrl);
});
afterEach(async () => {
  await faulty.close();
});

type GitHub = ReturnType<typeof createGitHub>;

/** `settleMs` stands for the ten seconds that GitHub may go on with a request: here it does for a tenth of it. */
function github(settleMs = 0): GitHub {
  return createGitHub({
    apiUrl: faulty.url,
    token: 'token-bot',
    limits: { settleMs },
    waits: { current: () => Promise.resolve(undefined), hold: () => Promise.reject(new Error('nobody waits')) },
  });
}

async function openIssue(): Promise<IssueRef> {
  const { data } = await stage.octo.issues.create({ ...DEMO, title: 'a wish' });
  return { repositoryId: 1, owner: DEMO.owner, name: DEMO.repo, number: data.number };
}

/** Tries until it succeeds, as Temporal does; returns how often it was tried. */
async function untilDone(act: () => Promise<unknown>): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await act();
      return attempt;
    } catch (error) {
      if (attempt === 5) throw error;
    }
  }
}

const issueAt = ({ number }: IssueRef) => ({ ...DEMO, issue_number: number });

async function commentsOn(issue: IssueRef): Promise<string[]> {
  const { data } = await stage.octo.issues.listComments(issueAt(issue));
  return data.map(({ body }) => body ?? '');
}

interface Write {
  readonly name: string;
  /** The request that changes something. */
  readonly request: { readonly method: string; readonly path: RegExp };
  /** Prepares, and returns the write and what there is afterwards. */
  prepare(this: void): Promise<{ act: (github: GitHub) => Promise<unknown>; objects: () => Promise<unknown[]> }>;
}

const WRITES: Write[] = [
  {
    name: 'a comment',
    request: { method: 'POST', path: /\/comments$/ },
    async prepare() {
      const issue = await openIssue();
      return {
        act: (github) => github.writeComment(issue, { marker: MARKER, body: BODY, knownId: null }),
        objects: () => commentsOn(issue),
      };
    },
  },
  {
    name: 'the edit of a comment',
    request: { method: 'PATCH', path: /\/comments\/\d+$/ },
    async prepare() {
      const issue = await openIssue();
      const { id } = await github().writeComment(issue, { marker: MARKER, body: MARKER, knownId: null });
      return {
        act: (github) => github.writeComment(issue, { marker: MARKER, body: BODY, knownId: id }),
        objects: async () => (await commentsOn(issue)).filter((body) => body === BODY),
      };
    },
  },
  {
    name: 'a reaction',
    request: { method: 'POST', path: /\/reactions$/ },
    async prepare() {
      const issue = await openIssue();
      return {
        act: (github) => github.react(issue, 'eyes'),
        objects: async () => (await stage.octo.reactions.listForIssue(issueAt(issue))).data,
      };
    },
  },
  {
    name: 'a reaction to a review',
    request: { method: 'POST', path: /\/reactions$/ },
    async prepare() {
      const at = await demoReview();
      const issue = { repositoryId: 1, owner: DEMO.owner, name: DEMO.repo, number: pull };
      return {
        act: (github) => github.reactToReview(issue, pull, at.id),
        objects: async () =>
          (await stage.octo.reactions.listForPullRequestReviewComment({ ...DEMO, comment_id: at.comment })).data,
      };
    },
  },
  {
    name: 'a label',
    request: { method: 'POST', path: /\/labels$/ },
    async prepare() {
      const issue = await openIssue();
      return {
        act: (github) => github.addLabel(issue, issue.number, 'state:in-review'),
        objects: async () => (await stage.octo.issues.listLabelsOnIssue(issueAt(issue))).data,
      };
    },
  },
  {
    name: 'the removal of a label',
    request: { method: 'DELETE', path: /\/labels\// },
    async prepare() {
      const issue = await openIssue();
      await stage.octo.issues.addLabels({ ...issueAt(issue), labels: ['run:dev', 'kept'] });
      return {
        act: (github) => github.removeLabel(issue, issue.number, 'run:dev'),
        objects: async () => (await stage.octo.issues.listLabelsOnIssue(issueAt(issue))).data,
      };
    },
  },
  {
    name: 'a pull request',
    request: { method: 'POST', path: /\/pulls$/ },
    async prepare() {
      const issue = await openIssue();
      const head = `codex/issue-${issue.number}`;
      await stage.copy.git('checkout', '--quiet', '-B', head, 'main');
      await stage.copy.commit({ [`${issue.number}.txt`]: 'work\n' }, 'work');
      await stage.copy.git('push', '--quiet', remoteOf(stage), head);
      return {
        act: (github) => github.openPullRequest(issue, { head, base: 'main' }, { title: 'Work', body: 'Done.' }),
        objects: async () =>
          (await stage.octo.pulls.list({ ...DEMO, state: 'all' })).data.filter((found) => found.head.ref === head),
      };
    },
  },
  {
    name: 'an answer to a review comment',
    request: { method: 'POST', path: /\/replies$/ },
    async prepare() {
      const { comment } = await demoReview();
      const issue = { repositoryId: 1, owner: DEMO.owner, name: DEMO.repo, number: pull };
      const marker = `<!-- answer ${faulty.url} ${comment} -->`;
      return {
        act: (github) => github.answerComment(issue, pull, comment, { marker, body: `${marker}\n\nfixed` }),
        objects: async () =>
          (await stage.octo.pulls.listReviewComments({ ...DEMO, pull_number: pull })).data.filter(({ body }) =>
            body.startsWith(marker),
          ),
      };
    },
  },
];

/** A review with one comment; one is enough for all tests. */
async function demoReview(): Promise<{ id: number; comment: number }> {
  if (review) return review;
  const reviewer = client(stage.emulator, 'token-reviewer');
  const { data } = await reviewer.pulls.createReview({
    ...DEMO,
    pull_number: pull,
    event: 'REQUEST_CHANGES',
    body: 'not yet',
    comments: [{ path: 'story.txt', line: 1, side: 'RIGHT', body: 'why?' }],
  });
  const comments = await reviewer.pulls.listCommentsForReview({ ...DEMO, pull_number: pull, review_id: data.id });
  review = { id: data.id, comment: comments.data[0]?.id ?? 0 };
  return review;
}

function remoteOf({ emulator }: Stage): string {
  return `${emulator.url.replace('http://', 'http://anything:token-octo@')}/octo/demo.git`;
}

const LOST: [string, Fault][] = [
  ['a 502 instead of its answer', { kind: 'lose', as: 502 }],
  ['a closed connection instead of its answer', { kind: 'lose', as: 'reset' }],
  ['half of its answer', { kind: 'lose', as: 'half' }],
];

describe.each(WRITES)('$name', ({ request, prepare }) => {
  test.each(LOST)('that was done with %s is there once', async (_what, fault) => {
    const { act, objects } = await prepare();
    const rule = faulty.hit({ ...request, fault });
    const attempts = await untilDone(() => act(github()));
    expect(rule.hits()).toBe(1);
    expect(attempts).toBe(2);
    expect(await objects()).toHaveLength(1);
  });

  test('that GitHub still works on when it is given up is there once', async () => {
    const { act, objects } = await prepare();
    const rule = faulty.hit({ ...request, fault: { kind: 'late', ms: 100, status: 504 } });
    await untilDone(() => act(github(1000)));
    expect(rule.hits()).toBe(1);
    await eventually('GitHub has done the first', () => faulty.calls.some(({ done }) => done));
    expect(await objects()).toHaveLength(1);
  });

  test('that two attempts ask for at the same time is there once', async () => {
    const { act, objects } = await prepare();
    const patient = github();
    await Promise.all([untilDone(() => act(patient)), untilDone(() => act(github()))]);
    expect(await objects()).toHaveLength(1);
  });

  test('that fails three times before it is done is there once', async () => {
    const { act, objects } = await prepare();
    faulty.hit({ ...request, times: 3, fault: { kind: 'answer', status: 500, message: 'Server Error' } });
    expect(await untilDone(() => act(github()))).toBe(4);
    expect(await objects()).toHaveLength(1);
  });
});

describe('a comment', () => {
  test('that somebody else wrote with our marker is not taken for ours', async () => {
    const issue = await openIssue();
    await stage.octo.issues.createComment({ ...issueAt(issue), body: `${MARKER} mine` });
    await github().writeComment(issue, { marker: MARKER, body: BODY, knownId: null });
    const { data } = await stage.octo.issues.listComments(issueAt(issue));
    expect(data.map(({ user, body }) => [user?.login, body])).toEqual([
      ['octo', `${MARKER} mine`],
      [BOT, BODY],
    ]);
  });

  test('that was deleted is written anew', async () => {
    const issue = await openIssue();
    const { id } = await github().writeComment(issue, { marker: MARKER, body: 'old', knownId: null });
    await stage.octo.issues.deleteComment({ ...DEMO, comment_id: id });
    const again = await github().writeComment(issue, { marker: MARKER, body: BODY, knownId: id });
    expect(again.id).not.toBe(id);
    expect(await commentsOn(issue)).toEqual([BODY]);
  });

  test('whose list arrives by half is not written a second time', async () => {
    const issue = await openIssue();
    await github().writeComment(issue, { marker: MARKER, body: BODY, knownId: null });
    const rule = faulty.hit({ method: 'GET', path: /\/comments\?/, fault: { kind: 'lose', as: 'half' } });
    await untilDone(() => github().writeComment(issue, { marker: MARKER, body: BODY, knownId: null }));
    expect(rule.hits()).toBe(1);
    expect(await commentsOn(issue)).toEqual([BODY]);
  });
});

test('a pull request whose answer was lost counts as created by this run', async () => {
  const { act } = await WRITES.find(({ name }) => name === 'a pull request')!.prepare();
  faulty.hit({ method: 'POST', path: /\/pulls$/, fault: { kind: 'lose', as: 502 } });
  await expect(act(github())).rejects.toMatchObject({ status: 502 });
  await expect(act(github())).resolves.toMatchObject({ created: true });
});

test('a repository that cannot be reached is not waited for as if it had heard us', async () => {
  const issue = await openIssue();
  await faulty.close();
  const since = performance.now();
  await expect(github(60_000).react(issue, 'eyes')).rejects.toMatchObject({ status: 500 });
  expect(performance.now() - since).toBeLessThan(30_000);
  faulty = await startFaultyGitHub(stage.emulator.apiUrl);
});
