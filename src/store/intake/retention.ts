/** Bodies of deliveries that are not needed whole any more. Rows stay, with the links of their audit events. */
import { sql } from 'drizzle-orm';
import { leanBody } from '../../domain/maintenance/retention.ts';
import type { Database } from '../connection/database.ts';
import { pack, unpack } from '../connection/packed-bytes.ts';

/** Makes the bodies of deliveries that arrived before a time lean; returns how many. That of a run that has not ended stays. */
export async function pruneBodies(db: Database, before: Date, limit: number): Promise<number> {
  const rows = await db.execute<{ id: string; body: Buffer }>(sql`
    select id, body from deliveries
    where pruned_at is null and received_at < ${before.toISOString()}::timestamptz
      and not exists (select 1 from runs where runs.id = deliveries.run_id and runs.finished_at is null)
    order by received_at limit ${limit}`);
  for (const { id, body } of rows) {
    const lean = pack(Buffer.from(JSON.stringify(leanBody(parsed(body)))));
    await db.execute(sql`update deliveries set body = ${lean}, pruned_at = now() where id = ${id}`);
  }
  return rows.length;
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(unpack(body).toString('utf8'));
  } catch {
    return {};
  }
}
