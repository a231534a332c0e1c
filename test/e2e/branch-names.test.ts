/** A2: a branch `codex` exists in the repository, so git cannot have `codex/issue-1` beside it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunView } from '../../ingress/api/views.ts';
import { OWNER } from '../../src/embedded/accounts.ts';
import { closeScene, openScene, type Scene } from './support/scene.ts';

const REPO = 'crowded';

let scene: Scene;
let issue: number;
let inTheWay: RunView;
let again: RunView;
let revise: RunView;

beforeAll(async () => {
  scene = await openScene();
  await scene.bindRepository(REPO);
  const { git } = scene.person.octokit.rest;
  const at = { owner: OWNER, repo: REPO };
  const { data } = await git.getRef({ ...at, ref: 'heads/main' });
  await git.createRef({ ...at, ref: 'refs/heads/codex', sha: data.object.sha });
  issue = await scene.person.openIssue(REPO, { title: 'Count words', body: 'Please.' });
  await scene.person.label(REPO, issue, 'run:dev');
  inTheWay = await scene.ended(REPO, issue);
  await scene.platform.setProject('default', { branchPrefix: 'codex-k8s' });
  await scene.person.label(REPO, issue, 'run:dev');
  again = await scene.ended(REPO, issue, 1);
  await scene.person.requestChanges(REPO, again.pullRequest ?? 0, { body: 'More, please.', comments: [] });
  revise = await scene.ended(REPO, issue, 2);
});

afterAll(() => closeScene(scene));

test('the run fails before an agent works, and the comment names the branch and what to do', async () => {
  expect(inTheWay).toMatchObject({ status: 'failed', failure: 'branch_conflict', startedAt: null });
  const comments = await scene.commentsSaying(REPO, issue, 'beside codex: rename or delete it');
  expect(comments.map(({ body }) => body).join('\n')).toContain('--branch-prefix');
});

test('with a prefix of its own, the project gets a pull request', () => {
  expect(again).toMatchObject({ status: 'succeeded', branch: `codex-k8s/issue-${issue}` });
});

test('a review of it is a revise on the same branch', () => {
  expect(revise).toMatchObject({
    status: 'succeeded',
    kind: 'revise',
    branch: again.branch,
    pullRequest: again.pullRequest,
  });
});
