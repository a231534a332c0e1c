/** The agents of a run: which attempt is at work, and whether another one follows. Pure. */
import { DISRUPTIONS, TERMINATION_REASONS, type TerminationReason } from './termination-reasons.ts';

/** Attempts in all, when agents are lost. */
const LOST_ATTEMPTS = 3;
/** Further attempts, for agents that were evicted or whose node was lost. */
const DISRUPTED_ATTEMPTS = 7;
/** Launches of an attempt whose agent never began, for a reason that may pass (docs/reliability.md T42). */
const LAUNCHES = 2;

/** Plain JSON. */
export interface Attempts {
  /** Counts the agents of the run from 1; each has a token of its own. */
  readonly attempt: number;
  /** Launches of this attempt, from 1. */
  readonly launch: number;
  /** Agents that were lost. */
  readonly lost: number;
  /** Lost agents that do not count, because of a disruption of the cluster. */
  readonly disrupted: number;
}

export const FIRST_ATTEMPT: Attempts = { attempt: 1, launch: 1, lost: 0, disrupted: 0 };

/** The next attempt after an agent was lost; null when there is none. */
export function afterLoss(attempts: Attempts, reason: TerminationReason): Attempts | null {
  const isDisruption = DISRUPTIONS.has(reason) && attempts.disrupted < DISRUPTED_ATTEMPTS;
  const disrupted = attempts.disrupted + (isDisruption ? 1 : 0);
  const remedy = TERMINATION_REASONS[reason];
  if (remedy === 'launch_again' && attempts.launch < LAUNCHES)
    return { ...attempts, launch: attempts.launch + 1, disrupted };
  if (remedy === 'next_attempt' && attempts.lost + 1 < LOST_ATTEMPTS + disrupted)
    return { attempt: attempts.attempt + 1, launch: 1, lost: attempts.lost + 1, disrupted };
  return null;
}

/** The next attempt after a wait; nothing was lost. */
export function afterWait(attempts: Attempts): Attempts {
  return { ...attempts, attempt: attempts.attempt + 1, launch: 1 };
}
