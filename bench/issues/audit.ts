/** Cost of `audit verify` and `read-model rebuild`, compared with only reading the histories. */
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { execa } from 'execa';
import pLimit from 'p-limit';
import type { Scene } from '../../test/e2e/support/scene.ts';

const CLI = fileURLToPath(new URL('../../src/cli/cli.ts', import.meta.url));
/** As many as the commands read at once. */
const AT_ONCE = 16;

export interface Audited {
  readonly events: number;
  readonly executions: number;
  /** Seconds. */
  readonly bare: number;
  readonly verify: number;
  readonly rebuild: number;
  /** Problems that the two commands found; expected to be none. */
  readonly wrong: readonly string[];
}

/** Runs both commands as a person would, each in a process of its own. */
export async function auditAll({ stack }: Scene, client: Client): Promise<Audited> {
  const bare = await timed(async () => readAll(client));
  const verify = await timed(async () => command('audit', 'verify', '--json', '--data', stack.directory));
  const rebuild = await timed(async () => command('read-model', 'rebuild', '--json', '--data', stack.directory));
  return {
    events: Number(verify.result['events']),
    executions: bare.result,
    bare: bare.seconds,
    verify: verify.seconds,
    rebuild: rebuild.seconds,
    wrong: [
      ...(verify.result['sound'] === true ? [] : ['The audit trail is not sound.']),
      ...(rebuild.result['rebuilt'] === true ? [] : ['The rebuild was refused.']),
      ...(rebuild.result['changed'] === true ? ['The rebuild changed the read model.'] : []),
    ],
  };
}

/** Reads the history of every execution once; answers how many there are. */
async function readAll(client: Client): Promise<number> {
  const query = "WorkflowType IN ('issueWorkflow', 'runWorkflow')";
  const executions: { workflowId: string; runId: string }[] = [];
  for await (const execution of client.workflow.list({ query, pageSize: 1000 })) executions.push(execution);
  await pLimit(AT_ONCE).map(executions, async ({ workflowId, runId }) =>
    client.workflow.getHandle(workflowId, runId).fetchHistory(),
  );
  return executions.length;
}

async function command(...args: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await execa(process.execPath, [CLI, ...args], { stderr: 'inherit', reject: false });
  return JSON.parse(stdout) as Record<string, unknown>;
}

async function timed<Result>(act: () => Promise<Result>): Promise<{ result: Result; seconds: number }> {
  const since = performance.now();
  const result = await act();
  return { result, seconds: (performance.now() - since) / 1000 };
}
