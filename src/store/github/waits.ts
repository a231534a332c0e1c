/**
 * Until when GitHub asks to wait, for all processes that call it (docs/reliability.md T22). Time is the clock of Postgres, so
 * that processes whose clocks differ agree.
 */
import { sql } from 'drizzle-orm';
import { announce } from '../connection/changes.ts';
import type { Database } from '../connection/database.ts';
import { githubWaits } from '../connection/schema.ts';

/** The current wait; `leftMs` counts from now. */
export interface CurrentWait {
  readonly until: Date;
  readonly leftMs: number;
  readonly reason: string;
}

/** Milliseconds of the first wait without a time from GitHub; each consecutive one is twice as long, up to the fifth. */
const FIRST_MS = 60_000;
const LONGEST_STRIKES = 5;

/** Waits are consecutive when at most this interval of Postgres has passed between them. */
const IN_A_ROW = '10 minutes';

/** The waits of one API address; the adapter's port. */
export function createGitHubWaits(db: Database, apiUrl: string) {
  return {
    /** The current wait, or undefined. */
    async current(): Promise<CurrentWait | undefined> {
      const [row] = await db.execute<WaitRow>(sql`
        select until, reason, ${leftMs} as left_ms from ${githubWaits}
        where api_url = ${apiUrl} and until > clock_timestamp()`);
      return row && waitOf(row);
    },

    /**
     * Stores a wait of `waitMs` milliseconds, or of a minute and more if GitHub named none. Calls that were under way together
     * count once. A longer wait that is stored already stays, with its reason.
     */
    async hold({ waitMs, reason }: { waitMs: number | null; reason: string }): Promise<CurrentWait> {
      const stands = sql`w.until > clock_timestamp()`;
      const inARow = sql`w.until > clock_timestamp() - interval '${sql.raw(IN_A_ROW)}'`;
      const strikes = sql`(case when ${stands} then greatest(w.strikes, ${strike(waitMs)})
        when ${inARow} then w.strikes + ${strike(waitMs)} else ${strike(waitMs)} end)`;
      const until = after(waitMs, strikes);
      const [row] = await db.execute<WaitRow>(sql`
        insert into ${githubWaits} as w (api_url, until, reason, strikes)
        values (${apiUrl}, ${after(waitMs, sql`1`)}, ${reason}, ${strike(waitMs)})
        on conflict (api_url) do update set
          until = greatest(w.until, ${until}), strikes = ${strikes},
          reason = case when w.until > ${until} then w.reason else excluded.reason end
        returning until, reason, ${leftMs} as left_ms`);
      if (!row) throw new Error('github_waits: upsert returned no row');
      await announce(db, { kind: 'github', key: apiUrl }).catch(() => undefined);
      return waitOf(row);
    },
  };
}

/** The longest current wait of any API address, for display; undefined if there is none. */
export async function findGitHubWait(db: Database): Promise<CurrentWait | undefined> {
  const [row] = await db.execute<WaitRow>(sql`
    select until, reason, ${leftMs} as left_ms from ${githubWaits}
    where until > clock_timestamp() order by until desc limit 1`);
  return row && waitOf(row);
}

/** A row as Postgres returns it: raw statements return no dates. */
interface WaitRow extends Record<string, unknown> {
  readonly until: string;
  readonly reason: string;
  readonly left_ms: number;
}

const leftMs = sql`ceil(extract(epoch from until - clock_timestamp()) * 1000)::float`;

/** 1 for a wait without a time from GitHub, else 0. */
function strike(waitMs: number | null) {
  return sql`${waitMs === null ? 1 : 0}::int`;
}

/** The end of a wait that begins now. */
function after(waitMs: number | null, strikes: ReturnType<typeof sql>) {
  const ms = waitMs ?? sql`${FIRST_MS} * power(2, least(${strikes}, ${LONGEST_STRIKES}) - 1)`;
  return sql`(clock_timestamp() + ${ms}::float * interval '1 millisecond')`;
}

function waitOf({ until, reason, left_ms: left }: WaitRow): CurrentWait {
  return { until: new Date(until), leftMs: left, reason };
}
