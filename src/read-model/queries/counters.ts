/** Counts of runs and issues for the overview. */
import { sql } from 'drizzle-orm';
import type { Database } from '../../store/connection/database.ts';
import { inboxes, issues, runs } from '../../store/connection/schema.ts';

export interface Counters {
  /** Runs whose agent is being prepared, works, or is being published. */
  readonly working: number;
  /** Runs that wait behind another run of their issue. */
  readonly queued: number;
  /** Runs that wait for people: for an answer, or paused. */
  readonly waiting: number;
  /** Issues whose pull request waits for a person. */
  readonly inReview: number;
  /** Runs that failed within the last 24 hours. */
  readonly failed: number;
  /** Issues with facts that could not be signaled to Temporal yet. */
  readonly unsignaledIssues: number;
}

/** Counts; one statement, no lists. */
export async function readCounters(db: Database): Promise<Counters> {
  const [row] = await db.execute<Record<keyof Counters, number>>(sql`
    select
      (select count(*)::int from ${runs} where ${runs.status} in ('preparing', 'working', 'publishing')) as "working",
      (select count(*)::int from ${runs} where ${runs.status} = 'queued') as "queued",
      (select count(*)::int from ${runs} where ${runs.status} = 'waiting') as "waiting",
      (select count(*)::int from ${issues}
        where ${issues.state} = 'waiting' and ${issues.waitingFor} = 'review') as "inReview",
      (select count(*)::int from ${runs}
        where ${runs.status} = 'failed' and ${runs.finishedAt} > now() - interval '24 hours') as "failed",
      (select count(*)::int from ${inboxes}
        where ${inboxes.lastSeq} > ${inboxes.signaledSeq} and ${inboxes.failures} > 0) as "unsignaledIssues"
  `);
  if (!row) throw new Error('the counters query returned no row');
  return row;
}
