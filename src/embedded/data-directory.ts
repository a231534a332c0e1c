/** The data directory of an embedded default, and how commands find the `up` that runs in it. */
import { mkdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { CommandProblem } from '../terminal/problems.ts';
import { isRecordOf, readJsonFile, writeJsonFile } from './files/json-file.ts';
import { tryLock } from './files/lock.ts';
import { isAlive, isProcessIdentity, ownIdentity, type ProcessIdentity } from '../adapters/process-identity.ts';

/** The line that `up --json` prints when everything is ready. */
export interface Ready {
  readonly ready: true;
  readonly url: string;
  readonly githubUrl: string;
  readonly githubOwnerToken: string;
  readonly webhookSecret: string;
  readonly temporalAddress: string;
  readonly temporalUi: string;
  readonly databaseUrl: string;
  readonly model?: 'scripted' | 'real';
  /** Path of the file with this installation's label names (CODEXK8S_LABELS_FILE). */
  readonly labelsFile?: string;
  /** Path of an administrator's kubeconfig of the agents' cluster; absent under the local runtime. */
  readonly kubeconfig?: string;
  /** Pids of the supervised processes, by name. */
  readonly processes: Readonly<Record<string, number>>;
}

/** Texts that every build writes. */
const TEXTS = [
  'url',
  'githubUrl',
  'githubOwnerToken',
  'webhookSecret',
  'temporalAddress',
  'temporalUi',
  'databaseUrl',
] as const satisfies readonly (keyof Ready)[];

/** True for a {@link Ready}, of any build. */
export function isReady(value: unknown): value is Ready {
  const line = Object(value) as Partial<Record<keyof Ready, unknown>>;
  const hasTexts = TEXTS.every((name) => typeof line[name] === 'string');
  return line.ready === true && hasTexts && isRecordOf(line.processes, (pid) => typeof pid === 'number');
}

/** The `up` that runs in a data directory, and its URL once it is ready. */
type Holder = ProcessIdentity & { readonly url?: string };

const isHolder = (value: unknown): value is Holder => isProcessIdentity(value);

/** Exclusive use of a data directory, until it is released or this process ends. */
export interface Claim {
  /** Records the URL, for the error message of a second `up`. */
  announce(url: string): void;
  release(): void;
}

/** The absolute path of the data directory: `--data`, else the directory of the XDG specification. */
export function resolveDataDirectory(data: string | undefined, env: NodeJS.ProcessEnv): string {
  return data ? resolve(data) : join(env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share'), 'codex-k8s');
}

/** Creates the directory if it is missing; an existing one keeps its mode. */
export function createDataDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
}

/** Claims the directory for this process. Throws a `CommandProblem` that names the `up` that has it. */
export function claimDataDirectory(directory: string): Claim {
  const lock = tryLock(join(directory, 'up.lock'));
  const holderFile = join(directory, 'up.json');
  if (!lock) {
    const holder = readJsonFile(holderFile, isHolder);
    const who = holder ? `pid ${holder.pid}${holder.url ? `, ${holder.url}` : ', not ready yet'}` : 'just starting';
    throw new CommandProblem(
      `Another codex-k8s up (${who}) runs in ${directory}. Stop it, or choose another directory with --data.`,
    );
  }
  const own = ownIdentity();
  rmSync(readyFile(directory), { force: true });
  writeJsonFile(holderFile, own);
  return {
    announce: (url) => writeJsonFile(holderFile, { ...own, url }),
    release() {
      rmSync(readyFile(directory), { force: true });
      rmSync(holderFile, { force: true });
      lock.release();
    },
  };
}

/** Writes the line of `up --json` to a file for other commands. Called again when a pid changes. */
export function writeReady(directory: string, ready: Ready): void {
  writeJsonFile(readyFile(directory), ready);
}

/** The running `up` of a data directory; undefined if none is running and ready. */
export function findUp(directory: string): Ready | undefined {
  const holder = readJsonFile(join(directory, 'up.json'), isHolder);
  if (!holder || !isAlive(holder)) return undefined;
  return readJsonFile(readyFile(directory), isReady);
}

/** As `findUp`; throws a `CommandProblem` if none is ready. */
export function requireUp(directory: string): Ready {
  const ready = findUp(directory);
  if (ready) return ready;
  throw new CommandProblem(
    `No codex-k8s up is ready in ${directory}. Start one with "codex-k8s up", name its directory with --data, or set CODEXK8S_URL.`,
  );
}

function readyFile(directory: string): string {
  return join(directory, 'ready.json');
}
