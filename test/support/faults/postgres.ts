/** Faults between this program and Postgres, put into the driver: into every statement, and around every transaction. */
import type postgres from 'postgres';
import type { Around } from './faults.ts';

type Sql = postgres.Sql | postgres.TransactionSql;

/**
 * A driver whose statements and transactions fail now and then. `execute_and_timeout` of a transaction is a commit whose
 * answer is lost; of a statement within one, an error that rolls it back.
 */
export function withStatementFaults(sql: postgres.Sql, faults: StatementFaults): postgres.Sql {
  return faulty(sql, faults.alone, faults);
}

export interface StatementFaults {
  /** For statements on their own, and for transactions as a whole. */
  readonly alone: Around;
  /** For statements within a transaction, of which there are many: one that fails fails the whole. */
  readonly within: Around;
}

function faulty<Driver extends Sql>(driver: Driver, around: Around, faults: StatementFaults): Driver {
  return new Proxy(driver, {
    apply(target, self, args: unknown[]) {
      const made: unknown = Reflect.apply(target as (...given: unknown[]) => unknown, self, args);
      const [strings] = args;
      return isTemplate(strings) ? faultyQuery(made as postgres.PendingQuery<[]>, strings.join('?'), around) : made;
    },
    get(target, key, receiver) {
      const value: unknown = Reflect.get(target, key, receiver);
      if (key === 'unsafe')
        return (text: string, ...more: []) => faultyQuery(target.unsafe(text, ...more), text, around);
      if (key === 'begin') return faultyBegin(target, value, faults);
      return value;
    },
  });
}

/** The driver's `begin`, which takes options before the callback. */
function faultyBegin(target: Sql, begin: unknown, faults: StatementFaults): unknown {
  return (...args: unknown[]) => {
    const act = args.at(-1) as (tx: postgres.TransactionSql) => Promise<unknown>;
    const given = [...args.slice(0, -1), (tx: postgres.TransactionSql) => act(faulty(tx, faults.within, faults))];
    return faults.alone('transaction', () =>
      Reflect.apply(begin as (...all: unknown[]) => Promise<unknown>, target, given),
    );
  };
}

/** The driver sends a query when somebody waits for it; the die is rolled then, and once. */
function faultyQuery(query: postgres.PendingQuery<[]>, text: string, around: Around): postgres.PendingQuery<[]> {
  let running: Promise<unknown> | undefined;
  const run = (): Promise<unknown> =>
    (running ??= around(nameOf(text), () => new Promise((resolve, reject) => void query.then(resolve, reject))));
  const proxy: postgres.PendingQuery<[]> = new Proxy(query, {
    get(target, key) {
      if (key === 'then') return run().then.bind(run());
      if (key === 'catch') return run().catch.bind(run());
      if (key === 'finally') return run().finally.bind(run());
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        const made: unknown = Reflect.apply(value, target, args);
        return made === target ? proxy : made;
      };
    },
  });
  return proxy;
}

/** The verb and the first table: what a statement is, whatever its values are. */
function nameOf(text: string): string {
  const verb = /^\s*(\w+)/.exec(text)?.[1] ?? '';
  const table = /"(\w+)"|\b(?:from|into|update)\s+(\w+)/i.exec(text);
  return [verb, table?.[1] ?? table?.[2]].filter(Boolean).join(' ').toLowerCase();
}

function isTemplate(value: unknown): value is readonly string[] & { readonly raw: readonly string[] } {
  return Array.isArray(value) && 'raw' in value;
}
