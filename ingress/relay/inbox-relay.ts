/**
 * The relay: hands committed facts to the issues' workflows, in their order, in batches, at a bounded pace. Any number
 * of servers run it; whatever dies between two steps, the next one carries on, and the workflow's cursor drops what
 * comes twice.
 */
import type { Database } from '../../src/store/connection/database.ts';
import {
  claimInboxes,
  INBOX_LIMITS,
  markHandedOver,
  markNotHandedOver,
  type ClaimedInbox,
  type InboxLimits,
} from '../../src/store/intake/inbox.ts';
import type { IssueWorkflows } from './issue-signals.ts';

/** Inboxes that are worked on at once. */
const WIDTH = 16;
/** After so many looks that found nothing, and until the next hint or find, looked at less often: a house at rest costs little. */
const IDLE_AFTER = 10;
/** After so many failures in a row, of whatever issues, Temporal is away. */
const AWAY_AFTER = WIDTH;

/** Milliseconds. */
export interface RelayLimits extends InboxLimits {
  /** Between two looks, for what is paced and should a hint be lost; and at rest. */
  readonly pollMs: number;
  readonly idlePollMs: number;
  /** Between two tries of one inbox whether Temporal is back: the others neither wait for it nor wear out the database. */
  readonly awayMs: number;
}

export const RELAY_LIMITS: RelayLimits = { ...INBOX_LIMITS, pollMs: 500, idlePollMs: 2500, awayMs: 1000 };

export interface HandOver {
  /** Looks at once; called when something was committed. */
  wake(): void;
  /** Finishes what is under way. */
  stop(): Promise<void>;
}

export interface HandOverOptions {
  readonly db: Database;
  readonly workflows: Pick<IssueWorkflows, 'tell'>;
  readonly onError: (error: unknown) => void;
  /** Production's unless given. */
  readonly limits?: RelayLimits;
}

/** Starts at once, and goes on until it is stopped. */
export function createHandOver({ db, workflows, onError, limits = RELAY_LIMITS }: HandOverOptions): HandOver {
  let stopped = false;
  let rouse = (): void => {};
  let roused = false;
  let failuresInARow = 0;
  let looksInVain = 0;
  const running = new Set<Promise<void>>();
  const isAway = (): boolean => failuresInARow >= AWAY_AFTER;

  async function loop(): Promise<void> {
    while (!stopped) {
      roused = false;
      await claimMore().catch(onError);
      if (!stopped && (isAway() || !roused)) await rest();
    }
    await Promise.all(running);
  }

  /** Fills the places that are free; an issue that takes long holds up no other. */
  async function claimMore(): Promise<void> {
    const free = (isAway() ? 1 : WIDTH) - running.size;
    if (free <= 0) return;
    const claimed = await claimInboxes(db, free, limits);
    looksInVain = claimed.length === 0 ? looksInVain + 1 : 0;
    for (const inbox of claimed) {
      const work = handOver(inbox).finally(() => {
        running.delete(work);
        wake();
      });
      running.add(work);
    }
  }

  async function handOver(inbox: ClaimedInbox): Promise<void> {
    const last = inbox.facts.at(-1)?.seq;
    try {
      if (last === undefined || last === null) throw new Error(`nothing to hand over for ${inbox.issueKey}`);
      await workflows.tell(inbox.issue, inbox.facts);
      failuresInARow = 0;
      await markHandedOver(db, inbox, last, limits);
    } catch (error) {
      failuresInARow += 1;
      onError(error);
      await markNotHandedOver(db, inbox, limits).catch(onError);
    }
  }

  function wake(): void {
    roused = true;
    looksInVain = 0;
    if (!isAway()) rouse();
  }

  async function rest(): Promise<void> {
    await new Promise<void>((resolve) => {
      const idle = looksInVain >= IDLE_AFTER && running.size === 0;
      const timer = setTimeout(resolve, isAway() ? limits.awayMs : idle ? limits.idlePollMs : limits.pollMs);
      rouse = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  const done = loop();
  return {
    wake,
    async stop() {
      stopped = true;
      rouse();
      await done;
    },
  };
}
