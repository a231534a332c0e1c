import { beforeEach, expect, test } from 'vitest';
import { createSealing } from '../../../src/adapters/sealing.ts';
import { createCallPerformer } from '../../../src/app/worker/call-performer.ts';
import { storeAssignment } from '../../../src/store/runs/assignments.ts';
import type { ToolCall } from '../../../src/store/runs/tool-calls.ts';
import { keepArguments } from '../../../src/tools/sealed-arguments.ts';
import { useApi } from '../../ingress/api/support/api.ts';
import { putRun, runId } from '../../ingress/dashboard/support/world.ts';
import { assignmentOf } from '../../support/tables.ts';

const api = useApi();
const sealing = createSealing('k'.repeat(32));
const ARGS = {
  environment: 'dev',
  github_secret_name: 'SHOP_KEY',
  kubernetes_secret_name: 'shop',
  kubernetes_secret_key: 'value',
  policy: 'provided',
  secret_value: 'the value itself',
  dry_run: false,
} as const;

let performed: unknown[];

const performer = () =>
  createCallPerformer({
    db: api.connection.db,
    sealing,
    performers: {
      async 'secret.sync.github_k8s'(args, { run, key }) {
        performed.push({ args, key, attempt: run.attempt });
        return { status: 'ok', message: 'applied' };
      },
    },
  });

function call(more: Partial<ToolCall> = {}): ToolCall {
  const kept = keepArguments('secret.sync.github_k8s', ARGS, runId(1), sealing);
  const row = { id: `${runId(1)}:1`, runId: runId(1), attempt: 2, tool: 'secret.sync.github_k8s', action: 'call' };
  return { ...row, ...kept, ...more } as ToolCall;
}

beforeEach(async () => {
  performed = [];
  await putRun(api.connection.db, 1);
  await storeAssignment(api.connection.db, { ...assignmentOf(runId(1)), stage: 'ops' });
});

test('an approved call is performed with its sealed arguments opened, and the same key at each try', async () => {
  const stored = call();
  expect(stored.args).not.toContain(ARGS.secret_value);
  expect(await performer().perform(stored)).toEqual({ status: 'ok', message: 'applied' });
  await performer().perform(stored);
  const once = { args: ARGS, key: `${runId(1)}:${stored.digest.slice(0, 32)}`, attempt: 2 };
  expect(performed).toEqual([once, once]);
});

test('arguments that were changed after the approval are not performed', async () => {
  const args = call().args.replace('SHOP_KEY', 'ROOT_KEY');
  expect(await performer().perform(call({ args }))).toMatchObject({ status: 'failed', reason: 'refused' });
  expect(performed).toEqual([]);
});

test('a tool that nothing performs here fails, with the reason for the agent', async () => {
  const kept = keepArguments('run_status_report', { status: 'busy' }, runId(1), sealing);
  const other = call({ tool: 'run_status_report', ...kept });
  expect(await performer().perform(other)).toMatchObject({ status: 'failed', reason: 'not_available_here' });
  expect(await performer().perform(call({ tool: 'gone.tool' }))).toMatchObject({ status: 'failed' });
});
