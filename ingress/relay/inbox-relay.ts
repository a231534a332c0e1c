/**
 * The relay: hands committed facts to the issues' workflows, in their order, in batches, at a bounded pace. Any number
 * of servers run it; whatever dies between two steps, the next one carries on, and the workflow's cursor drops what
 * comes twice.
 */
import type { Database } from '../../src/store/connection/database.ts';
import { claimInboxes, markHandedOver, markNotHandedOver, type ClaimedInbox } from '../../src/store/intake/inbox.ts';
import type { IssueWorkflows } from './issue-signals.ts';

/** Inboxes that are worked on at once. */
const WIDTH = 16;
/** Looked at this often, for what is paced and should a hint be lost. */
const POLL_MS = 500;
/** After so many looks that found nothing, and until the next hint or find, looked at only so often: a house at rest costs little. */
const IDLE_AFTER = 10;
const IDLE_POLL_MS = 2500;
/** After so many failures in a row, of whatever issues, Temporal is away. */
const AWAY_AFTER = WIDTH;
/** Then one inbox tries this often whether it is back: the others neither wait for it nor wear out the database. */
const AWAY_MS = 1000;

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
}

/** Starts at once, and goes on until it is stopped. */
export function createHandOver({ db, workflows, onError }: HandOverOptions): HandOver {
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
    const claimed = await claimInboxes(db, free);
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
      await markHandedOver(db, inbox, last);
    } catch (error) {
      failuresInARow += 1;
      onError(error);
      await markNotHandedOver(db, inbox).catch(onError);
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
      const timer = setTimeout(resolve, isAway() ? AWAY_MS : idle ? IDLE_POLL_MS : POLL_MS);
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
