/** Replays what happened against this build's workflow code: a difference would break workflows that live. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';

/** This build's workflows. */
export async function workflowBundle(): Promise<WorkflowBundleWithSourceMap> {
  return bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)),
    logger: new DefaultLogger('WARN'),
  });
}

/** The history of a workflow's newest execution. */
export async function readHistory({ address, namespace }: { address: string; namespace: string }, workflowId: string) {
  const connection = await Connection.connect({ address, connectTimeout: '5 seconds' });
  try {
    return await new Client({ connection, namespace }).workflow.getHandle(workflowId).fetchHistory();
  } finally {
    await connection.close();
  }
}

/** Throws a DeterminismViolationError where this build would have done something else. */
export async function replayHistory(history: unknown, workflowId: string): Promise<void> {
  await Worker.runReplayHistory(
    { workflowBundle: await workflowBundle(), replayName: workflowId },
    history,
    workflowId,
  );
}

/** A recorded history, as JSON. */
export async function readRecordedHistory(path: string | URL): Promise<unknown> {
  return JSON.parse(await readFile(path, 'utf8'));
}
