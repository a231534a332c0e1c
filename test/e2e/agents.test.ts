/** Claude Code on the whole platform: the demo's story, and an issue whose agent is another than before. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Steps } from '../../src/embedded/demo/steps.ts';
import { tellStory } from '../../src/embedded/demo/story.ts';
import { closeScene, openScene, type Scene } from './support/scene.ts';

const REPO = 'agents';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
  await scene.bindRepository(REPO);
});
afterAll(async () => closeScene(scene));

test('the demo is told with Claude Code: a pull request, a review, a revise in the same conversation, a merge', async () => {
  const steps: Steps = { step: async (_, work) => work(() => {}), note: () => {}, chapter: () => {} };
  const { stack } = scene;
  const end = await tellStory(stack.ready, stack.secret('staff-token'), steps, { agent: 'claude' });
  const runs = await Promise.all(end.runs.map(async (id) => scene.run(id)));
  expect(runs).toMatchObject([
    { cli: 'claude', model: 'claude-sonnet-5', status: 'succeeded', kind: 'work' },
    { cli: 'claude', model: 'claude-sonnet-5', status: 'succeeded', kind: 'revise', threadId: runs[0]?.threadId },
  ]);
  expect(end.diff).toContain('unknown option');
});

test('a revise by Claude Code of what Codex has done is told what that was, and begins a conversation of its own', async () => {
  const { person } = scene;
  const issue = await person.openIssue(REPO, { title: 'Note something', body: 'Please.' });
  await person.label(REPO, issue, 'run:dev');
  const work = await scene.ended(REPO, issue);
  expect(work).toMatchObject({ cli: 'codex', status: 'succeeded' });
  await scene.commentsSaying(REPO, issue, '| Agent | Codex |');

  await person.label(REPO, issue, '[ai-agent-claude]');
  await person.requestChanges(REPO, work.pullRequest ?? 0, {
    body: 'Nearly.',
    comments: [{ path: `notes/issue-${issue}.md`, line: 1, body: 'More, please.' }],
  });
  const revise = await scene.ended(REPO, issue, 1);
  expect(revise).toMatchObject({ cli: 'claude', status: 'succeeded', pullRequest: work.pullRequest });
  expect(revise.threadId).not.toBe(work.threadId);
  const [prompt] = await scene.sql`select prompt from agent_assignments where run_id = ${revise.id}`;
  expect(prompt?.['prompt']).toContain('An earlier agent (Codex) worked on this');
});
