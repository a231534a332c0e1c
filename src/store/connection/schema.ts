/**
 * The tables. `deliveries`, `inboxes` and `issue_facts` are the durable intake (docs/decisions.md, 3); `agent_*` hold
 * what an agent brings; the rest mirrors Temporal's histories and can be made again from them (9).
 */
import type { Locale } from '../../domain/locale.ts';
import { sql } from 'drizzle-orm';
import {
  bigint,
  customType,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type { Fact, IssueRef } from '../../domain/issue/facts.ts';
import type { Request } from '../../domain/run/requests.ts';
import type { AgentReport, Failure, RunStatus } from '../../domain/run/runs.ts';
import type { RunWait } from '../../domain/run/waits.ts';
import type { InputSnapshot } from '../../domain/agent/snapshot.ts';
import type { ReasoningEffort } from '../../domain/stages/settings.ts';
import type { PriorIssueState } from '../../domain/issue/gates.ts';
import type { RunKind, Stage } from '../../domain/stages/stages.ts';
import { packedBytes } from './packed-bytes.ts';

const bytea = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' });
const instant = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });
const githubId = (name: string) => bigint(name, { mode: 'number' });

export const projects = pgTable('projects', {
  id: uuid('id').primaryKey().defaultRandom(),
  slug: text('slug').notNull().unique(),
  name: text('name').notNull(),
  /** Language of comments and prompts. */
  locale: text('locale').$type<Locale>().notNull().default('en'),
  /** Model and reasoning effort of agents, unless a label names others; null for the platform's default. */
  model: text('model'),
  reasoningEffort: text('reasoning_effort').$type<ReasoningEffort>(),
  /** Template for names of workspace namespaces; null for names computed from the issue. */
  namespaceTemplate: text('namespace_template'),
  /** Blocks of addresses that its agents may reach, besides those that the installation lists. */
  egress: text('egress')
    .array()
    .notNull()
    .default(sql`'{}'`),
  createdAt: instant('created_at').notNull().defaultNow(),
});

/** Namespaces that are named by a template, and the issues that hold them. */
export const workspaceSlots = pgTable('workspace_slots', {
  namespace: text('namespace').primaryKey(),
  issueKey: text('issue_key').notNull().unique(),
  leasedAt: instant('leased_at').notNull().defaultNow(),
});

/** Results of checks of the cluster: `network_policy`, for example. */
export const clusterFindings = pgTable('cluster_findings', {
  name: text('name').primaryKey(),
  state: text('state').notNull(),
  detail: text('detail').notNull(),
  foundAt: instant('found_at').notNull().defaultNow(),
});

/** A repository that is bound to a project. Its id is GitHub's, so a rename or a transfer changes nothing. */
export const repositories = pgTable('repositories', {
  id: githubId('id').primaryKey(),
  projectId: uuid('project_id')
    .notNull()
    .references(() => projects.id),
  owner: text('owner').notNull(),
  name: text('name').notNull(),
  defaultBranch: text('default_branch').notNull().default('main'),
  hookId: githubId('hook_id'),
  createdAt: instant('created_at').notNull().defaultNow(),
});

/** People the platform knows, by GitHub's account id. */
export const people = pgTable('people', {
  id: githubId('id').primaryKey(),
  login: text('login').notNull(),
  platformRole: text('platform_role').$type<'platform_owner' | 'platform_admin'>(),
  createdAt: instant('created_at').notNull().defaultNow(),
});

export const projectMembers = pgTable(
  'project_members',
  {
    projectId: uuid('project_id')
      .notNull()
      .references(() => projects.id),
    personId: githubId('person_id')
      .notNull()
      .references(() => people.id),
    role: text('role').$type<'admin' | 'read_write' | 'read'>().notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.projectId, table.personId] })],
);

/** Every delivery with a good signature, its raw bytes and what was decided. Written once; never changed but for `repeats`. */
export const deliveries = pgTable(
  'deliveries',
  {
    /** `X-GitHub-Delivery`; also the correlation id of all that follows. Not signed, so it only saves work. */
    id: text('id').primaryKey(),
    event: text('event').notNull(),
    action: text('action'),
    body: packedBytes('body').notNull(),
    status: text('status').$type<'accepted' | 'ignored'>().notNull(),
    reason: text('reason').notNull(),
    repositoryId: githubId('repository_id'),
    issueKey: text('issue_key'),
    sender: text('sender'),
    /** The run that this delivery asks for, when it asks for one. */
    runId: uuid('run_id'),
    repeats: integer('repeats').notNull().default(0),
    /** The payload of its audit event, and where that stands in its chain: so `flow_events` can be made again. */
    eventPayload: jsonb('event_payload').$type<Record<string, unknown>>(),
    eventSeq: integer('event_seq'),
    eventHash: text('event_hash'),
    receivedAt: instant('received_at').notNull().defaultNow(),
  },
  (table) => [index('deliveries_received').on(table.receivedAt), index('deliveries_issue').on(table.issueKey)],
);

/** One row for each issue that was ever told anything: how far its facts are written, and how far they are handed over. */
export const inboxes = pgTable(
  'inboxes',
  {
    issueKey: text('issue_key').primaryKey(),
    /** The issue that a workflow is started with. */
    issue: jsonb('issue').$type<IssueRef & { readonly title: string; readonly url: string }>().notNull(),
    lastSeq: integer('last_seq').notNull().default(0),
    signaledSeq: integer('signaled_seq').notNull().default(0),
    /** Not before this: keeps an issue to two signals a second, and backs off while Temporal is away. */
    nextAt: instant('next_at').notNull().defaultNow(),
    /** A relay that died keeps its claim until then. */
    claimedUntil: instant('claimed_until'),
    failures: integer('failures').notNull().default(0),
  },
  (table) => [
    index('inboxes_waiting')
      .on(table.nextAt)
      .where(sql`last_seq > signaled_seq`),
  ],
);

/** Facts for an issue's workflow, numbered in order without gaps. */
export const issueFacts = pgTable(
  'issue_facts',
  {
    issueKey: text('issue_key').notNull(),
    seq: integer('seq').notNull(),
    deliveryId: text('delivery_id').notNull(),
    fact: jsonb('fact').$type<Fact>().notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.issueKey, table.seq] })],
);

/** An issue as its workflow last showed itself. */
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
    /** What is done: a closed issue that is reopened goes on with it. */
    past: jsonb('past').$type<PriorIssueState>(),
    /** Grows with each write of the workflow; an older one never overwrites a newer one. */
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
    /** `label:<event id>` or `review:<review id>`: GitHub's own record of what asked for it. */
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
    model: text('model'),
    reasoningEffort: text('reasoning_effort'),
    threadId: text('thread_id'),
    /** What it waits for, while it does. */
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
    /** Deterministic: writing it twice is writing it once. */
    id: text('id').primaryKey(),
    /** The issue's key, or `platform` for what belongs to no issue. */
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

/** Assignments of agents: stored here so that histories have a reference and no prompt. */
export const agentAssignments = pgTable('agent_assignments', {
  runId: uuid('run_id').primaryKey(),
  repositoryId: githubId('repository_id').notNull(),
  repositoryFullName: text('repository_full_name').notNull(),
  branch: text('branch').notNull(),
  baseBranch: text('base_branch').notNull(),
  kind: text('kind').$type<RunKind>().notNull(),
  prompt: text('prompt').notNull(),
  promptSha256: text('prompt_sha256').notNull(),
  model: text('model').notNull(),
  reasoningEffort: text('reasoning_effort').$type<ReasoningEffort>().notNull(),
  /** What people had said when the run was asked for (docs/reliability.md T27), and its SHA-256. */
  snapshot: jsonb('snapshot').$type<InputSnapshot>(),
  snapshotSha256: text('snapshot_sha256'),
  /** The commit after which commits count as this run's work; null where the whole branch does. */
  sinceSha: text('since_sha'),
  /** The head of the branch before the run, against which its scope is held; null where there was no branch. */
  startSha: text('start_sha'),
  /** Counts the agent processes of the run, from 1; the token of an earlier one opens nothing any more. */
  attempt: integer('attempt').notNull().default(1),
  /** The last attempt whose token was revoked because its agent had ended: the next one has a token of its own. */
  revokedAttempt: integer('revoked_attempt').notNull().default(0),
  resumeThreadId: text('resume_thread_id'),
  resumeRunId: uuid('resume_run_id'),
  /** Set when the run is over: from then on its token opens nothing. */
  closedAt: instant('closed_at'),
  createdAt: instant('created_at').notNull().defaultNow(),
});

/** The agents that a run has had, one after the other: what each was told to go on with, and what it reported. */
export const agentAttempts = pgTable(
  'agent_attempts',
  {
    runId: uuid('run_id').notNull(),
    /** Counts from 1. */
    attempt: integer('attempt').notNull(),
    /** The message of the platform with which the conversation goes on; null where the assignment's prompt begins it. */
    message: text('message'),
    /** The only report that counts is the first. */
    report: jsonb('report').$type<AgentReport>(),
    reportedAt: instant('reported_at'),
  },
  (table) => [primaryKey({ columns: [table.runId, table.attempt] })],
);

/**
 * What runs ask of people. A run's workflow decides which answer counts; here the edge finds out that a comment may be one, which
 * is why a request is written before its comment stands on GitHub. No mirror of a history, so a rebuild leaves it alone: were it
 * lost, what is open now could still be answered at the command line.
 */
export const requests = pgTable(
  'requests',
  {
    /** `<run id>.<n>`. */
    id: text('id').primaryKey(),
    runId: uuid('run_id').notNull(),
    issueKey: text('issue_key').notNull(),
    request: jsonb('request').$type<Request>().notNull(),
    /** Set when it was answered, or when its run does not wait for an answer any more. */
    closedAt: instant('closed_at'),
  },
  (table) => [
    index('requests_run').on(table.runId),
    index('requests_open')
      .on(table.issueKey)
      .where(sql`closed_at is null`),
  ],
);

/**
 * Status comments as they ought to be, by run: so that one which somebody edits or deletes comes back right. No mirror of a
 * history, and made anew by the next write.
 */
export const statusComments = pgTable('status_comments', {
  runId: uuid('run_id').primaryKey(),
  repositoryId: githubId('repository_id').notNull(),
  /** The issue or pull request that it stands on. */
  number: integer('number').notNull(),
  /** GitHub's id of the comment, and where people find it. */
  commentId: githubId('comment_id'),
  url: text('url'),
  /** As the workflow has it, without what the agent says. */
  body: text('body').notNull(),
  /** Grows with each body of the workflow; an older one never takes the place of a newer one. */
  revision: integer('revision').notNull(),
  updatedAt: instant('updated_at').notNull().defaultNow(),
  /** What was written on GitHub last, and of which revision; null while nobody knows what stands there. */
  written: text('written'),
  writtenRevision: integer('written_revision'),
  writtenAt: instant('written_at'),
  /** One writer at a time: whoever counted the claims on holds the comment until then. */
  claims: integer('claims').notNull().default(0),
  claimedUntil: instant('claimed_until'),
  /** When it was made right again lately, oldest first. */
  restored: instant('restored')
    .array()
    .notNull()
    .default(sql`'{}'`),
});

/** The content that was created on GitHub in the last hour, by API address: its limits are a budget for all processes. */
export const githubBudgets = pgTable('github_budgets', {
  apiUrl: text('api_url').primaryKey(),
  /** When each was written, oldest first. */
  writes: instant('writes').array().notNull(),
});

/** The agent's conversation as Codex keeps it (JSONL), the newest state for each run. */
export const agentConversations = pgTable('agent_conversations', {
  runId: uuid('run_id').primaryKey(),
  threadId: text('thread_id').notNull(),
  rollout: bytea('rollout').notNull(),
  updatedAt: instant('updated_at').notNull().defaultNow(),
});

export const runLogLines = pgTable(
  'run_log_lines',
  {
    runId: uuid('run_id').notNull(),
    n: integer('n').notNull(),
    at: instant('at').notNull(),
    kind: text('kind').notNull(),
    text: text('text').notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.n] })],
);

/**
 * Until when GitHub wants to be left alone, for all processes that speak to it with the same token. One row for each API
 * address (docs/reliability.md T22).
 */
export const githubWaits = pgTable('github_waits', {
  apiUrl: text('api_url').primaryKey(),
  until: instant('until').notNull(),
  /** Why, in GitHub's words. */
  reason: text('reason').notNull(),
  /** Rate limits in a row that named no time: each waits longer than the one before. */
  strikes: integer('strikes').notNull().default(0),
});
