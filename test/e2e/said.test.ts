/** What people said reaches the agent of a revise: replies in answered threads, the conversation, and nothing to do said loudly. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OWNER } from '../../src/embedded/accounts.ts';
import { closeScene, openScene, type Scene } from './support/scene.ts';

const REPO = 'said';

let scene: Scene;
let issue: number;
let pull: number;
let thread: number;
let prompt: string;

const at = { owner: OWNER, repo: REPO };

async function promptOf(runId: string): Promise<string> {
  const [row] = await scene.sql<{ prompt: string }[]>`select prompt from agent_assignments where run_id = ${runId}`;
  return row?.prompt ?? '';
}

/** Puts `run:dev:revise` on the issue and waits for the end of that run. */
async function revise(place: number) {
  await scene.person.label(REPO, issue, 'run:dev:revise');
  return scene.ended(REPO, issue, place);
}

beforeAll(async () => {
  const { person } = (scene = await openScene());
  await scene.bindRepository(REPO);
  issue = await person.openIssue(REPO, { title: 'A wish', body: 'Please.' });
  await person.label(REPO, issue, 'run:dev');
  pull = (await scene.ended(REPO, issue)).pullRequest ?? 0;
  const path = `notes/issue-${issue}.md`;
  await person.requestChanges(REPO, pull, { body: 'More.', comments: [{ path, line: 1, body: 'Why so?' }] });
  await scene.ended(REPO, issue, 1);
  const { rest } = person.octokit;
  const { data } = await rest.pulls.listReviewComments({ ...at, pull_number: pull });
  thread = data[0]?.id ?? 0;
  await rest.pulls.createReview({ ...at, pull_number: pull, event: 'APPROVE' });
  await rest.pulls.createReplyForReviewComment({
    ...at,
    pull_number: pull,
    comment_id: thread,
    body: 'Not convinced.',
  });
  await rest.issues.createComment({ ...at, issue_number: pull, body: 'And the tests?' });
  await rest.pulls.createReview({ ...at, pull_number: pull, event: 'COMMENT', body: 'Rename the option.' });
  prompt = await promptOf((await revise(2)).id);
});
afterAll(async () => {
  await closeScene(scene);
});

describe('a revise by label', () => {
  test('has the thread whole in which somebody replied to its answer', () => {
    expect(prompt).toMatch(
      new RegExp(
        `Review comment ${thread} on notes/issue-\\d+\\.md:1 by ${OWNER}:\n> Why so\\?\n\nYour answer:\n> .*[^]*\n\nReply by ${OWNER}:\n> Not convinced\\.`,
      ),
    );
  });

  test('has the comment in the conversation, and the review that only commented', () => {
    expect(prompt).toContain('> And the tests?');
    expect(prompt).toContain('> Rename the option.');
  });

  test('answers in the thread', async () => {
    const [first] = await scene.person.answers(REPO, pull);
    expect(first?.answers).toHaveLength(3);
  });

  test('fails loudly when nobody has said anything since', async () => {
    const run = await revise(3);
    expect(run).toMatchObject({ status: 'failed', failure: 'nothing_to_revise' });
    await scene.commentsSaying(REPO, issue, 'There is nothing to revise');
  });
});
