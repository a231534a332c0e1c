import { afterAll, beforeAll, expect, test } from 'vitest';
import { addHook, client, DEMO, openPull, Receiver, startWithDemo, type Stage } from './emulator.ts';

let stage: Stage;
let reviewer: ReturnType<typeof client>;
let receiver: Receiver;
let pull_number: number;

beforeAll(async () => {
  stage = await startWithDemo();
  reviewer = client(stage.emulator, 'token-reviewer');
  receiver = await Receiver.start();
  await addHook(stage.octo, receiver);
  pull_number = await openPull(stage);
});
afterAll(async () => {
  await stage.emulator.close();
  await receiver.close();
});

test('a review that requests changes sends webhooks for itself and for its line comments', async () => {
  const comments = [{ path: 'story.txt', line: 4, side: 'RIGHT', body: 'a better ending' }];
  const { data } = await reviewer.pulls.createReview({
    ...DEMO,
    pull_number,
    event: 'REQUEST_CHANGES',
    body: 'not yet',
    comments,
  });
  expect(data).toMatchObject({ state: 'CHANGES_REQUESTED', user: { login: 'reviewer' } });
  const listed = await reviewer.pulls.listCommentsForReview({ ...DEMO, pull_number, review_id: data.id });
  expect(listed.data).toMatchObject([{ path: 'story.txt', body: 'a better ending' }]);
  const names = (): string[] => receiver.names.filter((name) => name.startsWith('pull_request_review'));
  await expect.poll(names).toEqual(['pull_request_review.submitted', 'pull_request_review_comment.created']);
  expect(receiver.named('pull_request_review.submitted')[0]?.body).toMatchObject({
    review: { state: 'changes_requested', body: 'not yet', user: { login: 'reviewer' } },
    pull_request: { number: pull_number },
  });
  expect(receiver.named('pull_request_review_comment.created')[0]?.body).toMatchObject({
    comment: { line: 4, path: 'story.txt' },
  });
});

test('a reply stays in the thread of its comment', async () => {
  const [first] = (await reviewer.pulls.listReviewComments({ ...DEMO, pull_number })).data;
  const comment_id = first?.id ?? 0;
  const bot = client(stage.emulator, 'token-bot');
  const { data } = await bot.pulls.createReplyForReviewComment({ ...DEMO, pull_number, comment_id, body: 'done' });
  expect(data).toMatchObject({ in_reply_to_id: comment_id, path: 'story.txt', user: { type: 'Bot' } });
  await expect
    .poll(() => receiver.named('pull_request_review_comment.created').map(({ body }) => body.comment.id))
    .toContain(data.id);
});

test('reviews are listed in their order', async () => {
  await reviewer.pulls.createReview({ ...DEMO, pull_number, event: 'APPROVE' });
  const { data } = await stage.octo.pulls.listReviews({ ...DEMO, pull_number });
  expect(data.map(({ state }) => state)).toEqual(['CHANGES_REQUESTED', 'COMMENTED', 'APPROVED']);
});

test('nobody approves their own pull request', async () => {
  const own = client(stage.emulator, 'token-bot').pulls.createReview({ ...DEMO, pull_number, event: 'APPROVE' });
  await expect(own).rejects.toMatchObject({ status: 422 });
});

test('a comment on a line can be reacted to', async () => {
  const [first] = (await reviewer.pulls.listReviewComments({ ...DEMO, pull_number })).data;
  const reaction = await reviewer.reactions.createForPullRequestReviewComment({
    ...DEMO,
    comment_id: first?.id ?? 0,
    content: 'eyes',
  });
  expect(reaction.status).toBe(201);
});
