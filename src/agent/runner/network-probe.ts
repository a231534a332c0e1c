/**
 * Says which addresses a pod can connect to, as one line of JSON: run in a pod before any agent is (docs/reliability.md T49). What is
 * forbidden gets some seconds, since a network may take a moment to heed the policies of a new pod.
 *
 *     node network-probe.ts '{"forbidden":["10.96.0.1:443"],"allowed":["10.0.0.7:8090"]}'
 */
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

export interface ProbeTargets {
  /** `host:port`. */
  readonly forbidden: readonly string[];
  readonly allowed: readonly string[];
}

export interface ProbeResult {
  /** Of the forbidden: those that could be connected to. */
  readonly open: readonly string[];
  /** Of the allowed: those that could not. */
  readonly blocked: readonly string[];
}

/** Milliseconds for one connection. */
const CONNECT_MS = 2000;
/** Milliseconds for policies to be heeded, and for the platform to be reached. */
const PATIENCE_MS = 15_000;
const AGAIN_MS = 500;

/** Tries until everything is as it ought to be, or the time is over. */
export async function probe(targets: ProbeTargets, patienceMs = PATIENCE_MS): Promise<ProbeResult> {
  const until = Date.now() + patienceMs;
  for (;;) {
    const [open, reached] = await Promise.all([connectable(targets.forbidden), connectable(targets.allowed)]);
    const blocked = targets.allowed.filter((target) => !reached.includes(target));
    if ((open.length === 0 && blocked.length === 0) || Date.now() > until) return { open, blocked };
    await delay(AGAIN_MS);
  }
}

async function connectable(targets: readonly string[]): Promise<string[]> {
  const tried = await Promise.all(targets.map(async (target) => ((await connects(target)) ? [target] : [])));
  return tried.flat();
}

async function connects(target: string): Promise<boolean> {
  const { hostname, port } = new URL(`tcp://${target}`);
  const socket = connect({ host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port) });
  const { promise, resolve } = Promise.withResolvers<boolean>();
  // A connection that came about while this process was held up is told of first: by then in the next turn.
  socket.setTimeout(CONNECT_MS, () => void setImmediate(() => resolve(false)));
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const given = JSON.parse(process.argv[2] ?? '{}') as ProbeTargets;
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
  const apiServer = host === undefined ? [] : [`${host.includes(':') ? `[${host}]` : host}:${port ?? '443'}`];
  const result = await probe({ ...given, forbidden: [...given.forbidden, ...apiServer] });
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
