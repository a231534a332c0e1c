/** The staging tables of a rebuild: temporary tables of one connection, compared with the real ones and applied to them. */
import type postgres from 'postgres';
import { getTableColumns } from 'drizzle-orm';
import { textArray } from '../../store/connection/text-array.ts';
import { FIRST_HASH, type ChainLink } from '../../store/audit/events.ts';
import type { RebuiltEvent } from './chain.ts';
import type { CurrentRow, RebuiltRow } from './rows.ts';
import { issues, runs } from '../../store/connection/schema.ts';

/** The tables that mirror Temporal's histories. */
export const MIRRORED = ['flow_events', 'issues', 'runs'] as const;
export type Mirrored = (typeof MIRRORED)[number];

/** Holds empty stand-ins of tables that are missing, until they are filled and moved. */
export const SPARE_SCHEMA = 'codexk8s_rebuild';

/** A table's content in a few bytes: equal contents, and only they, have equal hashes. */
export interface TableHash {
  readonly rows: number;
  /** sha256 over the sha256 of every row, in the order of their keys; hexadecimal. */
  readonly hash: string;
}

export interface Note {
  readonly table: Mirrored;
  readonly id: string;
  readonly note: 'carried' | 'unexplained' | 'left_out';
}

export type Stage = Awaited<ReturnType<typeof createStage>>;

/** One rebuild at a time. */
const REBUILD_LOCK = 726_173;
const BATCH = 1000;

/** Makes the stage on a connection of its own; makes stand-ins in {@link SPARE_SCHEMA} for tables that are missing. */
export async function createStage(
  connection: postgres.Sql,
  definitions: Readonly<Record<Mirrored, readonly string[]>>,
) {
  const [lock] = await connection<{ free: boolean }[]>`select pg_try_advisory_lock(${REBUILD_LOCK}) as free`;
  if (!lock?.free) throw new Error('another read-model rebuild is running (advisory lock held)');
  await connection`set timezone = 'UTC'`;
  await connection.unsafe(`drop schema if exists ${SPARE_SCHEMA} cascade`);
  const missing = await missingTables(connection);
  if (missing.length > 0) {
    await connection.unsafe(`create schema ${SPARE_SCHEMA}`);
    await connection.unsafe(`set search_path = ${SPARE_SCHEMA}`);
    for (const table of missing) for (const statement of definitions[table]) await connection.unsafe(statement);
    await connection.unsafe(`set search_path = public, ${SPARE_SCHEMA}`);
  }
  for (const table of MIRRORED) {
    await connection.unsafe(`create temporary table rebuilt_${table} (like ${table} including defaults)`);
    await connection.unsafe(`alter table rebuilt_${table} add primary key (${KEYS[table]})`);
  }
  await connection.unsafe(`
    create unique index on rebuilt_flow_events (chain, seq);
    create index on rebuilt_runs (issue_key);
    create temporary table rebuilt_notes ("table" text, id text, chain text, note text, primary key ("table", id));
    create index on rebuilt_notes (chain)`);
  const [events] = await connection<{ some: boolean }[]>`select exists (select from flow_events) as some`;
  return stageOn(connection, missing, !events?.some);
}

function stageOn(connection: postgres.Sql, missing: readonly Mirrored[], emptied: boolean) {
  const buffers: Record<Mirrored | 'notes', object[]> = { flow_events: [], issues: [], runs: [], notes: [] };
  const present: { issues: string[]; runs: string[] } = { issues: [], runs: [] };
  const carried = new Set<string>();

  function note(table: Mirrored, id: string, chain: string, what: Note['note']): void {
    buffers.notes.push({ table, id, chain, note: what });
  }

  /** Of one table; a batch is taken out before it is written, since others add to the buffer meanwhile. */
  async function flushTable(table: Mirrored | 'notes', least: number): Promise<void> {
    while (buffers[table].length >= least) {
      const batch = JSON.stringify(buffers[table].splice(0, BATCH));
      const target = `rebuilt_${table}`;
      await connection`
        insert into ${connection(target)}
        select * from jsonb_populate_recordset(null::${connection(target)}, ${batch}::text::jsonb)
        ${table === 'notes' ? connection`on conflict do nothing` : connection``}`;
    }
  }

  async function keepPresent(table: 'issues' | 'runs'): Promise<void> {
    const ids = present[table].splice(0);
    if (ids.length === 0) return;
    await connection`
      insert into ${connection(`rebuilt_${table}`)}
      select * from ${connection(table)} where ${connection(KEYS[table])}::text = any(${textArray(connection, ids)})`;
  }

  return {
    /** Whether `flow_events` was missing, or had no row. */
    emptied,
    note,

    event({ event, seq, previousHash, hash, origin }: RebuiltEvent): void {
      buffers.flow_events.push({
        id: event.id,
        chain: event.chain,
        seq,
        type: event.type,
        actor_type: event.actorType,
        actor_id: event.actorId,
        run_id: event.runId,
        correlation_id: event.correlationId,
        payload: event.payload,
        occurred_at: event.occurredAt,
        previous_hash: previousHash,
        hash,
      });
      if (origin === 'carried') carried.add(event.chain);
      if (origin === 'carried' || origin === 'unexplained') note('flow_events', event.id, event.chain, origin);
    },

    row(rebuilt: RebuiltRow, chain: string): void {
      const { table, id, row, outrun } = rebuilt;
      if (row === 'present') {
        present[table].push(id);
        note(table, id, chain, 'carried');
        return;
      }
      if (row === 'left_out' || outrun) note(table, revisionOf(outrun as CurrentRow), chain, 'left_out');
      if (row !== 'left_out') buffers[table].push(columnsOf(table, row));
    },

    /** Whether events of a chain were taken from the table since they were last forgotten. */
    hasCarried: (chain: string) => carried.has(chain),

    /** Writes full batches, or all. */
    async flush({ all = false }: { all?: boolean } = {}): Promise<void> {
      const least = all ? 1 : BATCH;
      for (const table of [...MIRRORED, 'notes'] as const) await flushTable(table, least);
      for (const table of ['issues', 'runs'] as const)
        if (all || present[table].length >= BATCH) await keepPresent(table);
    },

    /** Takes chains off the stage; with `events: false` what they have so far stays, and is gone on with. */
    async forget(chains: readonly string[], { events }: { events: boolean }): Promise<void> {
      const asked = textArray(connection, chains);
      await connection`delete from rebuilt_issues where key = any(${asked})`;
      await connection`delete from rebuilt_runs where issue_key = any(${asked})`;
      await connection`
        delete from rebuilt_notes where chain = any(${asked}) and (${events} or "table" <> 'flow_events')`;
      if (!events) return;
      await connection`delete from rebuilt_flow_events where chain = any(${asked})`;
      for (const chain of chains) carried.delete(chain);
    },

    /** Where a chain ends on the stage. */
    async lastLink(chain: string): Promise<ChainLink> {
      const [last] = await connection<ChainLink[]>`
        select seq, hash from rebuilt_flow_events where chain = ${chain} order by seq desc limit 1`;
      return last ? { seq: last.seq, hash: last.hash } : { seq: 0, hash: FIRST_HASH };
    },

    /** The rows of issues and runs of some chains as they are, by chain. */
    async currentRows(sql: postgres.Sql, chains: readonly string[]): Promise<(chain: string) => readonly CurrentRow[]> {
      const asked = textArray(sql, chains);
      const rows = await sql<(CurrentRow & { chain: string })[]>`
        select key as chain, 'issues' as table, key as id, revision, to_json(updated_at)#>>'{}' as "updatedAt"
        from issues where key = any(${asked})
        union all
        select issue_key, 'runs', id::text, revision, null from runs where issue_key = any(${asked})`;
      const byChain = Map.groupBy(rows, ({ chain }) => chain);
      return (chain) => byChain.get(chain) ?? [];
    },

    /** Chains with rows that are not on the stage, or newer than there, and were not left out: written meanwhile. */
    async staleChains(): Promise<string[]> {
      const rows = await connection<{ chain: string }[]>`
        select distinct chain from flow_events f
        where not exists (select from rebuilt_flow_events r where r.id = f.id)
          and not exists (select from rebuilt_notes n where n.table = 'flow_events' and n.id = f.id)
        union
        select key from issues i
        where not exists (
            select from rebuilt_issues r where r.key = i.key and (r.updated_at, r.revision) >= (i.updated_at, i.revision))
          and not exists (select from rebuilt_notes n where n.table = 'issues' and n.id = i.key || ' at ' || i.revision)
        union
        select issue_key from runs u
        where not exists (select from rebuilt_runs r where r.id = u.id and r.revision >= u.revision)
          and not exists (select from rebuilt_notes n where n.table = 'runs' and n.id = u.id || ' at ' || u.revision)`;
      return rows.map(({ chain }) => chain);
    },

    async analyze(): Promise<void> {
      for (const table of MIRRORED) await connection.unsafe(`analyze rebuilt_${table}`);
    },

    /**
     * Keeps writers away until the transaction ends, and for the events readers too: whoever has read the end of a chain
     * and is about to write behind it comes first, whoever comes later reads the new end.
     */
    async lock(waitMs: number): Promise<void> {
      await connection`select set_config('lock_timeout', ${String(waitMs)}, true), set_config('statement_timeout', '0', true)`;
      const there = (table: Mirrored): boolean => !missing.includes(table);
      for (const table of (['issues', 'runs'] as const).filter(there))
        await connection.unsafe(`lock table ${table} in share row exclusive mode`);
      if (there('flow_events')) await connection.unsafe('lock table flow_events in access exclusive mode');
    },

    /** The hash of every table; null for one that is missing. */
    async hashes(which: 'present' | 'staged'): Promise<Record<Mirrored, TableHash | null>> {
      const hashOf = async (table: Mirrored): Promise<TableHash | null> => {
        if (which === 'present' && (await missingTables(connection)).includes(table)) return null;
        return hashTable(connection, which === 'present' ? table : `rebuilt_${table}`, KEYS[table]);
      };
      return { flow_events: await hashOf('flow_events'), issues: await hashOf('issues'), runs: await hashOf('runs') };
    },

    /** Writes what differs, and nothing else. */
    async apply(): Promise<void> {
      for (const table of missing) await connection.unsafe(`alter table ${SPARE_SCHEMA}.${table} set schema public`);
      for (const table of MIRRORED) {
        const key = KEYS[table];
        await connection.unsafe(`
          delete from ${table} t where not exists (
            select from rebuilt_${table} r where r.${key} = t.${key} and (r.*) is not distinct from (t.*))`);
        await connection.unsafe(`
          insert into ${table} select * from rebuilt_${table} r
          where not exists (select from ${table} t where t.${key} = r.${key})`);
      }
    },

    async notes(): Promise<readonly Note[]> {
      return connection<Note[]>`select "table", id, note from rebuilt_notes order by "table", id`;
    },

    async drop(): Promise<void> {
      if (missing.length > 0) await connection.unsafe(`drop schema if exists ${SPARE_SCHEMA} cascade`);
      for (const table of [...MIRRORED, 'notes']) await connection.unsafe(`drop table if exists rebuilt_${table}`);
      await connection`select pg_advisory_unlock(${REBUILD_LOCK})`;
    },
  };
}

const KEYS = { flow_events: 'id', issues: 'key', runs: 'id' } as const;

function revisionOf({ id, revision }: CurrentRow): string {
  return `${id} at ${revision}`;
}

/** A row as Postgres names its columns. */
function columnsOf(table: 'issues' | 'runs', row: object): Record<string, unknown> {
  const columns = getTableColumns(table === 'issues' ? issues : runs);
  const values = new Map(Object.entries(row));
  return Object.fromEntries(Object.entries(columns).map(([name, column]) => [column.name, values.get(name) ?? null]));
}

async function missingTables(connection: postgres.Sql): Promise<Mirrored[]> {
  const rows = await connection<{ table: Mirrored }[]>`
    select name as table from unnest(${textArray(connection, MIRRORED)}) as name
    where to_regclass('public.' || name) is null`;
  return rows.map(({ table }) => table);
}

/** Needs a session in UTC, so that instants always read the same. */
async function hashTable(connection: postgres.Sql, table: string, key: string): Promise<TableHash> {
  const [row] = await connection<TableHash[]>`
    select count(*)::int as rows, encode(sha256(coalesce(string_agg(
      sha256(convert_to(to_jsonb(t)::text, 'UTF8')), ''::bytea order by t.${connection(key)}::text collate "C"), '')), 'hex') as hash
    from ${connection(table)} t`;
  if (!row) throw new Error(`no hash of ${table}`);
  return row;
}
