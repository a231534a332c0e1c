/** What the platform wants of a runner while its agent works: that the turn ends. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../platform/log-line.ts';
import type { Platform } from '../platform/platform.ts';

/** The platform has ended the turn: a tool call waits for a person, or a person has a message for the agent. */
export class TurnEnded extends Error {
  override readonly name = 'TurnEnded';
}

export interface Directives {
  /** Aborted with {@link TurnEnded} when the turn must end. */
  readonly signal: AbortSignal;
  /** The agent's program has written a line: what it was answered before is in its conversation. */
  readonly line: () => void;
  readonly close: () => void;
}

/** Milliseconds for the tool's answer to reach the conversation, if the program writes nothing more. */
const GRACE_MS = 5000;
/** Milliseconds until the platform is asked again, when it did not answer. */
const AGAIN_MS = 2000;

/** Asks the platform until it ends the turn, or until it is closed. */
export function followDirectives(platform: Pick<Platform, 'directives'>, log: Log, graceMs = GRACE_MS): Directives {
  const turn = new AbortController();
  const closed = new AbortController();
  let ending = false;
  const end = (): void => {
    if (!closed.signal.aborted) turn.abort(new TurnEnded('the platform ended the turn'));
  };

  async function follow(): Promise<void> {
    while (!closed.signal.aborted) {
      const answer = await platform.directives(closed.signal);
      if (answer === 'unsupported') return;
      if (answer === 'unanswered') await delay(AGAIN_MS, undefined, { signal: closed.signal });
      else if (answer.endTurn) {
        const why = answer.endTurn.reason === 'parked' ? 'a tool call waits for a person' : 'a person has a message';
        log('runner', `The platform ends the turn: ${why}`);
        ending = true;
        await delay(graceMs, undefined, { signal: closed.signal });
        end();
        return;
      }
    }
  }

  follow().catch(() => undefined); // closed while it waited
  return {
    signal: turn.signal,
    line() {
      if (ending) end();
    },
    close() {
      closed.abort();
    },
  };
}
