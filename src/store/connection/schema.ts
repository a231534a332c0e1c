/**
 * The tables. `deliveries`, `inboxes` and `issue_facts` are the durable intake (docs/decisions.md, 3); `agent_*` hold what an
 * agent needs and reports; most others mirror Temporal's histories, and a rebuild makes them again.
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
  /** What the names of its branches begin with; null for the usual prefix. */
  branchPrefix: text('branch_prefix'),
  /** Address blocks that its agents may reach, besides those of the installation. */
  egress: text('egress')
    .array()
    .notNull()
    .default(sql`'{}'`),
  createdAt: instant('created_at').notNull().defaultNow(),
});

/** Namespaces named by a project's template, and the issues that hold them. */
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

/** The platform's labels in a repository, by canonical name, with GitHub's ids: a rename keeps the id and changes the name. */
export const repositoryLabels = pgTable(
  'repository_labels',
  {
    repositoryId: githubId('repository_id').notNull(),
    name: text('name').notNull(),
    labelId: githubId('label_id').notNull(),
    /** Since when the label with this id is known to have this name. */
    knownSince: instant('known_since').notNull(),
  },
  (table) => [primaryKey({ columns: [table.repositoryId, table.name] })],
);

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

/** Every delivery with a valid signature: its raw bytes and the decision. Written once; only `repeats` changes, and old bodies are reduced. */
export const deliveries = pgTable(
  'deliveries',
  {
    /** `X-GitHub-Delivery`; also the correlation id of everything that follows. It is not signed, so it only saves work. */
    id: text('id').primaryKey(),
    event: text('event').notNull(),
    action: text('action'),
    body: packedBytes('body').notNull(),
    status: text('status').$type<'accepted' | 'ignored'>().notNull(),
    reason: text('reason').notNull(),
    repositoryId: githubId('repository_id'),
    issueKey: text('issue_key'),
    sender: text('sender'),
    /** The run that the delivery asks for, if any. */
    runId: uuid('run_id'),
    repeats: integer('repeats').notNull().default(0),
    /** The payload of its audit event and its link in the chain, from which a rebuild makes the row of `flow_events`. */
    eventPayload: jsonb('event_payload').$type<Record<string, unknown>>(),
    eventSeq: integer('event_seq'),
    eventHash: text('event_hash'),
    receivedAt: instant('received_at').notNull().defaultNow(),
    /** When its body was reduced to what identifies the event (src/domain/maintenance/retention.ts). */
    prunedAt: instant('pruned_at'),
  },
  (table) => [
    index('deliveries_received').on(table.receivedAt),
    index('deliveries_issue').on(table.issueKey),
    index('deliveries_whole')
      .on(table.receivedAt)
      .where(sql`pruned_at is null`),
  ],
);

/** One row for each issue that has had facts: the last stored fact, and the last signaled one. */
export const inboxes = pgTable(
  'inboxes',
  {
    issueKey: text('issue_key').primaryKey(),
    /** The issue with which its workflow is started. */
    issue: jsonb('issue').$type<IssueRef & { readonly title: string; readonly url: string }>().notNull(),
    lastSeq: integer('last_seq').notNull().default(0),
    signaledSeq: integer('signaled_seq').notNull().default(0),
    /** The next signal is not sent before: at most two a second for an issue, and a backoff while Temporal is unavailable. */
    nextAt: instant('next_at').notNull().defaultNow(),
    /** When the claim of a crashed relay expires. */
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

/** Assignments of agents: stored here so that histories contain a reference and no prompt. */
export const agentAssignments = pgTable('agent_assignments', {
  runId: uuid('run_id').primaryKey(),
  repositoryId: githubId('repository_id').notNull(),
  repositoryFullName: text('repository_full_name').notNull(),
  branch: text('branch').notNull(),
  baseBranch: text('base_branch').notNull(),
  kind: text('kind').$type<RunKind>().notNull(),
  /** Decides what the run may push; null for a run of a version before 0.5.0, which may push the least. */
  stage: text('stage').$type<Stage>(),
  prompt: text('prompt').notNull(),
  promptSha256: text('prompt_sha256').notNull(),
  model: text('model').notNull(),
  reasoningEffort: text('reasoning_effort').$type<ReasoningEffort>().notNull(),
  /** The snapshot of what people wrote (docs/reliability.md T27), and its SHA-256. */
  snapshot: jsonb('snapshot').$type<InputSnapshot>(),
  snapshotSha256: text('snapshot_sha256'),
  /** Only commits after this one count as this run's work; null: the whole branch. */
  sinceSha: text('since_sha'),
  /** The head of the branch before the run, for the scope check; null without a branch. */
  startSha: text('start_sha'),
  /** Counts the attempts of the run, from 1; the token of an earlier one is invalid. */
  attempt: integer('attempt').notNull().default(1),
  /** The last attempt whose token was revoked because its agent had ended; the next one has its own token. */
  revokedAttempt: integer('revoked_attempt').notNull().default(0),
  resumeThreadId: text('resume_thread_id'),
  resumeRunId: uuid('resume_run_id'),
  /** Set when the run is over: from then on its token is invalid. */
  closedAt: instant('closed_at'),
  /** Until when a push of the run may still be on its way to GitHub; null if none is. */
  pushingUntil: instant('pushing_until'),
  createdAt: instant('created_at').notNull().defaultNow(),
});

/** The attempts of a run: the message that each agent was started with, and its report. */
export const agentAttempts = pgTable(
  'agent_attempts',
  {
    runId: uuid('run_id').notNull(),
    /** Counts from 1. */
    attempt: integer('attempt').notNull(),
    /** The platform's message with which the conversation resumes; null if it starts with the assignment's prompt. */
    message: text('message'),
    /** Only the first report of an attempt counts. */
    report: jsonb('report').$type<AgentReport>(),
    reportedAt: instant('reported_at'),
  },
  (table) => [primaryKey({ columns: [table.runId, table.attempt] })],
);

/**
 * Requests of runs. The run's workflow decides which answer counts; the server looks here to see that a comment may be an
 * answer, so a request is stored before its comment is on GitHub. It mirrors no history, so a rebuild leaves it alone: if it
 * were lost, an open request could still be answered at the command line.
 */
export const requests = pgTable(
  'requests',
  {
    /** `<run id>.<n>`. */
    id: text('id').primaryKey(),
    runId: uuid('run_id').notNull(),
    issueKey: text('issue_key').notNull(),
    request: jsonb('request').$type<Request>().notNull(),
    /** Set when it was answered, or its run does not wait for an answer any more. */
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
 * The wanted status comment of each run, so that one which somebody edits or deletes can be restored. It mirrors no history;
 * the next write makes the row again.
 */
export const statusComments = pgTable('status_comments', {
  runId: uuid('run_id').primaryKey(),
  repositoryId: githubId('repository_id').notNull(),
  /** The issue or pull request that the comment is on. */
  number: integer('number').notNull(),
  /** GitHub's id and URL of the comment. */
  commentId: githubId('comment_id'),
  url: text('url'),
  /** The workflow's body, without the agent's output. */
  body: text('body').notNull(),
  /** Counts the workflow's bodies; an older one never replaces a newer one. */
  revision: integer('revision').notNull(),
  updatedAt: instant('updated_at').notNull().defaultNow(),
  /** The text and revision last written to GitHub; null while it is unknown what is there. */
  written: text('written'),
  writtenRevision: integer('written_revision'),
  writtenAt: instant('written_at'),
  /** One writer at a time: whoever incremented `claims` last holds the comment until then. */
  claims: integer('claims').notNull().default(0),
  claimedUntil: instant('claimed_until'),
  /** When it was restored recently, oldest first. */
  restored: instant('restored')
    .array()
    .notNull()
    .default(sql`'{}'`),
});

/** Content created on GitHub in the last hour, by API address: GitHub's limits are a budget of all processes. */
export const githubBudgets = pgTable('github_budgets', {
  apiUrl: text('api_url').primaryKey(),
  /** When each was written, oldest first. */
  writes: instant('writes').array().notNull(),
});

/** The agent's conversation as Codex stores it (JSONL), the newest state for each run; its content is in parts. */
export const agentConversations = pgTable('agent_conversations', {
  runId: uuid('run_id').primaryKey(),
  threadId: text('thread_id').notNull(),
  /** Of the parts that are the conversation; other parts belong to a write that has not ended, or was given up. */
  version: text('version').notNull(),
  parts: integer('parts').notNull(),
  updatedAt: instant('updated_at').notNull().defaultNow(),
});

/** Commits of a run that could not be pushed; written after their parts. */
export const keptCommits = pgTable(
  'kept_commits',
  {
    runId: uuid('run_id').primaryKey(),
    repositoryId: githubId('repository_id').notNull(),
    branch: text('branch').notNull(),
    headSha: text('head_sha').notNull(),
    bytes: integer('bytes').notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (table) => [index('kept_commits_branch').on(table.repositoryId, table.branch)],
);

/** Their git bundle, in parts. */
export const keptCommitParts = pgTable(
  'kept_commit_parts',
  {
    runId: uuid('run_id').notNull(),
    /** Counts from 0. */
    n: integer('n').notNull(),
    part: bytea('part').notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.n] })],
);

export const agentConversationParts = pgTable(
  'agent_conversation_parts',
  {
    runId: uuid('run_id').notNull(),
    version: text('version').notNull(),
    n: integer('n').notNull(),
    bytes: bytea('bytes').notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.version, table.n] })],
);

export const runLogLines = pgTable(
  'run_log_lines',
  {
    runId: uuid('run_id').notNull(),
    /** Given by the server, in the order of arrival. */
    n: integer('n').notNull(),
    at: instant('at').notNull(),
    kind: text('kind').notNull(),
    text: text('text').notNull(),
    /** Identifies a line that an agent sends again; null for the platform's own lines. */
    source: text('source'),
  },
  (table) => [
    primaryKey({ columns: [table.runId, table.n] }),
    uniqueIndex('run_log_lines_source').on(table.runId, table.source),
  ],
);

/**
 * Until when GitHub asks to wait, for all processes that use the same token. One row for each API address (docs/reliability.md
 * T22).
 */
export const githubWaits = pgTable('github_waits', {
  apiUrl: text('api_url').primaryKey(),
  until: instant('until').notNull(),
  /** The reason, in GitHub's words. */
  reason: text('reason').notNull(),
  /** Consecutive rate limits without a time: each waits longer than the one before. */
  strikes: integer('strikes').notNull().default(0),
});
