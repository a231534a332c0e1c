/** What a run waits for. While it waits it has no agent, no permit and no valid token, and none of its limits count. */
import type { WaitHours } from '../stages/settings.ts';

/** Why a run waits: for an answer to its agent's question, for the approval of a tool call, or for an operator to let it go on. */
export const WAIT_KINDS = ['question', 'approval', 'paused'] as const;
export type WaitKind = (typeof WAIT_KINDS)[number];

/** Whether a name is that of a kind of wait. */
export function isWaitKind(name: string | null): name is WaitKind {
  return (WAIT_KINDS as readonly (string | null)[]).includes(name);
}

/** Whether comments on the issue may end a wait. */
export function waitsForAnswer(wait: Pick<RunWait, 'kind'> | undefined): boolean {
  return wait !== undefined && wait.kind !== 'paused';
}

/** The name of a wait that people read in lists and search for. */
export function waitName({ kind, owner }: Pick<RunWait, 'kind' | 'owner'>): string {
  if (kind === 'paused') return 'paused';
  return owner === true ? 'waiting_owner_review' : 'waiting_mcp';
}

/** A wait of a run. Plain JSON. */
export interface RunWait {
  readonly kind: WaitKind;
  /** Set if only an owner or administrator can end it. */
  readonly owner?: true;
  /** The id of the request that ends it with its answer; null for a pause. */
  readonly request: string | null;
  /** Who is waited for, in words for people. */
  readonly for: string;
  /** ISO 8601. */
  readonly since: string;
  /** When the run fails because nothing has ended the wait. ISO 8601. */
  readonly until: string;
}

/** What holds unless an installation says otherwise (docs/operations.md): a week. */
export const WAIT_HOURS: Required<WaitHours> = { question: 168, approval: 168, paused: 168 };

/** When a wait that begins at `since` (ISO 8601) ends without an answer. */
export function waitUntil(kind: WaitKind, since: string, hours: WaitHours): string {
  return new Date(Date.parse(since) + (hours[kind] ?? WAIT_HOURS[kind]) * 3_600_000).toISOString();
}
