/** An agent calls the platform's tools: the real Codex, from its model to the audit trail and the status comment. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeScene, openScene, type Scene } from './support/scene.ts';

const REPO = 'tools';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
  await scene.bindRepository(REPO);
});
afterAll(async () => {
  await closeScene(scene);
});

test('an agent reports what it does and reads its issue; people see both', async () => {
  const { person, sql } = scene;
  const issue = await person.openIssue(REPO, {
    // A run that fails shows in its comment what its agent reported.
    title: 'A wish [script: not-json]',
    body: [
      'Please.',
      '[tool: run_status_report {"status":"Reading the issue"}]',
      '[tool: github_issue_get]',
      '[tool: github_labels_add {"labels":["parser"]}]',
    ].join('\n'),
  });
  await person.label(REPO, issue, 'run:dev');
  const run = await scene.ended(REPO, issue);
  const events = await sql<{ type: string; tool: string; outcome: string | null }[]>`
    select type, payload ->> 'tool' as tool, payload ->> 'outcome' as outcome
    from flow_events where run_id = ${run.id} and type like 'mcp.%' order by seq`;
  expect(events.map(({ type, tool, outcome }) => [type, tool, outcome])).toEqual([
    ['mcp.tool.called', 'run_status_report', null],
    ['mcp.tool.succeeded', 'run_status_report', 'applied'],
    ['mcp.tool.called', 'github_issue_get', null],
    ['mcp.tool.succeeded', 'github_issue_get', 'read'],
    ['mcp.tool.called', 'github_labels_add', null],
    ['mcp.tool.succeeded', 'github_labels_add', 'applied'],
  ]);
  const { data } = await person.octokit.rest.issues.listComments({
    owner: person.login,
    repo: REPO,
    issue_number: issue,
  });
  expect(data.map(({ body }) => body).join('\n')).toMatch(
    /What the agent is doing \(UTC\)[^]*\d\d:\d\d:\d\d {2}Reading the issue/,
  );
});
