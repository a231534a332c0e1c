/** Reads from Temporal's histories what was written to the read model, execution by execution and page by page. */
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import pLimit from 'p-limit';
import { issueKey } from '../../domain/issue/facts.ts';
import type { ChainLink, FlowEvent } from '../../store/audit/events.ts';
import type { IssueRow, RunRow } from '../../read-model/projections/projections.ts';
import type {
  RecordedChain,
  RecordedExecution,
  RecordedHistories,
  RecordedWrite,
} from '../../read-model/audit/recorded-chain.ts';
import type { RunInput } from '../../../workflows/messages.ts';

/** Histories that are read concurrently. */
const AT_ONCE = 16;
/** gRPC's code. */
const NOT_FOUND = 5;

type HistoryPage = Awaited<ReturnType<Client['workflowService']['getWorkflowExecutionHistory']>>;
type HistoryEvent = NonNullable<NonNullable<HistoryPage['history']>['events']>[number];

interface ExecutionRef {
  readonly workflowId: string;
  readonly runId: string;
}

/** Reads through `client`, in its namespace. */
export function createRecordedHistories(client: Client): RecordedHistories {
  const limit = pLimit(AT_ONCE);
  let listing: Promise<Map<string, ExecutionRef[]>> | undefined;

  /** All executions that Temporal lists, by the chain that they write to. */
  async function list(): Promise<Map<string, ExecutionRef[]>> {
    const chains = new Map<string, ExecutionRef[]>();
    const query = "WorkflowType IN ('issueWorkflow', 'runWorkflow')";
    for await (const { workflowId, runId, type, parentExecution } of client.workflow.list({ query, pageSize: 1000 })) {
      const ref = { workflowId, runId };
      const chain = type === 'issueWorkflow' ? workflowId : (parentExecution?.workflowId ?? (await chainOfRun(ref)));
      if (chain === undefined) continue;
      chains.set(chain, [...(chains.get(chain) ?? []), ref]);
    }
    return chains;
  }

  /** The chain of a run without a parent, from the issue in its input. */
  async function chainOfRun(ref: ExecutionRef): Promise<string | undefined> {
    for await (const event of historyOf(ref)) {
      const started = event.workflowExecutionStartedEventAttributes;
      return started ? issueKey((decode(started.input) as RunInput).issue) : undefined;
    }
    return undefined;
  }

  async function* historyOf({
    workflowId,
    runId,
  }: {
    workflowId: string;
    runId?: string;
  }): AsyncGenerator<HistoryEvent> {
    let nextPageToken: Uint8Array | undefined;
    do {
      const page: HistoryPage = await limit(() =>
        client.workflowService.getWorkflowExecutionHistory({
          namespace: client.options.namespace,
          execution: { workflowId, ...(runId !== undefined && { runId }) },
          ...(nextPageToken && { nextPageToken }),
        }),
      );
      yield* page.history?.events ?? [];
      nextPageToken = page.nextPageToken?.length ? page.nextPageToken : undefined;
    } while (nextPageToken);
  }

  /** Reads one execution, the newest of its workflow if no Temporal run id is given; undefined if Temporal has deleted it. */
  async function readExecution(ref: { workflowId: string; runId?: string }): Promise<ReadExecution | undefined> {
    const read = createExecutionReader(ref.workflowId);
    try {
      for await (const event of historyOf(ref)) read.event(event);
    } catch (error) {
      if ((error as { code?: unknown }).code === NOT_FOUND) return undefined;
      throw error;
    }
    return read.end();
  }

  async function listed(chain: string): Promise<ExecutionRef[]> {
    if (listing) return (await listing).get(chain) ?? [];
    const refs: ExecutionRef[] = [];
    for await (const { workflowId, runId } of client.workflow.list({
      query: `WorkflowId = '${chain.replaceAll("'", "''")}'`,
    }))
      refs.push({ workflowId, runId });
    return refs;
  }

  return {
    async chains() {
      listing = list();
      return [...(await listing).keys()];
    },

    /** Finds executions newer than the list from the newest one: its predecessors and the runs that each of them started. */
    async read(chain): Promise<RecordedChain> {
      if (!chain.startsWith('issue:')) return { executions: [], writes: [] };
      const [newest, refs] = await Promise.all([readExecution({ workflowId: chain }), listed(chain)]);
      const done = new Map<string, ReadExecution>(newest && [[newest.execution.id, newest]]);
      let wanted = [...refs, ...(newest?.mentions ?? [])];
      while (wanted.length > 0) {
        const missing = new Map(wanted.filter(({ runId }) => !done.has(runId)).map((ref) => [ref.runId, ref]));
        const read = await Promise.all([...missing.values()].map(readExecution));
        const found = read.filter((one) => one !== undefined);
        for (const one of found) done.set(one.execution.id, one);
        wanted = found.flatMap(({ mentions }) => mentions).filter(({ runId }) => !missing.has(runId));
      }
      const all = [...done.values()];
      return { executions: all.map(({ execution }) => execution), writes: all.flatMap(({ writes }) => writes) };
    },
  };
}

interface ReadExecution {
  readonly execution: RecordedExecution;
  readonly writes: readonly RecordedWrite[];
  /** Executions that this one refers to: its predecessor and the runs that it started. */
  readonly mentions: readonly ExecutionRef[];
}

/** The activities that write to the read model (activities/records/records.ts, runs.ts). They return the positions of events in their chains. */
const RECORDS = new Set(['recordIssue', 'recordRun', 'showRun']);
type Recorded = readonly ChainLink[] | { readonly links: readonly ChainLink[] };

function createExecutionReader(workflowId: string): {
  event(event: HistoryEvent): void;
  end(): ReadExecution | undefined;
} {
  let execution: RecordedExecution | undefined;
  const writes = new Map<string, RecordedWrite>();
  const mentions: ExecutionRef[] = [];

  function ended(scheduled: unknown, end: Pick<RecordedWrite, 'outcome' | 'links'>): void {
    const write = writes.get(String(scheduled));
    if (write) writes.set(String(scheduled), { ...write, ...end });
  }

  function started({
    originalExecutionRunId,
    continuedExecutionRunId,
  }: NonNullable<HistoryEvent['workflowExecutionStartedEventAttributes']>): void {
    execution = { workflowId, id: originalExecutionRunId ?? '', begins: !continuedExecutionRunId };
    if (continuedExecutionRunId) mentions.push({ workflowId, runId: continuedExecutionRunId });
  }

  return {
    event(event) {
      if (event.workflowExecutionStartedEventAttributes) started(event.workflowExecutionStartedEventAttributes);
      const asked = event.activityTaskScheduledEventAttributes;
      if (asked && RECORDS.has(asked.activityType?.name ?? '')) {
        const { row, events } = decode(asked.input) as { row: IssueRow | RunRow; events: FlowEvent[] };
        const issue = 'key' in row ? row : null;
        const run = 'key' in row ? null : row;
        const at = Number(event.eventTime?.seconds ?? 0) * 1000 + (event.eventTime?.nanos ?? 0) / 1e6;
        writes.set(String(event.eventId), {
          workflowId,
          execution: execution?.id ?? '',
          at,
          issue,
          run,
          events,
          links: null,
          outcome: 'open',
        });
      }
      const completed = event.activityTaskCompletedEventAttributes;
      if (completed && writes.has(String(completed.scheduledEventId))) {
        const recorded = decode(completed.result) as Recorded;
        ended(completed.scheduledEventId, {
          outcome: 'written',
          links: 'links' in recorded ? recorded.links : recorded,
        });
      }
      const givenUp =
        event.activityTaskFailedEventAttributes ??
        event.activityTaskTimedOutEventAttributes ??
        event.activityTaskCanceledEventAttributes;
      if (givenUp) ended(givenUp.scheduledEventId, { outcome: 'given_up', links: null });
      const child = event.childWorkflowExecutionStartedEventAttributes?.workflowExecution;
      if (child?.workflowId && child.runId) mentions.push({ workflowId: child.workflowId, runId: child.runId });
    },
    end: () => execution && { execution, writes: [...writes.values()], mentions },
  };
}

/** The first value of an activity's or a workflow's payloads. */
function decode(payloads: { payloads?: Payload[] | null } | null | undefined): unknown {
  const [payload] = payloads?.payloads ?? [];
  if (!payload) throw new Error('history event without the expected payload');
  return defaultPayloadConverter.fromPayload(payload);
}
