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
  const running = new Set<Promise<void>>();

  async function loop(): Promise<void> {
    while (!stopped) {
      roused = false;
      await claimMore().catch(onError);
      if (!roused && !stopped) await rest();
    }
    await Promise.all(running);
  }

  /** Fills the places that are free; an issue that takes long holds up no other. */
  async function claimMore(): Promise<void> {
    const free = WIDTH - running.size;
    if (free === 0) return;
    const claimed = await claimInboxes(db, free);
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
      await markHandedOver(db, inbox, last);
    } catch (error) {
      onError(error);
      await markNotHandedOver(db, inbox).catch(onError);
    }
  }

  function wake(): void {
    roused = true;
    rouse();
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
    wake,
    async stop() {
      stopped = true;
      rouse();
      await done;
    },
  };
}
