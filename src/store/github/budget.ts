/**
 * The budget of content creation on GitHub, counted for all processes that use the same API address. GitHub takes "no more than
 * 80 content-generating requests per minute and no more than 500 content-generating requests per hour" (docs.github.com, "Rate
 * limits for the REST API", About secondary rate limits). Counted over sliding windows, by the clock of Postgres.
 */
import { sql, type SQL } from 'drizzle-orm';
import type { Database } from '../connection/database.ts';
import { githubBudgets } from '../connection/schema.ts';

/** Writes in any minute and in any hour; 0: no limit. */
export interface BudgetLimits {
  readonly perMinute: number;
  readonly perHour: number;
}

/** Why a write has to wait, and for how long. */
export interface SpentBudget {
  readonly until: Date;
  readonly leftMs: number;
  readonly reason: string;
}

/** Courtesy writes leave this part of the budget to writes that the work depends on. */
const RESERVED = 1 / 5;

/** The shortest wait, in milliseconds. */
const SHORTEST_MS = 250;

/** The budget of one API address; the adapter's port. */
export function createGitHubBudget(db: Database, apiUrl: string, limits: BudgetLimits) {
  const windows = [
    { limit: limits.perMinute, length: '1 minute', name: 'a minute' },
    { limit: limits.perHour, length: '1 hour', name: 'an hour' },
  ].filter(({ limit }) => limit > 0);

  /** When there is room again: when the oldest write that counts leaves its window. */
  async function findSpent(most: (limit: number) => number): Promise<SpentBudget> {
    const ends = windows.map(
      ({ limit, length }) => sql`(
        select made + ${interval(length)} from unnest(writes) as made
        order by made desc offset ${most(limit) - 1}::int limit 1)`,
    );
    const [row] = await db.execute<{ until: string | null; left_ms: number | null }>(sql`
      select until, ceil(extract(epoch from until - clock_timestamp()) * 1000)::float as left_ms
      from (select greatest(${sql.join(ends, sql`, `)}) as until from ${githubBudgets} where api_url = ${apiUrl}) as free`);
    const leftMs = Math.max(SHORTEST_MS, row?.left_ms ?? 0);
    const allowed = windows.map(({ limit, name }) => `${most(limit)} ${name}`).join(' and ');
    return {
      until: new Date(row?.until ?? Date.now() + leftMs),
      leftMs,
      reason: `its limits of content-creating requests (here ${allowed}) are used up`,
    };
  }

  return {
    /** Counts a write that is about to be sent, or says how long it has to wait. One statement if there is room. */
    async take({ courtesy }: { courtesy: boolean }): Promise<SpentBudget | undefined> {
      if (windows.length === 0) return undefined;
      const most = (limit: number): number => Math.max(1, courtesy ? Math.floor(limit * (1 - RESERVED)) : limit);
      const room = windows.map(({ limit, length }) => sql`${made(length)} < ${most(limit)}::int`);
      const taken = await db.execute(sql`
        insert into ${githubBudgets} as b (api_url, writes) values (${apiUrl}, array[clock_timestamp()])
        on conflict (api_url) do update set writes = array(
          select made from unnest(b.writes) as made where made > clock_timestamp() - interval '1 hour' order by made
        ) || clock_timestamp()
        where ${sql.join(room, sql` and `)}
        returning api_url`);
      return taken.length > 0 ? undefined : findSpent(most);
    },
  };
}

/** The number of writes in the last so many milliseconds. */
function made(length: string): SQL {
  return sql`(select count(*) from unnest(b.writes) as made where made > clock_timestamp() - ${interval(length)})`;
}

function interval(length: string): SQL {
  return sql`interval '${sql.raw(length)}'`;
}
