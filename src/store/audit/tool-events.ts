/**
 * What agents do with the platform's tools, in the audit trail. No workflow writes these events, so they have chains of their own,
 * one for each issue: the chains of the issues can be made again from Temporal's histories alone.
 */
import { randomUUID } from 'node:crypto';
import type { ToolRun } from '../../domain/tools/tool-run.ts';
import type { Database } from '../connection/database.ts';
import { appendEvents } from './events.ts';

/** What the names of these chains begin with. */
export const TOOL_CHAIN_PREFIX = 'tools:';

/** A pattern of SQL that all these chains match, and no others. */
export const TOOL_CHAINS = `${TOOL_CHAIN_PREFIX}%`;

export type ToolEventType = 'mcp.tool.called' | 'mcp.tool.succeeded' | 'mcp.tool.failed' | 'mcp.tool.approval_pending';

/** Never arguments, and no result: they may be secret. */
interface ToolEventPayload {
  readonly tool: string;
  /** SHA-256 of tool and arguments; null for arguments that were not understood. */
  readonly digest: string | null;
  /** `applied`, `reused`, `not_available`, `invalid_arguments`, `owner`, …; missing in `called`. */
  readonly outcome?: string;
  /** Since the call came in. */
  readonly milliseconds?: number;
}

/** Whether a chain is one of these. */
export function isToolChain(chain: string): boolean {
  return chain.startsWith(TOOL_CHAIN_PREFIX);
}

export async function appendToolEvent(
  db: Database,
  run: Pick<ToolRun, 'runId' | 'issueKey'>,
  type: ToolEventType,
  payload: ToolEventPayload,
): Promise<void> {
  await appendEvents(db, [
    {
      id: `tool:${randomUUID()}`,
      chain: `${TOOL_CHAIN_PREFIX}${run.issueKey}`,
      type,
      actorType: 'agent',
      actorId: 'agent',
      runId: run.runId,
      correlationId: null,
      payload: { ...payload },
      occurredAt: new Date().toISOString(),
    },
  ]);
}
