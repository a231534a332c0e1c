/**
 * The inbox relay: signals committed facts to the issues' workflows, in order, in batches, rate limited. Any number of servers
 * run it; if one crashes between two steps, another continues, and the workflow's cursor drops duplicates.
 */
import type { Database } from '../../src/store/connection/database.ts';
import {
  claimInboxes,
  INBOX_LIMITS,
  markSignaled,
  releaseClaim,
  type ClaimedInbox,
  type InboxLimits,
} from '../../src/store/intake/inbox.ts';
import type { IssueWorkflows } from './issue-signals.ts';

/** Inboxes that are signaled concurrently. */
const WIDTH = 16;
/** After this many empty polls the relay polls less often, until the next change signal or fact, so that an idle server costs little. */
const IDLE_AFTER = 10;
/** After this many consecutive failures, of any issues, Temporal counts as unavailable. */
const AWAY_AFTER = WIDTH;

/** Milliseconds. */
export interface RelayLimits extends InboxLimits {
  /** Between two polls, for rate-limited inboxes and lost change signals; and when idle. */
  readonly pollMs: number;
  readonly idlePollMs: number;
  /** Between two attempts with one inbox while Temporal is unavailable; the others are not tried meanwhile. */
  readonly awayMs: number;
}

export const RELAY_LIMITS: RelayLimits = { ...INBOX_LIMITS, pollMs: 500, idlePollMs: 2500, awayMs: 1000 };

export interface InboxRelay {
  /** Polls at once; called after a commit. */
  wake(): void;
  /** Stops after the signals that are in flight. */
  stop(): Promise<void>;
}

export interface InboxRelayOptions {
  readonly db: Database;
  readonly workflows: Pick<IssueWorkflows, 'signal'>;
  readonly onError: (error: unknown) => void;
  /** Production's unless given. */
  readonly limits?: RelayLimits;
}

/** Starts at once, and goes on until it is stopped. */
export function createInboxRelay({ db, workflows, onError, limits = RELAY_LIMITS }: InboxRelayOptions): InboxRelay {
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

  /** Claims as many inboxes as may be signaled concurrently; a slow issue delays no other. */
  async function claimMore(): Promise<void> {
    const free = (isAway() ? 1 : WIDTH) - running.size;
    if (free <= 0) return;
    const claimed = await claimInboxes(db, free, limits);
    looksInVain = claimed.length === 0 ? looksInVain + 1 : 0;
    for (const inbox of claimed) {
      const work = signalFacts(inbox).finally(() => {
        running.delete(work);
        wake();
      });
      running.add(work);
    }
  }

  async function signalFacts(inbox: ClaimedInbox): Promise<void> {
    const last = inbox.facts.at(-1)?.seq;
    try {
      if (last === undefined || last === null)
        throw new Error(`claimed inbox of ${inbox.issueKey} has no facts to signal`);
      await workflows.signal(inbox.issue, inbox.facts);
      failuresInARow = 0;
      await markSignaled(db, inbox, last, limits);
    } catch (error) {
      failuresInARow += 1;
      onError(error);
      await releaseClaim(db, inbox, limits).catch(onError);
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
