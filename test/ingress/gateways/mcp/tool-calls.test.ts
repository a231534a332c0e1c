import { eq } from 'drizzle-orm';
import { beforeEach, expect, test } from 'vitest';
import { verifyAuditTrail, type AuditCounts, type AuditProblem } from '../../../../src/read-model/audit/audit.ts';
import { flowEvents } from '../../../../src/store/connection/schema.ts';
import { findCall, moveCall } from '../../../../src/store/runs/tool-calls.ts';
import type { ToolName } from '../../../../src/domain/tools/catalogue.ts';
import type { ToolPerformers } from '../../../../src/tools/performers.ts';
import { openArguments } from '../../../../src/tools/sealed-arguments.ts';
import { bind, keyOf, useTables, verifiedChain } from '../../../support/tables.ts';
import { createScene, SEALING } from './support/mcp-scene.ts';

const tables = useTables();
let performed: [tool: string, args: unknown][];

const recording = (tool: ToolName): ToolPerformers => ({
  [tool]: async (args: unknown) => {
    performed.push([tool, args]);
    return { status: 'ok', message: 'applied', n: performed.length };
  },
});
const performers: ToolPerformers = {
  ...recording('run_status_report'),
  ...recording('github_labels_add'),
  ...recording('github_labels_remove'),
  ...recording('database.lifecycle'),
};

beforeEach(async () => {
  performed = [];
  await tables.clear();
  await bind(tables.db);
});

test('a tool of another role is neither listed nor carried out', async () => {
  const mcp = createScene(tables, performers);
  const { token } = await mcp.startRun('dev');
  expect(await mcp.list(token)).not.toContain('database.lifecycle');
  const answer = await mcp.call(token, 'database.lifecycle', {
    environment: 'dev',
    action: 'describe',
    database_name: 'a',
  });
  expect(answer).toMatchObject({ isError: true, message: 'tool database.lifecycle is not available for this run' });
  expect(performed).toEqual([]);
  expect(await mcp.events()).toMatchObject([{ type: 'mcp.tool.failed', payload: { outcome: 'not_available' } }]);
});

test('a tool that nobody knows is refused, and its name harms nobody', async () => {
  const mcp = createScene(tables, performers);
  const { token } = await mcp.startRun();
  const answer = await mcp.call(token, '<script>\n'.repeat(50));
  expect(String(answer['message'])).toMatch(/^tool [\w.?-]{64} is not available for this run$/);
});

test('arguments that are wrong are refused with what is wrong, and are in no event', async () => {
  const mcp = createScene(tables, performers);
  const { token } = await mcp.startRun();
  const answer = await mcp.call(token, 'run_status_report', { status: 'hunter2 '.repeat(50) });
  expect(answer).toMatchObject({ isError: true, message: expect.stringContaining('status:') as string });
  expect(JSON.stringify(await mcp.events())).not.toContain('hunter2');
});

test('a call is carried out at once and is in the audit trail, without its arguments', async () => {
  const mcp = createScene(tables, performers);
  const { token, runId } = await mcp.startRun();
  expect(await mcp.call(token, 'run_status_report', { status: 'Reading the parser' })).toMatchObject({ status: 'ok' });
  const events = await mcp.events();
  expect(events).toMatchObject([
    { type: 'mcp.tool.called', runId, payload: { tool: 'run_status_report' } },
    { type: 'mcp.tool.succeeded', payload: { outcome: 'applied', milliseconds: expect.any(Number) as number } },
  ]);
  expect(JSON.stringify(events)).not.toContain('parser');
  await expect(verifiedChain(tables.db, `tools:${keyOf(7)}`)).resolves.toHaveLength(2);
});

test('the same call again is given the recorded result', async () => {
  const mcp = createScene(tables, performers);
  const { token } = await mcp.startRun();
  const first = await mcp.call(token, 'github_labels_add', { labels: ['bug'] });
  expect(await mcp.call(token, 'github_labels_add', { labels: ['bug'] })).toEqual({ ...first, reused: true });
  expect(performed).toHaveLength(1);
});

test('the same two calls at once are carried out once', async () => {
  const mcp = createScene(tables, performers);
  const { token } = await mcp.startRun();
  await Promise.all([1, 2, 3].map(() => mcp.call(token, 'github_labels_add', { labels: ['bug'] })));
  expect(performed).toHaveLength(1);
});

test('a label that was taken off meanwhile is put on again', async () => {
  const mcp = createScene(tables, performers);
  const { token } = await mcp.startRun();
  await mcp.call(token, 'github_labels_add', { labels: ['bug'] });
  await mcp.call(token, 'github_labels_remove', { labels: ['bug'] });
  await mcp.call(token, 'github_labels_add', { labels: ['bug'] });
  expect(performed).toHaveLength(3);
});

test('a call that fails for a reason that may pass is not recorded', async () => {
  let fails = true;
  const mcp = createScene(tables, {
    run_status_report: async () => {
      if (fails) throw new Error('connect ECONNREFUSED 10.0.0.1:5432 secret-host');
      return { status: 'ok', message: 'applied' };
    },
  });
  const { token } = await mcp.startRun();
  const answer = await mcp.call(token, 'run_status_report', { status: 'x' });
  expect(answer).toMatchObject({ isError: true, status: 'failed' });
  expect(JSON.stringify(answer)).not.toContain('secret-host');
  fails = false;
  expect(await mcp.call(token, 'run_status_report', { status: 'x' })).toEqual({
    isError: false,
    status: 'ok',
    message: 'applied',
  });
});

test('a call that needs a person is parked, answered at once and told to the platform', async () => {
  const mcp = createScene(tables, performers);
  const { token, runId } = await mcp.startRun();
  const answer = await mcp.call(token, 'github_labels_add', { labels: ['bug', 'run:release'] });
  expect(answer).toMatchObject({
    status: 'approval_required',
    request: `${runId}:1`,
    message: expect.stringContaining('End your turn now') as string,
    isError: false,
  });
  expect(performed).toEqual([]);
  expect(mcp.parked).toEqual([{ id: `${runId}:1`, runId, attempt: 1, issueKey: keyOf(7), tool: 'github_labels_add' }]);
  expect(await findCall(tables.db, `${runId}:1`)).toMatchObject({
    state: 'requested',
    action: 'add:run:release',
    args: '{"labels":["bug","run:release"]}',
    decision: { mode: 'owner' },
    policy: { version: 1 },
  });
  expect((await mcp.events()).at(-1)).toMatchObject({
    type: 'mcp.tool.approval_pending',
    payload: { outcome: 'owner' },
  });
});

test.each([
  'Run:Release',
  ' run:release ',
  'state:approved',
  'need:reviewer',
  'mode:discussion',
  '[ai-model-gpt-5.5]',
  'profile:feature',
])('the label %j is not put on without a person', async (label) => {
  const mcp = createScene(tables, performers);
  const { token } = await mcp.startRun();
  expect(await mcp.call(token, 'github_labels_add', { labels: [label] })).toMatchObject({
    status: 'approval_required',
  });
});

test('a label by which people hold the work is not taken off without a person', async () => {
  const mcp = createScene(tables, performers);
  const { token } = await mcp.startRun();
  const answer = await mcp.call(token, 'github_labels_remove', { labels: ['state:blocked'] });
  expect(answer).toMatchObject({ status: 'approval_required' });
});

test('while a run waits for a person, its agent calls nothing else', async () => {
  const mcp = createScene(tables, performers);
  const { token } = await mcp.startRun();
  await mcp.call(token, 'github_labels_add', { labels: ['run:release'] });
  const other = await mcp.call(token, 'run_status_report', { status: 'polling' });
  expect(other).toMatchObject({ isError: true, message: expect.stringContaining('waits for a person') as string });
  const again = await mcp.call(token, 'github_labels_add', { labels: ['run:release'] });
  expect(again).toMatchObject({ status: 'approval_required' });
  expect(performed).toEqual([]);
});

test('a question is parked whatever the policy says', async () => {
  const mcp = createScene(tables, performers, {
    policy: { version: 1, rules: [{ mode: 'none', reason: 'all' }] },
  });
  const { token } = await mcp.startRun();
  const answer = await mcp.call(token, 'user.decision.request', {
    question: 'Which?',
    options: [
      { option_id: 'a', label: 'A' },
      { option_id: 'b', label: 'B' },
    ],
  });
  expect(answer).toMatchObject({ status: 'approval_required', message: expect.stringContaining('question') as string });
});

test('what was denied is answered so when it is asked for again', async () => {
  const mcp = createScene(tables, performers);
  const { token, runId } = await mcp.startRun();
  await mcp.call(token, 'github_labels_add', { labels: ['run:release'] });
  await moveCall(tables.db, `${runId}:1`, 'denied', '{"status":"denied","by":"olivia","reason":"not yet"}');
  expect(await mcp.call(token, 'github_labels_add', { labels: ['run:release'] })).toMatchObject({
    status: 'denied',
    reused: true,
    isError: true,
  });
});

test('a secret value is kept sealed, and stands nowhere else', async () => {
  const mcp = createScene(tables, performers);
  const { token, runId } = await mcp.startRun('ops');
  const value = 'correct horse battery staple';
  const args = {
    environment: 'dev',
    github_secret_name: 'API_KEY',
    kubernetes_secret_name: 'api',
    policy: 'provided',
    secret_value: value,
  };
  await mcp.call(token, 'secret.sync.github_k8s', args);
  const row = await findCall(tables.db, `${runId}:1`);
  expect(JSON.stringify([row, await mcp.events()])).not.toContain('battery');
  expect(openArguments('secret.sync.github_k8s', row!, runId, SEALING)).toMatchObject(args);
  expect(() => openArguments('secret.sync.github_k8s', { ...row!, args: '{}' }, runId, SEALING)).toThrow('changed');
});

test('a secret that an agent puts into a text is hidden before anything is done with it', async () => {
  const mcp = createScene(tables, performers);
  const { token, runId } = await mcp.startRun();
  await mcp.call(token, 'run_status_report', {
    status: `token ghp_${'a1'.repeat(18)} the key of the model, 0123456789`,
  });
  expect(JSON.stringify([performed, await findCall(tables.db, `${runId}:1`)])).not.toMatch(/ghp_|0123456789/);
});

test('the audit trail of tools is verified by its own chain', async () => {
  const mcp = createScene(tables, performers);
  const { token } = await mcp.startRun();
  await mcp.call(token, 'run_status_report', { status: 'Reading' });
  await mcp.call(token, 'run_status_report', { status: 'Writing' });
  const { sql } = tables.another();
  const histories = { chains: async () => [], read: async () => ({ executions: [], writes: [] }) };
  const found: AuditProblem[] = [];
  const verify = (): Promise<AuditCounts> =>
    verifyAuditTrail(sql, { histories, onProblem: (problem) => void found.push(problem) });
  expect(await verify()).toMatchObject({ events: 4, problems: 0 });
  await tables.db.update(flowEvents).set({ type: 'mcp.tool.failed' }).where(eq(flowEvents.seq, 2));
  await verify();
  expect(found).toMatchObject([{ kind: 'changed', seq: 2 }]);
});
