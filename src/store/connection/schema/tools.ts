/** Calls of the platform's tools by agents. */
import { sql } from 'drizzle-orm';
import { index, integer, jsonb, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import type { ApprovalPolicy, PolicyDecision } from '../../../domain/approvals/policy.ts';
import { instant } from './columns.ts';

/**
 * `requested`: waits for a person. `denied`, `expired`: will not be performed. `applied`, `failed`: it was performed, with this
 * result. A call that needs nobody is `applied` or `failed` at once.
 */
export type ToolCallState = 'requested' | 'approved' | 'denied' | 'expired' | 'applied' | 'failed';

export const toolCalls = pgTable(
  'tool_calls',
  {
    /** `<run id>:<n>`; n counts the calls of the run from 1. */
    id: text('id').primaryKey(),
    runId: uuid('run_id').notNull(),
    attempt: integer('attempt').notNull(),
    tool: text('tool').notNull(),
    /** For the policy: `create`, `delete`, `call`. */
    action: text('action').notNull(),
    /** Canonical JSON without secret values, which stand encrypted in `sealed`. */
    args: text('args').notNull(),
    /** Encrypted fields of the arguments (AES-256-GCM); null if there are none. */
    sealed: text('sealed'),
    /** SHA-256 of tool and arguments, hexadecimal. */
    digest: text('digest').notNull(),
    state: text('state').$type<ToolCallState>().notNull(),
    /** The policy's decision when it was called, and the policy itself for a call that waited. */
    decision: jsonb('decision').$type<PolicyDecision>().notNull(),
    policy: jsonb('policy').$type<ApprovalPolicy>(),
    /** The result's JSON, as the agent gets it; null until there is one. */
    result: text('result'),
    calledAt: instant('called_at').notNull().defaultNow(),
    endedAt: instant('ended_at'),
  },
  (table) => [
    index('tool_calls_run').on(table.runId, table.calledAt),
    index('tool_calls_repeated').on(table.runId, table.digest),
    /** At most one call of an attempt waits. */
    uniqueIndex('tool_calls_parked')
      .on(table.runId, table.attempt)
      .where(sql`state in ('requested', 'approved')`),
  ],
);
