/** Which agent of a run is at work, and whether another one follows it. Pure. */
import { DISRUPTIONS, TERMINATION_REASONS, type TerminationReason } from './termination-reasons.ts';

/** An agent that is lost with its machine is followed by another with its conversation: so many in all. */
const LOST_ATTEMPTS = 3;
/** So many besides when it had to give way, or its node was lost. */
const DISRUPTED_ATTEMPTS = 7;
/** One that could not begin, for a reason that may pass, is launched so often in all (docs/reliability.md T42). */
const LAUNCHES = 2;

/** Plain JSON. */
export interface Attempts {
  /** Counts the agents of the run from 1; each has a token of its own. */
  readonly attempt: number;
  /** Counts from 1 how often this attempt was launched. */
  readonly launch: number;
  /** Agents that were lost. */
  readonly lost: number;
  /** Those of them that are nobody's fault, as far as they are forgiven. */
  readonly disrupted: number;
}

export const FIRST_ATTEMPT: Attempts = { attempt: 1, launch: 1, lost: 0, disrupted: 0 };

/** What follows an agent that was lost; null when nothing does. */
export function afterLoss(attempts: Attempts, reason: TerminationReason): Attempts | null {
  const forgiven = DISRUPTIONS.has(reason) && attempts.disrupted < DISRUPTED_ATTEMPTS;
  const disrupted = attempts.disrupted + (forgiven ? 1 : 0);
  const remedy = TERMINATION_REASONS[reason];
  if (remedy === 'launch_again' && attempts.launch < LAUNCHES)
    return { ...attempts, launch: attempts.launch + 1, disrupted };
  if (remedy === 'next_attempt' && attempts.lost + 1 < LOST_ATTEMPTS + disrupted)
    return { attempt: attempts.attempt + 1, launch: 1, lost: attempts.lost + 1, disrupted };
  return null;
}

/** What follows a wait: another agent, and nothing was lost. */
export function afterWait(attempts: Attempts): Attempts {
  return { ...attempts, attempt: attempts.attempt + 1, launch: 1 };
}
