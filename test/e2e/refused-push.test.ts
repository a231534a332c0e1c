/** A1: GitHub refuses a push by a rule; a person changes the rule and asks again. */
import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunView } from '../../ingress/api/views.ts';
import { OWNER } from '../../src/embedded/accounts.ts';
import { bareDirectory } from '../../src/emulators/github/git/bare.ts';
import { closeScene, openScene, type Scene } from './support/scene.ts';

const REPO = 'signed';
const RULE = 'Commits must have verified signatures.';

let scene: Scene;
let issue: number;
let refused: RunView;
let again: RunView;

beforeAll(async () => {
  scene = await openScene();
  await scene.bindRepository(REPO);
  const hook = join(bareDirectory(join(scene.stack.directory, 'github'), `${OWNER}/${REPO}`), 'hooks', 'pre-receive');
  await writeFile(hook, `#!/bin/sh\necho 'error: GH013: ${RULE}' >&2\nexit 1\n`);
  await chmod(hook, 0o755);
  issue = await scene.person.openIssue(REPO, { title: 'Count words', body: 'Please.' });
  await scene.person.label(REPO, issue, 'run:dev');
  refused = await scene.ended(REPO, issue);
  await rm(hook);
  await scene.person.label(REPO, issue, 'run:dev');
  again = await scene.ended(REPO, issue, 1);
});

afterAll(() => closeScene(scene));

test("the run fails with push_refused, in GitHub's words, and says that the commits are kept", async () => {
  expect(refused).toMatchObject({ status: 'failed', failure: 'push_refused', pullRequest: null });
  const comments = await scene.commentsSaying(REPO, issue, RULE);
  expect(comments.map(({ body }) => body).join('\n')).toContain('The platform keeps its commits (1 commit)');
});

test('the next run begins with the commits of the refused one, and opens the pull request', async () => {
  expect(again).toMatchObject({ status: 'succeeded', pullRequest: expect.any(Number) });
  const log = (await scene.log(again.id)).map(({ text }) => text).join('\n');
  expect(log).toContain('with the commits of an earlier run that could not be pushed');
});

test('nothing is kept any more when they were pushed', async () => {
  expect(await scene.sql`select run_id from kept_commits`).toEqual([]);
  expect(await scene.sql`select run_id from kept_commit_parts`).toEqual([]);
});
