/**
 * The driver, postgres.js, made to survive lost connections: sockets on which nothing comes back are given up, and transactions
 * run on connections of their own (sessions.ts).
 */
import { connect as dial, type Socket } from 'node:net';
import postgres from 'postgres';
import { poolOptions, type Address } from './driver-internals.ts';
import { runTransactionsInSessions } from './sessions.ts';

export interface DriverOptions {
  /** The connections' application name in Postgres. */
  readonly name: string;
  /** Connections for statements by themselves, and as many again for transactions. */
  readonly max: number;
  /** The limit of a wait for a lock. */
  readonly lockTimeoutMs: number;
  /** The limits after which the server ends a statement, and a transaction whose client is silent. */
  readonly statementTimeoutMs: number;
}

/** Time for an answer to arrive after the server has ended a statement. */
const ANSWER_MS = 500;
/** Seconds. */
const CONNECT_TIMEOUT = 4;
/** Seconds at most between two attempts to connect: the driver's own backoff grows to twenty. */
const LONGEST_PAUSE = 1;

/** Opens a pool. It connects when it is first used. */
export function openDriver(url: string, { name, max, lockTimeoutMs, statementTimeoutMs }: DriverOptions): postgres.Sql {
  const options = {
    max,
    connect_timeout: Math.min(CONNECT_TIMEOUT, statementTimeoutMs / 1000),
    // An idle connection is closed before its silence could look like a dead connection.
    idle_timeout: statementTimeoutMs / 1000,
    backoff: (retries: number) => Math.min(LONGEST_PAUSE, 0.02 * 2 ** retries),
    onnotice: () => {},
    connection: {
      application_name: `codex-k8s ${name}`,
      statement_timeout: statementTimeoutMs,
      lock_timeout: lockTimeoutMs,
      idle_in_transaction_session_timeout: statementTimeoutMs,
      // Nothing but length. A first message of less than 1 KiB can be lost for ever where a connection breaks in the same
      // turn of the event loop in which it is used: the place in the pool then never connects again (postgres.js issue 1133).
      options: ' '.repeat(1024),
    },
  };
  const socket = openSockets(statementTimeoutMs + ANSWER_MS);
  const sql = postgres(url, poolOptions(options, { socket }));
  return runTransactionsInSessions(sql, {
    max,
    // Silence is what ends an idle one: the driver would count the time between two statements of a transaction as idle.
    open: (onclose) =>
      postgres(url, poolOptions({ ...options, max: 1, idle_timeout: 0, max_lifetime: null }, { socket, onclose })),
  });
}

const WATCH_MS = 500;
/** The driver takes a socket that is behind for one that is broken, when it begins a transaction (postgres.js issue 1189). */
const NO_BACKPRESSURE = { writableHighWaterMark: 2 ** 30 };

/** Opens sockets that are destroyed when no byte has arrived for `silenceMs`, also under TLS. */
function openSockets(silenceMs: number): (address: Address) => Socket {
  let attempts = 0;
  return ({ host, port, path }) => {
    const turn = attempts % host.length;
    attempts += 1;
    const at = { host: host[turn] ?? 'localhost', port: port[turn] ?? 5432 };
    const socket = dial({ ...(path ? { path } : { ...at, noDelay: true }), ...NO_BACKPRESSURE });
    // The driver takes the server's name from these, for TLS and in its errors.
    Object.assign(socket, at);
    destroyWhenSilent(socket, silenceMs);
    return socket;
  };
}

/**
 * A live server ends what takes too long, so longer silence means a dead connection. It is measured in turns of a timer, not in
 * time, so that a process that was suspended does not blame its connections.
 */
function destroyWhenSilent(socket: Socket, silenceMs: number): void {
  let heard = 0;
  let silentTurns = 0;
  const watch = setInterval(() => {
    if (socket.destroyed) return clearInterval(watch);
    // Until the server has sent something, the limit for connecting applies: the driver would only connect again.
    if (socket.bytesRead === 0) return;
    silentTurns = socket.bytesRead === heard ? silentTurns + 1 : 0;
    heard = socket.bytesRead;
    if (silentTurns * WATCH_MS >= silenceMs) socket.destroy();
  }, WATCH_MS);
  watch.unref();
}
