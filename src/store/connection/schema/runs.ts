/** What an agent needs and reports, and what a run asks of people. */
import { sql } from 'drizzle-orm';
import { boolean, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import type { PromptSource } from '../../../domain/agent/prompt-overrides.ts';
import type { Request } from '../../../domain/run/requests.ts';
import type { AgentReport } from '../../../domain/run/runs.ts';
import type { InputSnapshot } from '../../../domain/agent/snapshot.ts';
import type { AgentCliName } from '../../../domain/stages/clis.ts';
import type { ReasoningEffort } from '../../../domain/stages/settings.ts';
import type { RunKind, Stage } from '../../../domain/stages/stages.ts';
import { bytea, githubId, instant } from './columns.ts';

/** Assignments of agents: stored here so that histories contain a reference and no prompt. */
export const agentAssignments = pgTable('agent_assignments', {
  runId: uuid('run_id').primaryKey(),
  repositoryId: githubId('repository_id').notNull(),
  repositoryFullName: text('repository_full_name').notNull(),
  /** Who pays for its calls of the model; null for a run of a version before 0.5.0. */
  issueKey: text('issue_key'),
  project: text('project'),
  branch: text('branch').notNull(),
  baseBranch: text('base_branch').notNull(),
  kind: text('kind').$type<RunKind>().notNull(),
  /** Decides what the run may push; null for a run of a version before 0.5.0, which may push the least. */
  stage: text('stage').$type<Stage>(),
  prompt: text('prompt').notNull(),
  promptSha256: text('prompt_sha256').notNull(),
  /** Where the task in the prompt is from, its version there, and its SHA-256; null for a run of a version before 0.5.0. */
  taskSource: text('task_source').$type<PromptSource>(),
  taskVersion: text('task_version'),
  taskSha256: text('task_sha256'),
  /** The program that works; its conversations are no other's. */
  cli: text('cli').$type<AgentCliName>().notNull().default('codex'),
  /** Of `command`: the program and its arguments. */
  command: text('command').array(),
  /** Whether the agent explains what it changes; null for a run of a version before 0.5.0. */
  learning: boolean('learning'),
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

/** The agent's conversation as its program stores it (JSON lines), the newest state for each run; its content is in parts. */
export const agentConversations = pgTable('agent_conversations', {
  runId: uuid('run_id').primaryKey(),
  threadId: text('thread_id').notNull(),
  /** Of the parts that are the conversation; other parts belong to a write that has not ended, or was given up. */
  version: text('version').notNull(),
  parts: integer('parts').notNull(),
  /** SHA-256 of the digests of its parts, hexadecimal; null for one that a version before 0.5.0 stored. */
  sha256: text('sha256'),
  /** Of the run's attempts the one that stored it; a write of an earlier one never replaces it. */
  attempt: integer('attempt').notNull().default(0),
  /** Counts its writes: one that began before another ended does not replace what that one stored. */
  revision: integer('revision').notNull().default(0),
  updatedAt: instant('updated_at').notNull().defaultNow(),
});

export const agentConversationParts = pgTable(
  'agent_conversation_parts',
  {
    runId: uuid('run_id').notNull(),
    version: text('version').notNull(),
    n: integer('n').notNull(),
    bytes: bytea('bytes').notNull(),
    /** SHA-256 of the bytes; null for what a version before 0.5.0 stored. */
    sha256: bytea('sha256'),
  },
  (table) => [primaryKey({ columns: [table.runId, table.version, table.n] })],
);

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

/** What agents explained of their changes to people who learn (docs/prompts.md); posted once on the pull request. */
export const learningFeedback = pgTable(
  'learning_feedback',
  {
    runId: uuid('run_id').notNull(),
    /** Counts from 1. */
    n: integer('n').notNull(),
    path: text('path').notNull(),
    /** In the changed file; null for the whole file. */
    line: integer('line'),
    /** Markdown. */
    explanation: text('explanation').notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.n] })],
);
