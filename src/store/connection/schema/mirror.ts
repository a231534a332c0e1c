/** What mirrors Temporal's histories, and the audit trail; a rebuild makes it again. */
import { sql } from 'drizzle-orm';
import { index, integer, jsonb, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import type { Failure, RunStatus } from '../../../domain/run/runs.ts';
import type { RunWait } from '../../../domain/run/waits.ts';
import type { PriorIssueState } from '../../../domain/issue/gates.ts';
import type { RunKind, Stage } from '../../../domain/stages/stages.ts';
import { githubId, instant } from './columns.ts';

/** An issue as its workflow last recorded it. */
export const issues = pgTable(
  'issues',
  {
    /** `issue:<repository id>#<number>`, the workflow's id. */
    key: text('key').primaryKey(),
    repositoryId: githubId('repository_id').notNull(),
    number: integer('number').notNull(),
    title: text('title').notNull(),
    url: text('url').notNull(),
    state: text('state').$type<'working' | 'waiting' | 'closed'>().notNull(),
    /** What the issue is waiting for: review, label, agent. */
    waitingFor: text('waiting_for'),
    stage: text('stage').$type<Stage>(),
    activeRunId: uuid('active_run_id'),
    queued: integer('queued').notNull().default(0),
    pullRequest: integer('pull_request'),
    workspace: text('workspace'),
    /** The stages that are done: a closed issue that is reopened continues with them. */
    past: jsonb('past').$type<PriorIssueState>(),
    /** Counts the writes of the workflow; an older one never overwrites a newer one. */
    revision: integer('revision').notNull(),
    updatedAt: instant('updated_at').notNull(),
  },
  (table) => [
    index('issues_updated').on(table.updatedAt),
    index('issues_open')
      .on(table.repositoryId, table.number)
      .where(sql`state <> 'closed'`),
  ],
);

export const runs = pgTable(
  'runs',
  {
    id: uuid('id').primaryKey(),
    issueKey: text('issue_key').notNull(),
    repositoryId: githubId('repository_id').notNull(),
    issueNumber: integer('issue_number').notNull(),
    stage: text('stage').$type<Stage>().notNull(),
    kind: text('kind').$type<RunKind>().notNull(),
    /** `label:<event id>`, `review:<review id>` or `comment:<comment id>`, with GitHub's id. */
    trigger: text('trigger').notNull(),
    triggeredBy: text('triggered_by').notNull(),
    correlationId: text('correlation_id').notNull(),
    status: text('status').$type<RunStatus>().notNull(),
    failure: text('failure').$type<Failure>(),
    detail: text('detail'),
    branch: text('branch').notNull(),
    workspace: text('workspace'),
    pullRequest: integer('pull_request'),
    pullRequestUrl: text('pull_request_url'),
    statusCommentUrl: text('status_comment_url'),
    /** The agent's program; null before it is chosen, and for a run of a version before 0.5.0. */
    cli: text('cli'),
    model: text('model'),
    reasoningEffort: text('reasoning_effort'),
    threadId: text('thread_id'),
    /** The kind of wait, while it waits. */
    wait: jsonb('wait').$type<RunWait>(),
    revision: integer('revision').notNull(),
    createdAt: instant('created_at').notNull(),
    startedAt: instant('started_at'),
    finishedAt: instant('finished_at'),
  },
  (table) => [
    index('runs_issue').on(table.issueKey, table.createdAt),
    index('runs_created').on(table.createdAt),
    index('runs_trigger').on(table.issueKey, table.trigger),
    index('runs_unfinished')
      .on(table.createdAt)
      .where(sql`finished_at is null`),
  ],
);

/** The audit trail: append-only, a hash chain for each issue (docs/decisions.md, 9). */
export const flowEvents = pgTable(
  'flow_events',
  {
    /** Deterministic, so that a repeated write adds no row. */
    id: text('id').primaryKey(),
    /** The issue's key, or `platform` for events without an issue. */
    chain: text('chain').notNull(),
    seq: integer('seq').notNull(),
    type: text('type').notNull(),
    actorType: text('actor_type').$type<'human' | 'agent' | 'system'>().notNull(),
    actorId: text('actor_id').notNull(),
    runId: uuid('run_id'),
    correlationId: text('correlation_id'),
    payload: jsonb('payload').$type<Record<string, unknown>>().notNull(),
    occurredAt: instant('occurred_at').notNull(),
    previousHash: text('previous_hash').notNull(),
    /** sha256 over the previous hash and this row's content, hexadecimal. */
    hash: text('hash').notNull(),
  },
  (table) => [
    uniqueIndex('flow_events_chain').on(table.chain, table.seq),
    index('flow_events_run').on(table.runId),
    index('flow_events_occurred').on(table.occurredAt),
  ],
);
