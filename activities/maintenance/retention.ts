/** Removes what is kept longer than the installation wants. May be repeated at any time. */
import { log } from '@temporalio/activity';
import type { Retention } from '../../src/domain/maintenance/retention.ts';
import type { Database } from '../../src/store/connection/database.ts';
import { pruneBodies } from '../../src/store/intake/retention.ts';
import { pruneConversations, pruneLogs, pruneStatusComments } from '../../src/store/runs/retention.ts';

/** How many of each were removed. */
export interface RetentionReport {
  readonly bodies: number;
  readonly logs: number;
  readonly conversations: number;
  readonly statusComments: number;
  /** Whether there is more to remove. */
  readonly more: boolean;
}

/** Of each kind, in one call. */
const AT_ONCE = 500;

const DAY_MS = 24 * 3_600_000;

export function createRetentionActivities({ db }: { readonly db: Database }) {
  async function prune(
    days: number,
    remove: (db: Database, before: Date, limit: number) => Promise<number>,
  ): Promise<number> {
    return days === 0 ? 0 : remove(db, new Date(Date.now() - days * DAY_MS), AT_ONCE);
  }

  return {
    /** Removes at most 500 of each kind. */
    async pruneRecords(retention: Retention): Promise<RetentionReport> {
      const removed = {
        bodies: await prune(retention.bodiesDays, pruneBodies),
        logs: await prune(retention.logsDays, pruneLogs),
        conversations: await prune(retention.conversationsDays, pruneConversations),
        statusComments: await prune(retention.statusCommentsDays, pruneStatusComments),
      };
      const counts = Object.values(removed);
      if (counts.some((count) => count > 0)) log.info('old records removed', removed);
      return { ...removed, more: counts.includes(AT_ONCE) };
    },
  };
}
