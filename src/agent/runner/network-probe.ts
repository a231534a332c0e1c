/**
 * Prints which addresses a pod can connect to, as one line of JSON. It runs in a pod before the first agent is started
 * (docs/reliability.md T49), and retries for some seconds, since a network may need a moment to enforce the policies of a new pod.
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
  /** Forbidden addresses that could be connected to. */
  readonly open: readonly string[];
  /** Allowed addresses that could not be connected to. */
  readonly blocked: readonly string[];
}

/** Milliseconds for one connection. */
const CONNECT_MS = 2000;
/** Milliseconds until policies must be enforced and the platform reachable. */
const PATIENCE_MS = 15_000;
const AGAIN_MS = 500;

/** Probes until every address is as expected, or `patienceMs` are over. */
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
  // If this process was suspended, timers run before sockets: let a connection that was made meanwhile be reported first.
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
