/** Lists are read page by page, newest first: a bounded number of rows, and a cursor that says where the next page begins. */
import { sql, type Column, type SQL } from 'drizzle-orm';

/** Rows in a page, at most. */
export const PAGE_LIMIT = 200;

/** The place of the last row that was read. Instants are kept to the millisecond, as those who write them do. */
export interface Cursor {
  readonly at: Date;
  readonly id: string;
}

export interface PageRequest {
  readonly limit: number;
  readonly cursor?: Cursor | undefined;
}

export interface Page<Row> {
  readonly items: readonly Row[];
  /** Where the next page begins; null when there is none. */
  readonly next: string | null;
}

/** A cursor as text that fits into a URL. */
function encodeCursor({ at, id }: Cursor): string {
  return Buffer.from(`${at.toISOString()} ${id}`).toString('base64url');
}

/** Reads a cursor again; undefined when it is none of ours. */
export function decodeCursor(text: string): Cursor | undefined {
  const [instant = '', id = ''] = Buffer.from(text, 'base64url').toString('utf8').split(' ');
  const at = new Date(instant);
  if (Number.isNaN(at.getTime()) || !/^[\x21-\x7e]{1,200}$/.test(id)) return undefined;
  return { at, id };
}

/** A limit within its bounds, whatever was asked for. */
export function bounded(limit: number, most: number = PAGE_LIMIT): number {
  return Math.min(Math.max(1, Math.trunc(limit)), most);
}

/** Ties in time are broken by id, in an order that no locale changes. */
export function byteOrder(id: Column): SQL {
  return sql`${id}::text collate "C"`;
}

/** The condition of all rows that come after the cursor, when the newest come first. */
export function after(cursor: Cursor | undefined, at: Column, id: Column): SQL | undefined {
  if (!cursor) return undefined;
  const instant = sql`${cursor.at.toISOString()}::timestamptz`;
  return sql`${at} <= ${instant} and (${at}, ${byteOrder(id)}) < (${instant}, ${cursor.id})`;
}

/** Cuts a page from rows of which one more was read than it holds. */
export function cutPage<Row>(rows: readonly Row[], limit: number, place: (row: Row) => Cursor): Page<Row> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last ? encodeCursor(place(last)) : null };
}
