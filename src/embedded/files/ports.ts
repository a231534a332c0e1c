/** The ports of the embedded default: chosen once, recorded, and the same at every later start. */
import { mkdirSync, statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { isRecordOf, readJsonFile, writeJsonFile } from './json-file.ts';
import { takeLock } from './lock.ts';
import { isAlive, isProcessIdentity, ownIdentity, type ProcessIdentity } from '../../adapters/process-identity.ts';

export const DEFAULT_PORTS = {
  server: 8080,
  github: 8081,
  model: 8082,
  temporal: 7233,
  temporalUi: 8233,
  postgres: 5433,
  gateways: 8083,
} as const;
/** For data directories named by `--data`, so that the default ports stay free for the default directory. */
export const OTHER_PORTS = {
  server: 18_080,
  github: 18_081,
  model: 18_082,
  temporal: 17_233,
  temporalUi: 18_233,
  postgres: 15_433,
  gateways: 18_083,
} as const;
export type PortName = keyof typeof DEFAULT_PORTS;
export type Ports = Readonly<Record<PortName, number>>;

/** Agents at work and stored URLs refer to these ports, so they must not change. */
const FIXED: ReadonlySet<PortName> = new Set(['server', 'github', 'gateways']);
/** Distance to the next port to try: small, to stay below the range of ephemeral ports. */
const STEP = 10;
const HIGHEST_PORT = 65_535;

/** In a data directory: its own ports. In the cache: the ports that all data directories of a user have reserved. */
const FILE = 'ports.json';

/** Milliseconds for which the fixed ports of a stopped `up` stay reserved. */
const KEPT_MS = 7 * 24 * 3_600_000;

type Reservation = ProcessIdentity & { readonly dataDirectory: string };

const isPort = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 1 && Number(value) <= HIGHEST_PORT;
const isReservation = (value: unknown): value is Reservation =>
  isProcessIdentity(value) && 'dataDirectory' in value && typeof value.dataDirectory === 'string';

export interface PortOptions {
  dataDirectory: string;
  /** Directory with the reservations of this user's other data directories. */
  cacheDirectory: string;
  report: (message: string) => void;
  /** Ports to try first, where none was chosen before. */
  preferred?: Partial<Ports>;
}

/** Chooses every port, or returns the recorded ones. Stop leftovers of an earlier `up` first, since they occupy their ports. */
export async function choosePorts(options: PortOptions): Promise<Ports> {
  mkdirSync(options.cacheDirectory, { recursive: true, mode: 0o700 });
  const lock = await takeLock(join(options.cacheDirectory, 'ports.lock'));
  try {
    return await chooseAll(options);
  } finally {
    lock.release();
  }
}

async function chooseAll({ dataDirectory, cacheDirectory, report, preferred }: PortOptions): Promise<Ports> {
  const file = join(dataDirectory, FILE);
  const remembered = rememberedPorts(file);
  const reserved = new Reservations(join(cacheDirectory, FILE), dataDirectory);
  const chosen: Partial<Record<PortName, number>> = {};

  for (const name of Object.keys(DEFAULT_PORTS) as PortName[]) {
    const before = remembered[name];
    const wanted = before ?? preferred?.[name] ?? DEFAULT_PORTS[name];
    const port = await firstFree(wanted, reserved);
    if (before !== undefined && port !== before && FIXED.has(name)) {
      throw new Error(
        `Port ${before} is in use by another process. It is the ${name} port of ${dataDirectory}; agents at work and stored ` +
          `URLs refer to it: free the port, or remove "${name}" from ${file} to have another one chosen.`,
      );
    }
    if (port !== wanted) report(`Port ${wanted} is in use: ${name} uses ${port}`);
    chosen[name] = port;
    reserved.add(port);
  }
  writeJsonFile(file, chosen);
  return chosen as Ports;
}

function rememberedPorts(file: string): Record<string, number> {
  return readJsonFile(file, (value) => isRecordOf(value, isPort)) ?? {};
}

async function firstFree(wanted: number, reserved: Reservations): Promise<number> {
  for (let port = wanted; port <= HIGHEST_PORT; port += STEP) {
    if (!reserved.has(port) && (await isFree(port))) return port;
  }
  throw new Error(`No free port from ${wanted} on`);
}

/**
 * Ports of other data directories: those of a running `up`, bound or not, and the fixed ports of one that was stopped recently.
 */
class Reservations {
  readonly #file: string;
  readonly #dataDirectory: string;
  readonly #holders: Record<string, Reservation>;

  constructor(file: string, dataDirectory: string) {
    this.#file = file;
    this.#dataDirectory = dataDirectory;
    const recorded = Object.entries(readJsonFile(file, (value) => isRecordOf(value, isReservation)) ?? {});
    this.#holders = Object.fromEntries(
      recorded.filter(
        ([port, holder]) =>
          holder.dataDirectory !== dataDirectory && (isAlive(holder) || isKept(holder.dataDirectory, Number(port))),
      ),
    );
  }

  has(port: number): boolean {
    return String(port) in this.#holders;
  }

  add(port: number): void {
    this.#holders[port] = { ...ownIdentity(), dataDirectory: this.#dataDirectory };
    writeJsonFile(this.#file, this.#holders);
  }
}

/** True if `port` is a fixed port of a data directory that exists and was used within {@link KEPT_MS}. */
function isKept(dataDirectory: string, port: number): boolean {
  const file = join(dataDirectory, FILE);
  const usedAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (usedAt < Date.now() - KEPT_MS) return false;
  const remembered = rememberedPorts(file);
  return [...FIXED].some((name) => remembered[name] === port);
}

/** Tries to connect too: some systems let two sockets listen on one port, one for all addresses and one for a single address. */
async function isFree(port: number): Promise<boolean> {
  return !(await accepts(port)) && (await canBind(port));
}

/** True if a process accepts connections on this port of loopback. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function canBind(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
