/** One turn of the agent: from a prompt to the last message, with log lines as they happen. */
import type { AgentCli, CliEvent } from '../cli/agent-cli.ts';
import type { CliExit } from '../cli/process.ts';
import type { ConversationKeeper } from './conversation.ts';
import { ResumeRefused, RunFailure } from './failure.ts';
import type { Log } from '../platform/log-line.ts';
import { countOomKills } from './memory.ts';
import type { Assignment } from '../platform/protocol.ts';
import { watchForStall } from './stall.ts';

export interface TurnSetting {
  readonly cli: AgentCli;
  readonly assignment: Pick<Assignment, 'limits'>;
  readonly keeper: ConversationKeeper;
  readonly log: Log;
  /** Ends the turn; the reason is thrown. */
  readonly signal: AbortSignal;
  /** Called for each line that the program writes, after it is read. */
  readonly onLine?: () => void;
}

export interface TurnEnd {
  readonly threadId: string;
  /** The agent's last message; undefined if it wrote none. */
  readonly message: string | undefined;
}

/** What programs and models say of a conversation that has become too long. */
const TOO_LONG = /context[ _](window|length)|prompt is too long|too many tokens/i;

/** Runs the agent's program until it exits. Throws RunFailure if it fails or stalls; ResumeRefused if another conversation may do. */
export async function runTurn(prompt: string, threadId: string | undefined, setting: TurnSetting): Promise<TurnEnd> {
  const { log, keeper, cli } = setting;
  const seen: { threadId?: string; message?: string; error?: string; failed?: string } = {};

  function onEvent({ log: lines, ...said }: CliEvent): void {
    Object.assign(seen, said);
    if (said.threadId !== undefined) keeper.follow(said.threadId);
    for (const { kind, text } of lines) log(kind, text);
  }

  /** A program that does not take the conversation ends before it has begun a turn. */
  function failedTurn(detail: string): RunFailure {
    const refused = threadId !== undefined && (seen.threadId === undefined || TOO_LONG.test(detail));
    return refused ? new ResumeRefused('agent_failed', detail) : new RunFailure('agent_failed', detail);
  }

  setting.signal.throwIfAborted();
  const killsBefore = await countOomKills();
  const program = cli.start({
    prompt,
    threadId,
    onLine(line) {
      stall.active();
      const event = cli.readEvent(line);
      if (event) onEvent(event);
      setting.onLine?.();
    },
    onTooLong: (characters) =>
      log('error', `An event of ${characters.toLocaleString('en-US')} characters was dropped: it is too long`),
  });
  const halt = new AbortController();
  const stallMs = setting.assignment.limits.stallSeconds * 1000;
  const stall = watchForStall({
    limitMs: stallMs,
    lastGrowth: () => keeper.lastGrowth(),
    onStalled: () => halt.abort(new RunFailure('agent_stalled', `the agent wrote nothing for ${stallMs / 1000} s`)),
  });
  const signal = AbortSignal.any([setting.signal, halt.signal]);
  try {
    const exit = await Promise.race([program.exited, rejection(signal)]);
    if (exit.code !== 0) {
      const killed = exit.signal === 'SIGKILL' && ((await countOomKills()) ?? 0) > (killsBefore ?? 0);
      const detail = describeExit(cli.name, exit, seen.failed ?? seen.error);
      throw killed ? new RunFailure('agent_oom', detail) : failedTurn(detail);
    }
  } catch (error) {
    await program.stop();
    throw error;
  } finally {
    stall.stop();
  }
  if (seen.failed !== undefined) throw failedTurn(`${cli.name} gave up its turn: ${seen.failed}`);
  if (seen.threadId === undefined) throw failedTurn(`${cli.name} began no conversation`);
  return { threadId: seen.threadId, message: seen.message };
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function describeExit(name: string, exit: CliExit, lastError: string | undefined): string {
  const how =
    exit.signal === null ? `${name} ended with exit code ${exit.code}` : `${name} was killed by ${exit.signal}`;
  return `${how}: ${lastError ?? (exit.stderr.trim() || 'no output on standard error')}`;
}
