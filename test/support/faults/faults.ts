/**
 * Faults between a process and what it depends on, as Temporal has them for its own stores. Every call rolls a die that
 * depends on the seed, the port, the method and the number of the call alone, so that a seed brings the same faults back.
 * The kind that finds bugs is `execute_and_timeout`: the work is done, and the caller is told that it is not.
 */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type postgres from 'postgres';
import { GitHubAsksToWait } from '../../../src/adapters/github/waits.ts';
import { withStatementFaults } from './postgres.ts';
import type { Logger } from '../../../src/app/process/log.ts';

export const FAULT_KINDS = [
  'error_before',
  'timeout_before',
  'execute_and_timeout',
  '429_with_retry_after',
  '5xx',
  'slow',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Faults that come back with their seed; each kind with the same probability, or one kind alone. */
export interface FaultPlan {
  readonly seed: number;
  readonly rate: number;
  readonly kinds: readonly FaultKind[];
}

/** Reads `seed=42,rate=0.01`, and `,kind=execute_and_timeout` for one kind. Throws when the text is not like that. */
export function faultPlan(text: string): FaultPlan {
  const { seed, rate, kind } =
    /^seed=(?<seed>\d{1,9}),rate=(?<rate>0(\.\d+)?)(,kind=(?<kind>\w+))?$/.exec(text)?.groups ?? {};
  const kinds = FAULT_KINDS.filter((one) => kind === undefined || one === kind);
  if (seed !== undefined && kinds.length > 0 && Number(rate) * kinds.length < 0.61)
    return { seed: Number(seed), rate: Number(rate), kinds };
  throw new Error(`“${text}” is not like seed=42,rate=0.01, with a rate of 0.1 at most`);
}

/** ReceivedDelivery of each fault; `call` is `<port>.<method>#<number>`, counted from 1. */
export type OnFault = (kind: FaultKind, call: string) => void;

export interface FaultyPort {
  /** Names the port in the die. */
  readonly name: string;
  readonly seed: number;
  /** Probabilities, from 0 to 1 in sum. */
  readonly rates: Readonly<Partial<Record<FaultKind, number>>>;
  /** The error as the port itself would throw it. */
  readonly fail: (kind: FaultKind) => Error;
  readonly onFault?: OnFault;
}

/** Runs a call, or what a fault makes of it. */
export type Around = <Result>(method: string, call: () => Promise<Result>) => Promise<Result>;

/** A caller that times out has waited for so long, in milliseconds; real limits are longer, and would only cost time. */
const TIMEOUT_MS = 1000;
const SLOW_MS = 2000;

/** Rolls the die for every call of one port. */
export function faultsAround({ name, seed, rates, fail, onFault }: FaultyPort): Around {
  const calls = new Map<string, number>();
  return async (method, call) => {
    const number = (calls.get(method) ?? 0) + 1;
    calls.set(method, number);
    const kind = faultOf(roll(`${seed}:${name}.${method}#${number}`), rates);
    if (kind === undefined) return call();
    onFault?.(kind, `${name}.${method}#${number}`);
    if (kind === 'slow') await delay(SLOW_MS);
    if (kind === 'slow') return call();
    if (kind === 'timeout_before') await delay(TIMEOUT_MS);
    if (kind === 'execute_and_timeout') await call();
    throw fail(kind);
  };
}

/** Methods that call nobody. */
const PURE: ReadonlySet<string> = new Set(['outgoing', 'visibleText']);

/** A port whose methods fail now and then. What is no method, or calls nobody, stays as it is. */
export function withFaults<Port extends object>(port: Port, options: FaultyPort): Port {
  const around = faultsAround(options);
  const methods = Object.entries(port).map(([method, value]: [string, unknown]) => [
    method,
    typeof value === 'function' && !PURE.has(method)
      ? (...args: unknown[]) => around(method, async () => value(...args))
      : value,
  ]);
  return Object.fromEntries(methods) as Port;
}

/** A number from 0 to 1, always the same for a text. */
function roll(text: string): number {
  return createHash('sha256').update(text).digest().readUIntBE(0, 6) / 2 ** 48;
}

function faultOf(rolled: number, rates: FaultyPort['rates']): FaultKind | undefined {
  let below = 0;
  for (const kind of FAULT_KINDS) {
    below += rates[kind] ?? 0;
    if (rolled < below) return kind;
  }
  return undefined;
}

export interface Faults {
  github<Port extends object>(port: Port): Port;
  runtime<Port extends object>(port: Port): Port;
  workflows<Port extends object>(port: Port): Port;
  /** For the pool of this name. */
  postgres(pool: string): (sql: postgres.Sql) => postgres.Sql;
}

/** Says loudly that calls of this process are going to fail. `process` keeps the dice of several processes apart. */
export function openFaults(
  { seed, rate, kinds }: FaultPlan,
  { process, log }: { process: string; log: Logger },
): Faults {
  log.warn({ seed, rate, kinds }, 'calls of this process fail at random');
  const rates = Object.fromEntries(kinds.map((kind) => [kind, rate]));
  const rarely = Object.fromEntries(kinds.map((kind) => [kind, rate / 10]));
  const onFault: OnFault = (kind, call) => log.info({ kind, call }, 'a fault was put in');
  const port = (name: string, fail: FaultyPort['fail']): FaultyPort => ({
    name: `${process}.${name}`,
    seed,
    rates,
    fail,
    onFault,
  });
  return {
    github: (github) => withFaults(github, port('github', gitHubError)),
    runtime: (runtime) => withFaults(runtime, port('runtime', plainError)),
    workflows: (workflows) => withFaults(workflows, port('temporal', plainError)),
    postgres: (pool) => (sql) =>
      withStatementFaults(sql, {
        alone: faultsAround(port(pool, postgresError)),
        within: faultsAround({ ...port(`${pool}.transaction`, postgresError), rates: rarely }),
      }),
  };
}

const MESSAGES: Readonly<Record<FaultKind, string>> = {
  error_before: 'a fault for tests: nobody was reached',
  timeout_before: 'a fault for tests: no answer in time',
  execute_and_timeout: 'a fault for tests: done, and no answer in time',
  '429_with_retry_after': 'a fault for tests: too many requests',
  '5xx': 'a fault for tests: out of order',
  slow: '',
};

function plainError(kind: FaultKind): Error {
  return new Error(MESSAGES[kind]);
}

function gitHubError(kind: FaultKind): Error {
  if (kind === '429_with_retry_after')
    return new GitHubAsksToWait({ until: new Date(Date.now() + 1000), leftMs: 1000, reason: MESSAGES[kind] });
  return Object.assign(new Error(MESSAGES[kind]), { status: kind === '5xx' ? 503 : 500 });
}

/** Codes of the driver and of Postgres. */
const POSTGRES_CODES: Readonly<Record<FaultKind, string>> = {
  error_before: 'ECONNREFUSED',
  timeout_before: '57014',
  execute_and_timeout: 'CONNECTION_CLOSED',
  '429_with_retry_after': '53300',
  '5xx': '57P01',
  slow: '',
};

function postgresError(kind: FaultKind): Error {
  return Object.assign(new Error(MESSAGES[kind]), { code: POSTGRES_CODES[kind] });
}
