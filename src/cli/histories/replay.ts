/** Replays histories against this build's workflow code: a nondeterministic change would break running workflows. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { historyToJSON } from '../../temporal/history-json.ts';
import {
  bundleWorkflowCode,
  DefaultLogger,
  Runtime,
  Worker,
  type ReplayHistoriesIterable,
  type WorkflowBundleOption,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { TASK_QUEUE } from '../../../workflows/messages.ts';
import { CommandProblem } from '../../terminal/problems.ts';
import { dataConverter } from '../../temporal/data-converter.ts';
import type { TemporalAccess } from '../../temporal/access.ts';
import { withTemporal } from './temporal-access.ts';

type History = Parameters<typeof Worker.runReplayHistory>[1];

/** A history and its name. */
export interface NamedHistory {
  readonly workflowId: string;
  /** A file, or the id of an execution. */
  readonly source: string;
  readonly history: History;
}

export interface Replayed {
  readonly workflowId: string;
  readonly source: string;
  readonly events: number;
  /** The error of the replay, as a nondeterminism error (TMPRL1100); null if it succeeded. */
  readonly failure: string | null;
}

const WORKFLOWS = fileURLToPath(new URL('../../../workflows/index.ts', import.meta.url));

/** The history of a workflow's newest execution, as Temporal's own JSON. */
export async function readHistory(address: TemporalAccess, workflowId: string): Promise<string> {
  return withTemporal(address, async (client) =>
    historyToJSON(await client.workflow.getHandle(workflowId).fetchHistory()),
  );
}

/** Silences Temporal's logger: the command reports replay errors itself, and workflow logs were written when the workflow ran. */
export function silenceTemporal(): void {
  Runtime.install({ logger: new DefaultLogger('ERROR', () => {}), telemetryOptions: { logging: { forward: {} } } });
}

/** Bundles the workflows of this build, or those that `workflowsPath` names. */
export async function bundleWorkflows(workflowsPath: string = WORKFLOWS): Promise<WorkflowBundleWithSourceMap> {
  return bundleWorkflowCode({ workflowsPath, ...dataConverter, logger: new DefaultLogger('ERROR') });
}

/**
 * Replays histories one after the other; only one is in memory at a time. A history that cannot be read fails as well.
 */
export async function* replayHistories(
  workflowBundle: WorkflowBundleOption,
  histories: AsyncIterable<NamedHistory>,
): AsyncGenerator<Replayed> {
  let replaying: NamedHistory | undefined;
  async function* pushed(): ReplayHistoriesIterable {
    for await (const named of histories) {
      replaying = named;
      yield named;
    }
  }
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle, dataConverter }, pushed())) {
    const { source = '', history } = replaying ?? {};
    yield {
      workflowId,
      source,
      events: (history as { events?: readonly unknown[] } | undefined)?.events?.length ?? 0,
      failure: error?.message ?? null,
    };
  }
}

/** The histories that are recorded in a directory (test/histories/README.md), by name. Having none is an error. */
export async function* historiesIn(directory: string): AsyncGenerator<NamedHistory> {
  const entries = await readdir(directory).catch((error: Error) => {
    throw new CommandProblem(`${directory} cannot be read: ${error.message}`);
  });
  const files = entries.filter((file) => file.endsWith('.json')).toSorted();
  if (files.length === 0) throw new CommandProblem(`${directory} contains no histories (*.json)`);
  for (const source of files) {
    const recorded = JSON.parse(await readFile(join(directory, source), 'utf8')) as Omit<NamedHistory, 'source'>;
    yield { ...recorded, source };
  }
}

/** The history of one workflow's newest execution. */
export async function* historyOf(client: Client, workflowId: string): AsyncGenerator<NamedHistory> {
  yield { workflowId, source: workflowId, history: await client.workflow.getHandle(workflowId).fetchHistory() };
}

/** The histories of all running workflows of a namespace, also of those that complete meanwhile. */
export async function* runningHistories(client: Client): AsyncGenerator<NamedHistory> {
  const query = `ExecutionStatus = 'Running' AND TaskQueue = '${TASK_QUEUE}'`;
  for await (const { workflowId, runId } of client.workflow.list({ query, pageSize: 1000 })) {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    yield { workflowId, source: runId, history };
  }
}
