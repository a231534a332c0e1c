/** A change marker: two index look-ups that give a text to compare with an earlier one. */
import { sql } from 'drizzle-orm';
import type { Database } from '../../store/connection/database.ts';
import { flowEvents, issues } from '../../store/connection/schema.ts';

/** A text that changes whenever an issue, a run or a delivery does; of one issue only, when its key is given. */
export async function changeMarker(db: Database, issueKey?: string): Promise<string> {
  const [row] = await db.execute<{ changed: string | null; happened: string | null }>(
    issueKey === undefined
      ? sql`select (select max(${issues.updatedAt}) from ${issues})::text as changed,
          (select max(${flowEvents.occurredAt}) from ${flowEvents})::text as happened`
      : sql`select (select ${issues.revision} from ${issues} where ${issues.key} = ${issueKey})::text as changed,
          (select max(${flowEvents.seq}) from ${flowEvents} where ${flowEvents.chain} = ${issueKey})::text as happened`,
  );
  return Buffer.from(`${row?.changed ?? ''} ${row?.happened ?? ''}`).toString('base64url');
}
