/** Tells a process from a later one that was given the same pid. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface ProcessIdentity {
  readonly pid: number;
  /** As the operating system tells it; only good for comparing. */
  readonly startTime: string;
}

/** Whether a value that was read from a file is an identity. */
export function isProcessIdentity(value: unknown): value is ProcessIdentity {
  const { pid, startTime } = Object(value) as Partial<Record<keyof ProcessIdentity, unknown>>;
  return Number.isSafeInteger(pid) && Number(pid) > 0 && typeof startTime === 'string';
}

/** The identity of a living process; undefined when there is none, or only a zombie waiting for its parent. */
export function identify(pid: number): ProcessIdentity | undefined {
  const startTime = process.platform === 'linux' ? startTimeFromProc(pid) : startTimeFromPs(pid);
  return startTime === undefined ? undefined : { pid, startTime };
}

/** Whether the process that was identified still lives. */
export function isAlive(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startTime === identity.startTime;
}

/** This process. */
export function ownIdentity(): ProcessIdentity {
  const own = identify(process.pid);
  if (!own) throw new Error('The start time of this process cannot be read');
  return own;
}

function startTimeFromProc(pid: number): string | undefined {
  const stat = readOrUndefined(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field is the program's name in parentheses, with any character in it: count from its end.
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return undefined;
  // Ticks since boot, so the boot belongs to it.
  const boot = readOrUndefined('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
  return `${boot}:${fields[18]}`;
}

function startTimeFromPs(pid: number): string | undefined {
  try {
    const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
    const [state, ...started] = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      env,
      encoding: 'utf8',
    })
      .trim()
      .split(/\s+/);
    return !state || state.startsWith('Z') ? undefined : started.join(' ');
  } catch {
    return undefined; // ps fails when there is no such process
  }
}

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // the process has ended
  }
}
