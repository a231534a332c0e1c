/**
 * Rebuilds the read model, `flow_events`, `issues` and `runs`, from Temporal's histories and the deliveries
 * (docs/decisions.md, 9). What they become is put together beside them, proven against every hash that is remembered, and put
 * in their place in one short transaction, while server and worker run.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import postgres from 'postgres';
import { allChains, chunks } from '../audit/audit.ts';
import { readEntries, readEntriesAfter, type ChainEntry } from '../../store/audit/chain-entries.ts';
import { FIRST_HASH, type ChainLink } from '../../store/audit/events.ts';
import { createChainBuilder, type ChainBuilder, type RebuildProblem } from './chain.ts';
import { newestRows } from './rows.ts';
import { createStage, MIRRORED, type Mirrored, type Stage, type TableHash } from './stage.ts';
import type { RecordedChain, RecordedHistories } from '../audit/recorded-chain.ts';

export interface RebuildReport {
  /** `before` is null for a table that was missing. The two hashes are equal when nothing had to change. */
  readonly tables: Readonly<Record<Mirrored, { readonly before: TableHash | null; readonly after: TableHash }>>;
  readonly changed: boolean;
  /** Executions whose histories were read. */
  readonly executions: number;
  /** Rows that neither a history nor a delivery knows any more, and that stay as they are. */
  readonly carriedOver: Readonly<Record<Mirrored, number>>;
  /** Events that nothing should have written, and that later events were built upon: they stay, and `audit verify` names them. */
  readonly unexplained: readonly string[];
  /** Rows that nothing wrote, or that were changed to look newer: gone now. */
  readonly leftOut: readonly { readonly table: Mirrored; readonly id: string }[];
}

export interface RebuildOptions {
  readonly histories: RecordedHistories;
  /** The statements that make the mirrored tables, for those that are missing. */
  readonly definitions: Readonly<Record<Mirrored, readonly string[]>>;
}

/** The mirror cannot be made again as it was. Nothing was changed. */
export class RebuildRefused extends Error {
  override readonly name = 'RebuildRefused';
  readonly problems: readonly RebuildProblem[];
  constructor(problems: readonly RebuildProblem[]) {
    super(`read-model rebuild refused: ${problems.length} chains would differ from their recorded hashes`);
    this.problems = problems;
  }
}

const GROUP = 20;
const GROUPS_AT_ONCE = 4;
/** What is written meanwhile is caught up with this often before the tables are locked for the rest. */
const CATCH_UPS = 3;
/** Writers and readers come first: who does not get the locks soon lets go and tries again. */
const LOCK_ATTEMPTS = 20;
const LOCK_WAIT_MS = 2000;
const LOCK_PAUSE_MS = 500;

/**
 * Rebuilds all three tables. `sql` is a pool whose search path ends with {@link SPARE_SCHEMA}. Rejects with
 * {@link RebuildRefused} when a hash would differ from the one that is remembered, and changes nothing then.
 */
export async function rebuildReadModel(
  sql: postgres.Sql,
  { histories, definitions }: RebuildOptions,
): Promise<RebuildReport> {
  const connection = await sql.reserve();
  try {
    const stage = await createStage(connection, definitions);
    try {
      const rebuild = createRebuild(sql, connection, stage, histories);
      await rebuild.all();
      for (let times = 0; times < CATCH_UPS; times += 1) if (!(await rebuild.catchUp())) break;
      await stage.analyze();
      // Not under the locks, as far as can be: nobody waits for it here.
      const staged = await stage.hashes('staged');
      return await whenLocksAreFree(() => rebuild.swap(staged));
    } finally {
      await stage.drop();
    }
  } finally {
    connection.release();
  }
}

function createRebuild(sql: postgres.Sql, connection: postgres.Sql, stage: Stage, histories: RecordedHistories) {
  const problems = new Map<string, RebuildProblem>();
  const executions = new Map<string, number>();

  function builderOf(chain: string, recorded: RecordedChain, after?: ChainLink): ChainBuilder {
    problems.delete(chain);
    executions.set(chain, recorded.executions.length);
    return createChainBuilder(chain, recorded, {
      onEvent: (event) => stage.event(event),
      onProblem: (problem) => problems.set(chain, problem),
      after,
      emptied: stage.emptied,
    });
  }

  /** The rows are read as of a moment before the histories are: so every genuine row is known to them. */
  async function stageGroup(chains: readonly string[]): Promise<void> {
    const rows = await stage.currentRows(sql, chains);
    let recorded: Map<string, RecordedChain> | undefined;
    const left = new Set(chains);
    let current: { builder: ChainBuilder; recorded: RecordedChain } | undefined;
    const begin = async (chain: string): Promise<typeof current> => {
      recorded ??= await readTogether(chains);
      const own = recorded.get(chain) ?? { executions: [], writes: [] };
      left.delete(chain);
      return { recorded: own, builder: builderOf(chain, own) };
    };
    const end = async (): Promise<void> => {
      if (!current) return;
      finish(current.builder, current.recorded, rows);
      await stage.flush();
    };
    for await (const batch of readEntries(sql, chains, 'anchored')) {
      for (const entry of batch) {
        if (current?.builder.chain !== entry.chain) {
          await end();
          current = await begin(entry.chain);
        }
        current?.builder.add(entry);
      }
      await stage.flush();
    }
    await end();
    for (const chain of left) {
      current = await begin(chain);
      await end();
    }
  }

  function finish(
    builder: ChainBuilder,
    recorded: RecordedChain,
    rows: Awaited<ReturnType<Stage['currentRows']>>,
  ): void {
    const { chain } = builder;
    const { leftOut } = builder.end();
    for (const id of leftOut) stage.note('flow_events', id, chain, 'left_out');
    // Where every event is explained, a row that no workflow wrote is nobody's; else its workflow's history may be gone.
    const explained = recorded.executions.length > 0 && !stage.hasCarried(chain);
    for (const row of newestRows(recorded, rows(chain), explained)) stage.row(row, chain);
  }

  async function readTogether(chains: readonly string[]): Promise<Map<string, RecordedChain>> {
    return new Map(await Promise.all(chains.map(async (chain) => [chain, await histories.read(chain)] as const)));
  }

  async function stageChains(chains: readonly string[]): Promise<void> {
    const limit = pLimit(GROUPS_AT_ONCE);
    try {
      await limit.map(chunks(chains, GROUP), stageGroup);
    } finally {
      limit.clearQueue();
    }
    await stage.flush({ all: true });
  }

  /** Under the locks: nothing is written meanwhile, and only this connection may look at the events. */
  async function stageLocked(chain: string): Promise<void> {
    const whole = problems.has(chain);
    const after = whole ? { seq: 0, hash: FIRST_HASH } : await stage.lastLink(chain);
    await stage.forget([chain], { events: whole });
    const rows = await stage.currentRows(connection, [chain]);
    const entries: readonly ChainEntry[] = await readEntriesAfter(connection, chain, after.seq);
    const recorded = await histories.read(chain);
    const builder = builderOf(chain, recorded, after);
    for (const entry of entries) builder.add(entry);
    finish(builder, recorded, rows);
    await stage.flush({ all: true });
  }

  return {
    async all(): Promise<void> {
      await stageChains(await allChains(sql, histories));
    },

    /** Stages again what was written since; false when there was nothing. */
    async catchUp(): Promise<boolean> {
      const chains = new Set([...problems.keys(), ...(await stage.staleChains())]);
      if (chains.size === 0) return false;
      await stage.forget([...chains], { events: true });
      await stageChains([...chains]);
      return true;
    },

    /** Puts the staged rows in place of the present ones, in one transaction. */
    async swap(hashes: Hashes): Promise<RebuildReport> {
      await connection`begin`;
      try {
        await stage.lock(LOCK_WAIT_MS);
        const late = new Set([...problems.keys(), ...(await stage.staleChains())]);
        for (const chain of late) await stageLocked(chain);
        if (problems.size > 0) throw new RebuildRefused([...problems.values()]);
        const before = await stage.hashes('present');
        const staged = late.size > 0 ? await stage.hashes('staged') : hashes;
        const changed = MIRRORED.some((table) => before[table]?.hash !== staged[table]?.hash);
        if (changed) await stage.apply();
        const after = changed ? await stage.hashes('present') : before;
        const report = await reportOf(before, after, changed);
        await connection`commit`;
        return report;
      } catch (error) {
        await connection`rollback`;
        throw error;
      }
    },
  };

  async function reportOf(before: Hashes, after: Hashes, changed: boolean): Promise<RebuildReport> {
    const notes = await stage.notes();
    const carried = (table: Mirrored): number =>
      notes.filter((note) => note.table === table && note.note === 'carried').length;
    const tableOf = (table: Mirrored): RebuildReport['tables'][Mirrored] => {
      const now = after[table];
      if (!now) throw new Error(`${table} is still missing`);
      return { before: before[table], after: now };
    };
    return {
      tables: { flow_events: tableOf('flow_events'), issues: tableOf('issues'), runs: tableOf('runs') },
      changed,
      executions: [...executions.values()].reduce((sum, count) => sum + count, 0),
      carriedOver: { flow_events: carried('flow_events'), issues: carried('issues'), runs: carried('runs') },
      unexplained: notes.filter(({ note }) => note === 'unexplained').map(({ id }) => id),
      leftOut: notes.filter(({ note }) => note === 'left_out').map(({ table, id }) => ({ table, id })),
    };
  }
}

type Hashes = Awaited<ReturnType<Stage['hashes']>>;

/** A lock that was not free in time, or two that waited for each other. */
const BUSY = new Set(['55P03', '40P01']);

async function whenLocksAreFree<Result>(act: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await act();
    } catch (error) {
      const busy = error instanceof postgres.PostgresError && BUSY.has(error.code);
      if (!busy || attempt === LOCK_ATTEMPTS) throw error;
      await sleep(LOCK_PAUSE_MS);
    }
  }
}
