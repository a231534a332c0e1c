import { expect, test } from 'vitest';
import { TOOLS } from '../../src/domain/tools/catalogue.ts';
import { notDone, performTool, type ToolContext } from '../../src/tools/performers.ts';
import { actionsOf, SECRET_FIELDS, TOOL_SCHEMAS } from '../../src/tools/schemas.ts';

test('every tool of the catalogue has a schema, and no schema is without its tool', () => {
  expect(Object.keys(TOOL_SCHEMAS).toSorted()).toEqual(TOOLS.map(({ tool }) => tool).toSorted());
});

test('a field that no schema knows is refused', () => {
  const sent = { labels: ['bug'], repository: 'someone/else' };
  expect(TOOL_SCHEMAS.github_labels_add.safeParse(sent).success).toBe(false);
});

test('a secret is given with the policy provided, and with no other', () => {
  const call = { environment: 'dev', github_secret_name: 'API_KEY', kubernetes_secret_name: 'api' };
  expect(TOOL_SCHEMAS['secret.sync.github_k8s'].safeParse({ ...call, policy: 'provided' }).success).toBe(false);
  expect(TOOL_SCHEMAS['secret.sync.github_k8s'].safeParse({ ...call, secret_value: 'x' }).success).toBe(false);
  expect(TOOL_SCHEMAS['secret.sync.github_k8s'].safeParse(call).success).toBe(true);
});

test('each label of a call is an action of its own, in lower case', () => {
  const args = TOOL_SCHEMAS.github_labels_transition.parse({ remove_labels: ['bug'], add_labels: ['RUN:Dev'] });
  expect(actionsOf('github_labels_transition', args)).toEqual(['remove:bug', 'add:run:dev']);
});

test('what a database call does is its action', () => {
  const args = TOOL_SCHEMAS['database.lifecycle'].parse({ environment: 'dev', action: 'create', database_name: 'a' });
  expect(actionsOf('database.lifecycle', args)).toEqual(['create']);
});

test('a tool that nobody can carry out here says so', async () => {
  const args = TOOL_SCHEMAS.run_status_report.parse({ status: 'reading' });
  const result = await performTool({}, 'run_status_report', args, {} as ToolContext);
  expect(result).toEqual(notDone('not_available_here', expect.stringContaining('run_status_report')));
});

test('each field that is called a secret is a field of its tool', () => {
  for (const [tool, fields] of Object.entries(SECRET_FIELDS))
    for (const field of fields) expect(TOOL_SCHEMAS[tool as 'secret.sync.github_k8s'].shape).toHaveProperty([field]);
});
