/** Which write of an issue's or a run's row is the newest: the very rule of projections.ts, over recorded writes. */
import type { IssueRow, RunRow } from '../projections/projections.ts';
import type { RecordedChain, RecordedWrite } from '../audit/recorded-chain.ts';

/** What decides between two writes of a row, as it stands in a table. */
export interface CurrentRow {
  readonly table: 'issues' | 'runs';
  readonly id: string;
  readonly revision: number;
  /** ISO 8601; null for a run, whose revisions alone decide. */
  readonly updatedAt: string | null;
}

export type RebuiltRow =
  | { readonly table: 'issues'; readonly id: string; readonly row: IssueRow; readonly outrun: CurrentRow | null }
  | { readonly table: 'runs'; readonly id: string; readonly row: RunRow; readonly outrun: CurrentRow | null }
  /** No history knows the row: it stays as it is, or goes. */
  | {
      readonly table: 'issues' | 'runs';
      readonly id: string;
      readonly row: 'present' | 'left_out';
      readonly outrun: CurrentRow;
    };

/**
 * The rows of a chain. `outrun` is the present row where it claims to be newer than all that was written. `explained` says
 * that nothing of the chain's past is gone, so that a row which no history knows was written by nobody.
 */
export function newestRows(
  { writes }: RecordedChain,
  current: readonly CurrentRow[],
  explained: boolean,
): readonly RebuiltRow[] {
  const present = new Map(current.map((row) => [`${row.table} ${row.id}`, row]));
  const newest = new Map<string, RebuiltRow>();
  for (const write of writes.toSorted((one, other) => one.at - other.at)) {
    const candidate = rowOf(write);
    if (!candidate) continue;
    const key = `${candidate.table} ${candidate.id}`;
    const now = present.get(key);
    if (!happened(write, candidate, now)) continue;
    const best = newest.get(key);
    if (!best || isOlder(standing(best), standing(candidate))) newest.set(key, candidate);
  }
  const known = [...newest].map(([key, row]): RebuiltRow => {
    const now = present.get(key);
    return now && isOlder(standing(row), now) ? { ...row, outrun: now } : row;
  });
  const unknown = current
    .filter(({ table, id }) => !newest.has(`${table} ${id}`))
    .map((now): RebuiltRow => ({ table: now.table, id: now.id, row: explained ? 'left_out' : 'present', outrun: now }));
  return [...known, ...unknown];
}

function rowOf({ issue, run }: RecordedWrite): RebuiltRow | undefined {
  if (issue) return { table: 'issues', id: issue.key, row: issue, outrun: null };
  return run ? { table: 'runs', id: run.id, row: run, outrun: null } : undefined;
}

/** Whether a write was made: its result says so, or the table does; where the row is lost, what may have been made counts. */
function happened({ outcome }: RecordedWrite, candidate: RebuiltRow, now: CurrentRow | undefined): boolean {
  if (outcome === 'written') return true;
  return now ? !isOlder(now, standing(candidate)) : outcome === 'open';
}

function standing(rebuilt: RebuiltRow): CurrentRow {
  const { table, id, row } = rebuilt;
  if (typeof row === 'string') return rebuilt.outrun;
  return { table, id, revision: row.revision, updatedAt: 'updatedAt' in row ? row.updatedAt : null };
}

/** As `projectIssue` and `projectRun` have Postgres compare: an equal one does not overwrite. */
function isOlder(one: CurrentRow, other: CurrentRow): boolean {
  const [early, late] = [one, other].map(({ updatedAt }) => (updatedAt === null ? 0 : Date.parse(updatedAt)));
  return early === late ? one.revision < other.revision : Number(early) < Number(late);
}
