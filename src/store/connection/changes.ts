/** Change signals between processes, with Postgres' LISTEN and NOTIFY. They carry no data: readers read the tables. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql, type SQL } from 'drizzle-orm';
import postgres from 'postgres';

const CHANNEL = 'codexk8s_changes';

/**
 * `facts`: an inbox has facts to signal; `log`: new log lines; `run`, `issue`: their rows or events changed; `github`: GitHub
 * asks to wait; `task_failing`: a workflow task fails (src/temporal/failing-tasks.ts).
 */
export type Change = {
  readonly kind: 'facts' | 'log' | 'run' | 'issue' | 'github' | 'task_failing';
  readonly key: string;
};

/** A database, or a transaction (then the notification is sent at commit). */
interface Executor {
  execute(query: SQL): PromiseLike<unknown>;
}

/** Notifies all listeners of a change, when the surrounding transaction commits. */
export async function announce(db: Executor, change: Change): Promise<void> {
  await db.execute(sql`select pg_notify(${CHANNEL}, ${JSON.stringify(change)})`);
}

/** The same as an expression for hand-written SQL. */
export function announcing(tx: postgres.TransactionSql, change: Change): postgres.PendingQuery<postgres.Row[]> {
  return tx`pg_notify(${CHANNEL}, ${JSON.stringify(change)})`;
}

/** Milliseconds between connection checks, and between attempts to reconnect. */
const BEAT_MS = 1000;
const AGAIN_MS = 500;

/**
 * Calls back for every change until the returned function is called. Reconnects when the connection is lost, also if it is
 * half-open; then `onListening` is called, since notifications were lost meanwhile. Rejects if the first connection fails.
 */
export async function listenForChanges(
  client: postgres.Sql,
  onChange: (change: Change) => void,
  onListening: () => void = () => {},
): Promise<() => Promise<void>> {
  const stopping = new AbortController();
  const pause = (milliseconds: number): Promise<unknown> =>
    sleep(milliseconds, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
  let listener = await openListener(client, onChange);

  async function keepListening(): Promise<void> {
    while (!stopping.signal.aborted) {
      await Promise.race([pause(BEAT_MS), listener.lost]);
      if (stopping.signal.aborted || (await listener.isAlive())) continue;
      await listener.close();
      await reopen();
    }
    await listener.close();
  }

  async function reopen(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        listener = await openListener(client, onChange);
        return onListening();
      } catch {
        await pause(AGAIN_MS);
      }
    }
  }

  const listening = keepListening();
  return async () => {
    stopping.abort();
    await listening;
  };
}

interface Listener {
  /** Resolves when the driver reports that the connection was closed. */
  readonly lost: Promise<void>;
  isAlive(): Promise<boolean>;
  close(): Promise<void>;
}

/** A client for one listening connection. It is pinged often enough that its silence does not look like a dead connection. */
async function openListener(client: postgres.Sql, onChange: (change: Change) => void): Promise<Listener> {
  let isOpen = true;
  let sql: postgres.Sql | undefined;
  const lost = new Promise<void>((resolve) => {
    sql = postgres({
      ...client.options,
      max: 1,
      idle_timeout: 0,
      max_lifetime: null,
      onnotify: (_channel: string, payload: string) => onChange(JSON.parse(payload) as Change),
      onclose() {
        isOpen = false;
        resolve();
      },
    } as object as postgres.Options<Record<string, postgres.PostgresType>>);
  });
  const listen = (): PromiseLike<unknown> => (sql as postgres.Sql).unsafe(`listen ${CHANNEL}`);
  const close = (): Promise<void> => (sql as postgres.Sql).end({ timeout: 0 });
  try {
    await listen();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    lost,
    close,
    // A ping; on a connection that the driver has replaced meanwhile, notifications would have been lost.
    isAlive: async () => {
      try {
        if (isOpen) await listen();
        return isOpen;
      } catch {
        return false;
      }
    },
  };
}
