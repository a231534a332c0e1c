/** A read model that is written by the real projections, and the histories that Temporal would hold of it. */
import postgres from 'postgres';
import type { Database } from '../../../src/store/connection/database.ts';
import { appendEvent, PLATFORM_CHAIN, type FlowEvent } from '../../../src/store/audit/events.ts';
import {
  projectIssue,
  projectRun,
  type IssueRow,
  type RunRow,
} from '../../../src/read-model/projections/projections.ts';
import type {
  RecordedExecution,
  RecordedHistories,
  RecordedWrite,
} from '../../../src/read-model/audit/recorded-chain.ts';
import { deliveries } from '../../../src/store/connection/schema.ts';
import { keyOf } from '../../support/tables.ts';

/** What became of the activity: reported, done but never reported, asked for and not done yet, or given up. */
export type Fate = 'written' | 'unreported' | 'not_done' | 'given_up';

const BEGAN = '2026-11-21T10:00:00.000Z';

export function runIdOf(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
}

export type RecordedWorld = ReturnType<typeof createRecordedWorld>;

export function createRecordedWorld(db: Database) {
  const writes: RecordedWrite[] = [];
  const executions = new Map<string, RecordedExecution>();
  const revisions = new Map<string, number>();
  let now = Date.parse(BEGAN);

  function next(key: string): { revision: number; at: number; instant: string } {
    const revision = (revisions.get(key) ?? 0) + 1;
    revisions.set(key, revision);
    now += 1000;
    return { revision, at: now, instant: new Date(now).toISOString() };
  }

  /** As Temporal does: what is asked for stands in the history before it is done, its result afterwards. */
  async function record(
    write: Pick<RecordedWrite, 'workflowId' | 'at' | 'issue' | 'run' | 'events'>,
    fate: Fate,
    project: () => Promise<RecordedWrite['links']>,
  ): Promise<void> {
    const execution = `execution of ${write.workflowId}`;
    executions.set(write.workflowId, { workflowId: write.workflowId, id: execution, begins: true });
    const scheduled: RecordedWrite = { ...write, execution, links: null, outcome: 'open' };
    writes.push(scheduled);
    const links = fate === 'not_done' ? null : await project();
    if (fate === 'written') Object.assign(scheduled, { links, outcome: 'written' });
    if (fate === 'given_up') Object.assign(scheduled, { outcome: 'given_up' });
  }

  return {
    /** The workflow of an issue shows it, with some events. */
    async issue(
      number: number,
      events = 1,
      fate: Fate = 'written',
      more: Partial<IssueRow> = {},
    ): Promise<FlowEvent[]> {
      const key = keyOf(number);
      const { revision, at, instant } = next(key);
      const row: IssueRow = {
        key,
        repositoryId: 42,
        number,
        title: `revision ${revision}`,
        url: `https://github.com/acme/demo/issues/${number}`,
        state: 'working',
        waitingFor: null,
        stage: 'dev',
        activeRunId: null,
        queued: 0,
        pullRequest: null,
        workspace: null,
        past: null,
        revision,
        updatedAt: instant,
        ...more,
      };
      const happened = Array.from({ length: events }, (_, index) =>
        eventOf(`${key}:${BEGAN}:${revision}:${index}`, key, {
          occurredAt: instant,
          payload: { revision, nested: { ä: [1.5, null] } },
        }),
      );
      await record({ workflowId: key, at, issue: row, run: null, events: happened }, fate, () =>
        projectIssue(db, row, happened),
      );
      return happened;
    },

    /** The workflow of an issue's run shows it, with some events. */
    async run(number: number, run: number, events = 1, fate: Fate = 'written'): Promise<FlowEvent[]> {
      const key = keyOf(number);
      const id = runIdOf(run);
      const { revision, at, instant } = next(id);
      const row: RunRow = {
        id,
        issueKey: key,
        repositoryId: 42,
        issueNumber: number,
        stage: 'dev',
        kind: 'work',
        trigger: 'label:100',
        triggeredBy: 'olivia',
        correlationId: 'd1',
        status: 'working',
        failure: null,
        detail: `revision ${revision}`,
        branch: `codex/issue-${number}`,
        workspace: null,
        pullRequest: null,
        pullRequestUrl: null,
        statusCommentUrl: null,
        cli: null,
        model: null,
        reasoningEffort: null,
        threadId: null,
        wait: null,
        revision,
        createdAt: BEGAN,
        startedAt: instant,
        finishedAt: null,
      };
      const happened = Array.from({ length: events }, (_, index) =>
        eventOf(`run:${id}:${revision * 10 + index}`, key, { occurredAt: instant, runId: id }),
      );
      await record({ workflowId: `run:${id}`, at, issue: null, run: row, events: happened }, fate, () =>
        projectRun(db, row, happened),
      );
      return happened;
    },

    /** A delivery is kept, with its audit event. */
    async delivery(id: string, number: number | null): Promise<void> {
      now += 1000;
      const receivedAt = new Date(now);
      const issueKey = number === null ? null : keyOf(number);
      const event = eventOf(`webhook:${id}`, issueKey ?? PLATFORM_CHAIN, {
        type: 'webhook.received',
        actorType: 'system',
        actorId: 'github-webhook',
        correlationId: id,
        payload: { event: 'issues', reason: 'recorded' },
        occurredAt: receivedAt.toISOString(),
      });
      await db.transaction(async (tx) => {
        const { seq, hash } = await appendEvent(tx, event);
        await tx.insert(deliveries).values({
          id,
          event: 'issues',
          body: Buffer.from('{}'),
          status: 'accepted',
          reason: 'recorded',
          issueKey,
          eventPayload: { ...event.payload },
          eventSeq: seq,
          eventHash: hash,
          receivedAt,
        });
      });
    },

    /** What was asked for last is done again, as after a worker that died before it could report. */
    async again(): Promise<void> {
      const last = writes.at(-1);
      if (last?.issue) await projectIssue(db, last.issue, last.events);
      if (last?.run) await projectRun(db, last.run, last.events);
    },

    /** Temporal drops the histories of a workflow. */
    forget(workflowId: string): void {
      executions.delete(workflowId);
      for (let index = writes.length - 1; index >= 0; index -= 1)
        if (writes[index]?.workflowId === workflowId) writes.splice(index, 1);
    },

    writes,

    histories: {
      chains: async () => [...new Set(writes.map(({ issue, run }) => issue?.key ?? run?.issueKey ?? ''))],
      read: async (chain) => ({
        executions: [...executions.values()].filter(({ workflowId }) =>
          writes.some(
            (write) => write.workflowId === workflowId && (write.issue?.key ?? write.run?.issueKey) === chain,
          ),
        ),
        writes: writes.filter(({ issue, run }) => (issue?.key ?? run?.issueKey) === chain),
      }),
    } satisfies RecordedHistories,
  };
}

function eventOf(id: string, chain: string, more: Partial<FlowEvent>): FlowEvent {
  return {
    id,
    chain,
    type: 'run.started',
    actorType: 'human',
    actorId: 'olivia',
    runId: null,
    correlationId: null,
    payload: {},
    occurredAt: BEGAN,
    ...more,
  };
}

/** A pool as `codex-k8s read-model rebuild` has it. */
export function rebuildPool(url: string): postgres.Sql {
  return postgres(`${url}?search_path=public,codexk8s_rebuild`, { max: 6, onnotice: () => {} });
}
