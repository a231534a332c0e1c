/** Tells every process that something changed, through Postgres' LISTEN and NOTIFY. A hint only: readers read the tables. */
import { sql, type SQL } from 'drizzle-orm';
import type postgres from 'postgres';

const CHANNEL = 'codexk8s_changes';

/** `facts`: an inbox has something to hand over; `log`: new log lines; `run`, `issue`: their rows or events changed. */
export type Change = { readonly kind: 'facts' | 'log' | 'run' | 'issue'; readonly key: string };

/** What can run a statement: a database or a transaction (then the hint goes out with the commit). */
interface Executor {
  execute(query: SQL): PromiseLike<unknown>;
}

/** Announces a change to all listeners, when the surrounding transaction commits. */
export async function announce(db: Executor, change: Change): Promise<void> {
  await db.execute(sql`select pg_notify(${CHANNEL}, ${JSON.stringify(change)})`);
}

/** Calls back for every change until the returned function is called; the connection is made again when it breaks. */
export async function listenForChanges(
  client: postgres.Sql,
  onChange: (change: Change) => void,
): Promise<() => Promise<void>> {
  const listening = await client.listen(CHANNEL, (payload) => onChange(JSON.parse(payload) as Change));
  return async () => {
    await listening.unlisten();
  };
}
