/**
 * Transactions, each on a connection that nobody else uses meanwhile and that is discarded as soon as anything is wrong with
 * it. The driver's own `begin` keeps using a connection that was lost in the middle: its rollback ends the process with a
 * TypeError, or statements of the dead transaction run inside the next one (postgres.js 3.4.9, issues 1208 and 1216).
 */
import postgres from 'postgres';
import { abandonQuery, shareTypes, watchQuery, type Query } from './driver-internals.ts';

export interface SessionOptions {
  readonly max: number;
  /** Opens a driver with one connection, and calls back when that is closed. */
  readonly open: (onclose: () => void) => postgres.Sql;
}

/** A connection that runs one transaction after the other. */
interface Session {
  readonly sql: postgres.Sql;
  /** Rejects when the connection is lost. */
  readonly loss: Promise<never>;
  lost: boolean;
  /** Whether it has answered before. */
  connected: boolean;
  /** Statements without an answer. */
  readonly unanswered: Set<Query>;
}

type Act<Result> = (tx: postgres.TransactionSql) => Result | Promise<Result>;

/** The connection was lost within a transaction. If the commit had been sent, it is unknown whether it succeeded. */
class SessionLost extends Error {
  override readonly name = 'SessionLost';
  readonly code = 'CONNECTION_CLOSED';
  constructor() {
    super('connection to Postgres lost within a transaction');
  }
}

/**
 * Replaces a driver's `begin`. A statement that the callback does not await is sent together with the commit, and fails the
 * transaction if it fails. There are no savepoints.
 */
export function runTransactionsInSessions(sql: postgres.Sql, options: SessionOptions): postgres.Sql {
  const idle: Session[] = [];
  const all = new Set<Session>();
  const waiting: (() => void)[] = [];

  async function begin<Result>(...args: [Act<Result>] | [string, Act<Result>]): Promise<Result> {
    const act = args.at(-1) as Act<Result>;
    const mode = args.length === 2 ? args[0] : '';
    const session = await take();
    try {
      return await transact(session, mode, act);
    } finally {
      if (session.lost) drop(session);
      else idle.push(session);
      waiting.shift()?.();
    }
  }

  async function take(): Promise<Session> {
    for (;;) {
      const session = idle.pop();
      if (session && !session.lost) return session;
      if (!session && all.size < options.max) return open();
      if (!session) await new Promise<void>((resolve) => waiting.push(resolve));
    }
  }

  function open(): Session {
    let lose = (): void => {};
    const loss = new Promise<never>((_, reject) => {
      lose = () => reject(new SessionLost());
    });
    loss.catch(() => undefined);
    const driver = options.open(() => {
      session.lost = true;
      // The driver would send them on its next connection, outside of any transaction.
      for (const query of session.unanswered) abandonQuery(query, new SessionLost());
      lose();
      drop(session);
    });
    shareTypes(sql, driver);
    const session: Session = { sql: driver, loss, lost: false, connected: false, unanswered: new Set() };
    all.add(session);
    return session;
  }

  function drop(session: Session): void {
    if (all.delete(session)) void session.sql.end({ timeout: 0 });
  }

  const end = sql.end.bind(sql);
  return Object.assign(sql, {
    begin,
    async end(given?: { timeout?: number }) {
      await Promise.all([end(given), ...[...all].map((session) => session.sql.end(given))]);
    },
  });
}

async function transact<Result>(session: Session, mode: string, act: Act<Result>): Promise<Result> {
  const statements = statementsOf(session);
  const run = (text: string): Promise<postgres.RowList<postgres.Row[]>> => statements.tx.unsafe(text).execute();
  try {
    const begun = run(`begin ${mode.replaceAll(/[^a-z ]/gi, '')}`);
    // On an established connection, BEGIN is sent together with what follows it.
    if (!session.connected) await begun;
    session.connected = true;
    const [result] = await Promise.all([Promise.race([act(statements.tx), session.loss]), begun]);
    statements.throwFailure();
    const { command } = await run('commit');
    statements.throwFailure();
    if (command !== 'COMMIT')
      throw new Error(`COMMIT was answered with ${command}: Postgres rolled the transaction back`);
    return result;
  } catch (error) {
    if (!session.lost) await run('rollback').catch(() => (session.lost = true));
    throw error;
  }
}

/**
 * The statements of a session: none is sent after its connection is lost, and a failed one fails the transaction even if its
 * error is caught.
 */
function statementsOf(session: Session): { tx: postgres.TransactionSql; throwFailure: () => void } {
  let failure: { readonly error: unknown } | undefined;

  function watched(query: Query): Query {
    return watchQuery(query, {
      sending(send) {
        if (session.lost) return abandonQuery(query, new SessionLost());
        session.unanswered.add(query);
        send();
      },
      answered() {
        session.unanswered.delete(query);
      },
      failed(error) {
        session.unanswered.delete(query);
        failure ??= { error };
        if (!(error instanceof postgres.PostgresError) || error.severity !== 'ERROR') session.lost = true;
      },
    });
  }

  const tx = new Proxy(session.sql, {
    apply(target, self, args: unknown[]) {
      const made: unknown = Reflect.apply(target as (...given: unknown[]) => unknown, self, args);
      return made instanceof Promise ? watched(made as Query) : made;
    },
    get(target, key) {
      if (key === 'unsafe')
        return (...args: Parameters<postgres.Sql['unsafe']>) => watched(target.unsafe(...args) as Query);
      return Reflect.get(target, key) as unknown;
    },
  });
  return {
    tx: tx as unknown as postgres.TransactionSql,
    throwFailure() {
      if (failure) throw failure.error;
    },
  };
}
