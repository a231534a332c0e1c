/**
 * An agent whose every text mentions a person, closes an issue and loads a picture, in disguise: its commits, its title, its summary,
 * its answers in threads. Nothing of it has an effect on GitHub, also when the pull request is merged.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OWNER } from '../../src/embedded/accounts.ts';
import { closeScene, openScene, type Scene } from './support/scene.ts';

const REPO = 'called-out';

let scene: Scene;
let bystander: number;
let issue: number;
let pull: number;
let texts: string[];

beforeAll(async () => {
  scene = await openScene();
  await scene.bindRepository(REPO);
  bystander = await scene.person.openIssue(REPO, { title: 'A wish of others', body: '' });
  issue = await scene.person.openIssue(REPO, { title: 'A wish [script: calls-out]', body: '' });
  await scene.person.label(REPO, issue, 'run:dev');
  pull = (await scene.ended(REPO, issue)).pullRequest ?? 0;
  await scene.person.requestChanges(REPO, pull, {
    body: 'More, please.',
    comments: [{ path: `notes/issue-${issue}.md`, line: 1, body: 'Why?' }],
  });
  await scene.ended(REPO, issue, 1);
  const { title, body } = await scene.person.pullRequest(REPO, pull);
  const threads = await scene.person.answers(REPO, pull);
  const comments = [...(await scene.commentsOn(REPO, issue)), ...(await scene.commentsOn(REPO, pull))];
  texts = [title, body ?? '', ...threads.flatMap(({ answers }) => answers), ...comments.map((comment) => comment.body)];
});
afterAll(async () => {
  await closeScene(scene);
});

describe('an agent that calls out', () => {
  test('has an answer in the thread', () => {
    expect(texts.filter((text) => text.includes('codex-k8s:answer'))).toHaveLength(2);
  });

  test('mentions nobody: only the platform names who asked', () => {
    const outside = texts.map((text) => text.replaceAll(/`[^`\n]*`/g, '').replace(`by @${OWNER}.`, ''));
    for (const text of outside) expect(text).not.toMatch(/(?<!\w)@\w/);
  });

  test('loads no picture and defines no reference', () => {
    for (const text of texts) expect(text).not.toMatch(/!\[|(?<!\\)<img|^\[Details\]:/m);
  });

  test('closes no other issue when its pull request is merged', async () => {
    await scene.person.approveAndMerge(REPO, pull);
    const of = async (number: number): Promise<string> =>
      (await scene.person.octokit.rest.issues.get({ owner: OWNER, repo: REPO, issue_number: number })).data.state;
    expect({ asked: await of(issue), bystander: await of(bystander) }).toEqual({ asked: 'closed', bystander: 'open' });
  });
});
