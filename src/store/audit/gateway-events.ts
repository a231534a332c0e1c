/** What agents' gateways refused, in the audit trail. No workflow writes these events: they are in the chains of tools' calls. */
import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import type { Database } from '../connection/database.ts';
import { runs } from '../connection/schema.ts';
import { appendEvents } from './events.ts';
import { TOOL_CHAIN_PREFIX } from './tool-events.ts';

/** The chain of what belongs to no issue. */
const NO_ISSUE = `${TOOL_CHAIN_PREFIX}gateways`;

export interface GatewayRefusalEvent {
  /** Appended once by this id. */
  readonly id: string;
  readonly runId: string;
  readonly attempt: number;
  readonly gateway: string;
  readonly status: number;
  /** Without secrets. */
  readonly reason: string;
}

export async function appendRefusal(db: Database, refusal: GatewayRefusalEvent): Promise<void> {
  const { id, runId, ...payload } = refusal;
  const [run] = await db.select({ issueKey: runs.issueKey }).from(runs).where(eq(runs.id, runId));
  await appendEvents(db, [
    {
      id,
      chain: run ? `${TOOL_CHAIN_PREFIX}${run.issueKey}` : NO_ISSUE,
      type: 'gateway.refused',
      actorType: 'agent',
      actorId: 'agent',
      runId,
      correlationId: null,
      payload,
      occurredAt: new Date().toISOString(),
    },
  ]);
}

/** Bad tokens came from an address, which is turned away for a while. */
export async function appendBadTokens(db: Database, payload: { source: string; failures: number }): Promise<void> {
  await appendEvents(db, [
    {
      id: `bad-tokens:${randomUUID()}`,
      chain: NO_ISSUE,
      type: 'gateway.auth_failed',
      actorType: 'system',
      actorId: 'gateways',
      runId: null,
      correlationId: null,
      payload: { ...payload },
      occurredAt: new Date().toISOString(),
    },
  ]);
}
