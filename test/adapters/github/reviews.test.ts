/** What people said on a pull request, as the platform reads it from GitHub: threads, places, resolution, whose words. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Octokit } from '@octokit/rest';
import { createGitHub } from '../../../src/adapters/github/index.ts';
import type { IssueRef } from '../../../src/domain/issue/facts.ts';
import type { GitHubThread } from '../../../src/domain/agent/reviews.ts';
import { client, DEMO, openPull, startWithDemo, type Stage } from '../../emulators/github/emulator.ts';

const ANSWER = '<!-- codex-k8s:answer run comment-1 -->';

let stage: Stage;
let reviewer: Octokit;
let pulls = 0;
let pull_number: number;
let at: IssueRef;

beforeAll(async () => {
  stage = await startWithDemo();
  reviewer = client(stage.emulator, 'token-reviewer');
});
afterAll(async () => {
  await stage.emulator.close();
});
beforeEach(async () => {
  pulls += 1;
  pull_number = await openPull(stage, { branch: `topic-${pulls}` });
  at = { repositoryId: 1, owner: DEMO.owner, name: DEMO.repo, number: pull_number };
});

/** The platform, with the token of this account. */
function platform(token = 'token-bot') {
  return createGitHub({
    apiUrl: stage.emulator.apiUrl,
    token,
    limits: { settleMs: 0 },
    waits: { current: () => Promise.resolve(undefined), hold: () => Promise.reject(new Error('nobody waits')) },
  });
}

async function say(body: string, more: Record<string, unknown> = {}, by = reviewer): Promise<number> {
  const head = await stage.octo.pulls.get({ ...DEMO, pull_number });
  const { data } = await by.pulls.createReviewComment({
    ...DEMO,
    pull_number,
    commit_id: head.data.head.sha,
    path: 'story.txt',
    body,
    ...(more['subject_type'] === 'file' ? {} : { line: 4, side: 'RIGHT' }),
    ...more,
  });
  return data.id;
}

async function reply(comment_id: number, body: string, by = reviewer): Promise<void> {
  await by.pulls.createReplyForReviewComment({ ...DEMO, pull_number, comment_id, body });
}

async function threads(token?: string): Promise<readonly GitHubThread[]> {
  return (await platform(token).readReviews(at, pull_number)).threads;
}

describe('a thread', () => {
  test('has all that was said in it, and whose words are the platform’s', async () => {
    const first = await say('Why?');
    await reply(first, `${ANSWER}\n\nBecause.`, client(stage.emulator, 'token-bot'));
    await reply(first, 'No.');
    const [thread] = await threads();
    expect(thread?.comments.map(({ body, isOurs }) => [body.split('\n').at(-1), isOurs])).toEqual([
      ['Why?', false],
      ['Because.', true],
      ['No.', false],
    ]);
  });

  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['a line', {}, { line: 4, startLine: null, isRemoved: false }],
    ['a range of lines', { start_line: 2, start_side: 'RIGHT' }, { line: 4, startLine: 2 }],
    ['removed lines', { side: 'LEFT', line: 2 }, { line: 2, isRemoved: true }],
    ['the whole file', { subject_type: 'file' }, { line: null, startLine: null }],
  ])('is on %s', async (_where, given, place) => {
    await say('Here.', given);
    expect(await threads()).toMatchObject([{ place: { path: 'story.txt', ...place } }]);
  });

  test('is known to be resolved, and to be open again', async () => {
    const first = await say('Why?');
    await say('And this?');
    const resolve = (mutation: string) =>
      reviewer.graphql(
        `mutation ($threadId: ID!) { ${mutation}(input: { threadId: $threadId }) { thread { isResolved } } }`,
        { threadId: `PRRT_${first}` },
      );
    await stage.octo.repos.addCollaborator({ ...DEMO, username: 'reviewer', permission: 'push' });
    await resolve('resolveReviewThread');
    expect((await threads()).map(({ isResolved }) => isResolved)).toEqual([true, false]);
    await resolve('unresolveReviewThread');
    expect((await threads()).map(({ isResolved }) => isResolved)).toEqual([false, false]);
  });

  test('of a review that is not submitted yet is not there', async () => {
    await reviewer.pulls.createReview({
      ...DEMO,
      pull_number,
      comments: [{ path: 'story.txt', line: 4, body: 'a draft' }],
    });
    expect(await threads()).toEqual([]);
    expect((await platform('token-reviewer').readReviews(at, pull_number)).reviews).toEqual([]);
  });
});

describe('a person whose own token the platform uses', () => {
  test('is heard in threads and conversations: only marked words are the platform’s', async () => {
    const first = await say('Why?', {}, stage.octo);
    await reply(first, `${ANSWER}\n\nBecause.`, stage.octo);
    await stage.octo.issues.createComment({ ...DEMO, issue_number: pull_number, body: 'And the tests?' });
    await stage.octo.issues.createComment({ ...DEMO, issue_number: pull_number, body: `${ANSWER}\n\nDone.` });
    expect((await threads('token-octo'))[0]?.comments.map(({ isOurs }) => isOurs)).toEqual([false, true]);
    const { comments } = await platform('token-octo').readIssue(at);
    expect(comments.map(({ body }) => body)).toEqual(['And the tests?']);
  });
});

describe('a marker', () => {
  test('in the words of somebody else is no answer: the comment is answered', async () => {
    const first = await say('Why?');
    await reply(first, `${ANSWER}\n\nI have answered it.`);
    const [thread] = await threads();
    expect(thread?.comments.map(({ isOurs }) => isOurs)).toEqual([false, false]);
    expect(
      await platform().answerComment(at, pull_number, first, { marker: ANSWER, body: `${ANSWER}\n\nBecause.` }),
    ).toBe(true);
    const [after] = await threads();
    expect(after?.comments.map(({ isOurs }) => isOurs)).toEqual([false, false, true]);
  });
});

test('reviews have their state and when they were submitted', async () => {
  await reviewer.pulls.createReview({ ...DEMO, pull_number, event: 'COMMENT', body: 'Rename it.' });
  await reviewer.pulls.createReview({ ...DEMO, pull_number, event: 'REQUEST_CHANGES', body: 'Not yet.' });
  const { reviews } = await platform().readReviews(at, pull_number);
  expect(reviews.map(({ state, body }) => [state, body])).toEqual([
    ['commented', 'Rename it.'],
    ['changes_requested', 'Not yet.'],
  ]);
});

describe('a second pull request with the same head and another base', () => {
  const text = { title: 'Work', body: 'Done.' };

  test('does not take a revise away from the one that was reviewed', async () => {
    const head = `topic-${pulls}`;
    await stage.octo.git.createRef({ ...DEMO, ref: `refs/heads/release-${pulls}`, sha: await shaOf('main') });
    const { data: other } = await stage.octo.pulls.create({
      ...DEMO,
      head,
      base: `release-${pulls}`,
      title: 'Backport',
    });
    const known = { number: pull_number, revised: true };
    const found = await platform().openPullRequest(at, { head, base: 'main' }, text, known);
    expect(found).toMatchObject({ number: pull_number, created: false });
    expect(await platform().openPullRequest(at, { head, base: 'main' }, text)).toMatchObject({ number: pull_number });
    expect(other.number).not.toBe(pull_number);
  });

  test('is not used for a revise of one that was closed meanwhile', async () => {
    const head = `topic-${pulls}`;
    await stage.octo.pulls.update({ ...DEMO, pull_number, state: 'closed' });
    const known = { number: pull_number, revised: true };
    await expect(platform().openPullRequest(at, { head, base: 'main' }, text, known)).rejects.toMatchObject({
      message: expect.stringContaining(`#${pull_number} is not open`),
    });
  });
});

async function shaOf(branch: string): Promise<string> {
  return (await stage.octo.git.getRef({ ...DEMO, ref: `heads/${branch}` })).data.object.sha;
}
