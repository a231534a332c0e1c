/** Replays what happened against this build's workflow code: a difference would break workflows that live. */
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';

export interface TemporalAddress {
  readonly address: string;
  readonly namespace: string;
}

/** The history of a workflow's newest execution, as Temporal's own JSON. */
export async function readHistory({ address, namespace }: TemporalAddress, workflowId: string): Promise<string> {
  const connection = await Connection.connect({ address, connectTimeout: '5 seconds' });
  try {
    return historyToJSON(await new Client({ connection, namespace }).workflow.getHandle(workflowId).fetchHistory());
  } finally {
    await connection.close();
  }
}

/** Replays one history; returns how many events it has. Rejects with DeterminismViolationError where this build parts from it. */
export async function replayHistory(history: string, workflowId: string): Promise<number> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const parsed = JSON.parse(history) as { events?: unknown[] };
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
  await Worker.runReplayHistory({ workflowBundle, replayName: workflowId }, parsed, workflowId);
  return parsed.events?.length ?? 0;
}
