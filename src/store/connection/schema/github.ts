/** What was written to GitHub, and what may still be. */
import { sql } from 'drizzle-orm';
import { integer, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { githubId, instant } from './columns.ts';

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
