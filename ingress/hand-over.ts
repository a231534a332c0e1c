/**
 * The relay: hands committed facts to the issues' workflows, in their order, in batches, at a bounded pace. Any number
 * of servers run it; whatever dies between two steps, the next one carries on, and the workflow's cursor drops what
 * comes twice.
 */
import type { Database } from '../src/read-model/database.ts';
import { claimInboxes, markHandedOver, markNotHandedOver, type ClaimedInbox } from '../src/read-model/inbox.ts';
import type { IssueWorkflows } from './issues.ts';

/** Inboxes that are worked on at once. */
const WIDTH = 16;
/** Looked at this often, should a hint be lost. */
const POLL_MS = 500;

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

  async function loop(): Promise<void> {
    while (!stopped) {
      roused = false;
      const busy = await pass().catch((error: unknown) => {
        onError(error);
        return false;
      });
      if (!busy && !roused && !stopped) await rest();
    }
  }

  /** Hands over one round; true when there may be more at once. */
  async function pass(): Promise<boolean> {
    const claimed = await claimInboxes(db, WIDTH);
    await Promise.all(claimed.map(handOver));
    return claimed.length === WIDTH;
  }

  async function handOver({ issueKey, issue, facts }: ClaimedInbox): Promise<void> {
    const last = facts.at(-1)?.seq;
    try {
      if (last === undefined || last === null) throw new Error(`nothing to hand over for ${issueKey}`);
      await workflows.tell(issue, facts);
      await markHandedOver(db, issueKey, last);
    } catch (error) {
      onError(error);
      await markNotHandedOver(db, issueKey).catch(onError);
    }
  }

  async function rest(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, POLL_MS);
      rouse = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  const done = loop();
  return {
    wake() {
      roused = true;
      rouse();
    },
    async stop() {
      stopped = true;
      rouse();
      await done;
    },
  };
}
