/** The entry point of the agent's container: one run, from its token to its report. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { EXIT_CODES } from '../../domain/run/exit-codes.ts';
import { createLinesRedactor, createRedactor, redactDeep, type Redact } from '../../domain/agent/redaction.ts';
import type { CreateAgentCli } from '../cli/agent-cli.ts';
import { createLogShipper, type LogShipper } from '../platform/log-shipper.ts';
import { pathsIn } from '../paths.ts';
import { connectPlatform, PlatformAway, PlatformRefused, RunOver, type Platform } from '../platform/platform.ts';
import { endDescendants } from '../process-tree.ts';
import type { Report } from '../platform/protocol.ts';
import { carryOut } from './work.ts';

const DETAIL_CHARACTERS = 4_000;
/** Milliseconds in which a canceled run may still send its last log lines and its conversation. */
const LAST_CALLS_MS = 5_000;

export interface RunAgentOptions {
  readonly platformUrl: string;
  /** File of the run token, the only secret of the container. */
  readonly tokenFile: string;
  /** Directory of the clone and of the files of the agent's program. */
  readonly workspace: string;
  /** Creates the adapter of the agent's program. */
  readonly createCli: CreateAgentCli;
  /** Set where all descendants of this process are the run's: none of them outlives the agent's turn. */
  readonly ownsDescendants?: boolean;
  /** Cancels the run, as SIGTERM does. */
  readonly signal?: AbortSignal;
}

/** Executes one attempt of a run. Returns the exit code: 0 if a report was sent, also of a failure. */
export async function runAgent(options: RunAgentOptions): Promise<number> {
  const cancel = new AbortController();
  const lastCalls = new AbortController();
  const onCancel = (): void => {
    cancel.abort(new Error('the run was canceled'));
    setTimeout(() => lastCalls.abort(new Error('the time for the last calls is over')), 2 * LAST_CALLS_MS).unref();
  };
  process.once('SIGTERM', onCancel).once('SIGINT', onCancel);
  options.signal?.addEventListener('abort', onCancel, { once: true });
  if (options.signal?.aborted) onCancel();
  try {
    const tokenFile = resolve(options.tokenFile);
    const token = (await readFile(tokenFile, 'utf8')).trim();
    const platform = connectPlatform({ url: options.platformUrl, token, signal: lastCalls.signal });
    return await runWith(platform, [token], { ...options, tokenFile }, cancel.signal);
  } catch (error) {
    console.error(String(error));
    return EXIT_CODES.broken;
  } finally {
    process.off('SIGTERM', onCancel).off('SIGINT', onCancel);
    options.signal?.removeEventListener('abort', onCancel);
    lastCalls.abort(new Error('the runner has ended'));
  }
}

async function runWith(
  platform: Platform,
  secrets: readonly string[],
  options: RunAgentOptions,
  canceled: AbortSignal,
): Promise<number> {
  const signal = AbortSignal.any([canceled, platform.lost]);
  const redact = createRedactor(secrets);
  const shipper = createLogShipper({ send: (batch) => platform.log(batch), redact: createLinesRedactor(secrets) });
  try {
    const assignment = await abortable(platform.assignment(), signal);
    shipper.continueFrom(assignment.firstLogLine);
    shipper.write('runner', `Run ${assignment.runId}: ${assignment.kind} on ${assignment.repository}`);
    const paths = pathsIn(options.workspace);
    const report = await carryOut(assignment, {
      platform,
      paths,
      tokenFile: options.tokenFile,
      cli: options.createCli({ paths, tokenFile: options.tokenFile, assignment }),
      redact,
      log: shipper.write,
      endStrays: options.ownsDescendants ? endDescendants : async () => {},
      signal,
    });
    if (report.outcome === 'failed') shipper.write('error', `The run failed (${report.failure}): ${report.detail}`);
    await abortable(shipper.drain(), signal);
    await abortable(platform.report(presentable(report, redact)), signal);
    return EXIT_CODES.reported;
  } catch (error) {
    return endWithoutReport(error, { shipper, canceled, lost: platform.lost });
  }
}

async function endWithoutReport(
  error: unknown,
  { shipper, canceled, lost }: { shipper: LogShipper; canceled: AbortSignal; lost: AbortSignal },
): Promise<number> {
  const reason: unknown = lost.aborted ? lost.reason : error;
  if (reason instanceof RunOver) return EXIT_CODES.over;
  if (reason instanceof PlatformAway) return EXIT_CODES.platformAway;
  if (canceled.aborted) {
    shipper.write('runner', 'The run was canceled');
    await shipper.drain();
    return EXIT_CODES.canceled;
  }
  console.error(error instanceof PlatformRefused ? error.message : error);
  return EXIT_CODES.broken;
}

function presentable(report: Report, redact: Redact): Report {
  const clean = redactDeep(report, redact);
  return clean.outcome === 'failed' ? { ...clean, detail: clean.detail.slice(0, DETAIL_CHARACTERS) } : clean;
}

async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return new Promise<T>((settle, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    promise.then(settle, reject);
  });
}
