/** The directory in which one embedded default keeps everything, and how others find the `up` that runs in it. */
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
  /** The file of the names that this installation gives to labels. */
  readonly labelsFile?: string;
  /** Of the cluster that agents run on, for looking around; missing where they run beside the worker. */
  readonly kubeconfig?: string;
  /** The pids of the processes that `up` keeps running, by their names. */
  readonly processes: Readonly<Record<string, number>>;
}

/** What every one of these lines has, whichever build wrote it. */
const TEXTS = [
  'url',
  'githubUrl',
  'githubOwnerToken',
  'webhookSecret',
  'temporalAddress',
  'temporalUi',
  'databaseUrl',
] as const satisfies readonly (keyof Ready)[];

/** Whether a value is the line of an `up` that is ready. */
export function isReady(value: unknown): value is Ready {
  const line = Object(value) as Partial<Record<keyof Ready, unknown>>;
  const hasTexts = TEXTS.every((name) => typeof line[name] === 'string');
  return line.ready === true && hasTexts && isRecordOf(line.processes, (pid) => typeof pid === 'number');
}

/** Who runs in a data directory, and where it can be reached once it is ready. */
type Holder = ProcessIdentity & { readonly url?: string };

const isHolder = (value: unknown): value is Holder => isProcessIdentity(value);

/** The right to run in a data directory, held until it is released or this process ends. */
export interface Claim {
  /** Tells a second `up` where this one can be reached. */
  announce(url: string): void;
  release(): void;
}

/** The absolute path of the data directory: `--data`, else the place that the XDG specification gives. */
export function resolveDataDirectory(data: string | undefined, env: NodeJS.ProcessEnv): string {
  return data ? resolve(data) : join(env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share'), 'codex-k8s');
}

/** Makes the directory if it is missing; one that is there already keeps its mode. */
export function createDataDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
}

/** Claims the directory for this process, or says which other `up` has it. */
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

/** Keeps the line of `up --json` for other commands. Called again when a pid in it changes. */
export function writeReady(directory: string, ready: Ready): void {
  writeJsonFile(readyFile(directory), ready);
}

/** What the running `up` said of itself, or undefined when none is running and ready. */
export function findUp(directory: string): Ready | undefined {
  const holder = readJsonFile(join(directory, 'up.json'), isHolder);
  if (!holder || !isAlive(holder)) return undefined;
  return readJsonFile(readyFile(directory), isReady);
}

/** As `findUp`; that nothing runs is an error that says what to do. */
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
