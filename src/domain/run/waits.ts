/** What a run waits for. While it waits it has no agent, no permit and no valid token, and none of its limits count. */
import type { WaitHours } from '../stages/settings.ts';

/** Why a run waits: for an answer to its agent's question, or for an operator to let it go on. Approvals will be one more. */
export const WAIT_KINDS = ['question', 'paused'] as const;
export type WaitKind = (typeof WAIT_KINDS)[number];

/** Whether a name is that of a kind of wait. */
export function isWaitKind(name: string | null): name is WaitKind {
  return (WAIT_KINDS as readonly (string | null)[]).includes(name);
}

/** The name that people read in lists and search for, for each kind of wait; `review` is an issue that waits for its reviewer. */
export const WAIT_NAMES = {
  question: 'waiting_mcp',
  paused: 'paused',
  review: 'waiting_owner_review',
} as const satisfies Readonly<Record<WaitKind | 'review', string>>;

/** A wait of a run. Plain JSON. */
export interface RunWait {
  readonly kind: WaitKind;
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
export const WAIT_HOURS: WaitHours = { question: 168, paused: 168 };

/** When a wait that begins at `since` (ISO 8601) ends without an answer. */
export function waitUntil(kind: WaitKind, since: string, hours: WaitHours): string {
  return new Date(Date.parse(since) + hours[kind] * 3_600_000).toISOString();
}
