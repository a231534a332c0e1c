/** The durable intake (docs/decisions.md, 3). */
import { sql } from 'drizzle-orm';
import { index, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import type { Fact, IssueRef } from '../../../domain/issue/facts.ts';
import { githubId, instant } from './columns.ts';
import { packedBytes } from '../packed-bytes.ts';

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
