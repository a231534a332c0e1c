/** One turn of the agent: a prompt goes in, log lines come out as they happen, and a last message at the end. */
import type { CodexExit } from '../cli/codex/process.ts';
import { startCodex } from '../cli/codex/process.ts';
import { describeEvent, plainError, readEvent, type CodexEvent } from '../cli/codex/events.ts';
import type { ConversationKeeper } from '../cli/codex/conversation.ts';
import { RunFailure } from './failure.ts';
import type { Log } from '../platform/log-line.ts';
import { countOomKills } from './memory.ts';
import { agentEnvironment, type Places } from '../paths.ts';
import type { Assignment } from '../platform/protocol.ts';
import { watchForStall } from './stall.ts';

export interface TurnSetting {
  readonly codexPath: string;
  readonly places: Places;
  readonly schemaFile: string;
  readonly assignment: Pick<Assignment, 'model' | 'limits'>;
  readonly keeper: ConversationKeeper;
  readonly log: Log;
  /** Ends the turn; the reason is thrown. */
  readonly signal: AbortSignal;
}

export interface TurnEnd {
  readonly threadId: string;
  /** What the agent said last; undefined when it said nothing. */
  readonly message: string | undefined;
}

/** Lets the agent work until it has finished. Throws RunFailure when it fails or stalls. */
export async function runTurn(prompt: string, threadId: string | undefined, setting: TurnSetting): Promise<TurnEnd> {
  const { log, keeper, places } = setting;
  const heardOf: { threadId?: string; message?: string; error?: string } = {};

  function onEvent(event: CodexEvent): void {
    if (event.type === 'thread.started') {
      heardOf.threadId = event.thread_id;
      keeper.follow(event.thread_id);
    }
    if (event.type === 'item.completed' && event.item.type === 'agent_message') heardOf.message = event.item.text;
    if (event.type === 'error') heardOf.error = plainError(event.message);
    if (event.type === 'turn.failed') heardOf.error = plainError(event.error.message);
    for (const { kind, text } of describeEvent(event, places.repository)) log(kind, text);
  }

  setting.signal.throwIfAborted();
  const killsBefore = await countOomKills();
  const codex = startCodex({
    codexPath: setting.codexPath,
    args: codexArguments(setting, threadId),
    cwd: places.repository,
    env: agentEnvironment(places),
    codexHome: places.codexHome,
    prompt,
    onLine(line) {
      stall.heard();
      const event = readEvent(line);
      if (event) onEvent(event);
    },
    onTooLong: (characters) =>
      log('error', `An event of ${characters.toLocaleString('en-US')} characters was left out`),
  });
  const halt = new AbortController();
  const stallMs = setting.assignment.limits.stallSeconds * 1000;
  const stall = watchForStall({
    limitMs: stallMs,
    lastGrowth: () => keeper.lastGrowth(),
    onStalled: () =>
      halt.abort(new RunFailure('agent_stalled', `nothing was heard from the agent for ${stallMs / 1000} s`)),
  });
  const signal = AbortSignal.any([setting.signal, halt.signal]);
  try {
    const exit = await Promise.race([codex.exited, rejection(signal)]);
    if (exit.code !== 0) {
      const killed = exit.signal === 'SIGKILL' && ((await countOomKills()) ?? 0) > (killsBefore ?? 0);
      throw new RunFailure(killed ? 'agent_oom' : 'agent_failed', describeExit(exit, heardOf.error));
    }
  } catch (error) {
    await codex.stop();
    throw error;
  } finally {
    stall.stop();
  }
  if (heardOf.threadId === undefined) throw new RunFailure('agent_failed', 'codex began no conversation');
  return { threadId: heardOf.threadId, message: heardOf.message };
}

function codexArguments({ schemaFile, assignment, places }: TurnSetting, threadId: string | undefined): string[] {
  return [
    'exec',
    '--json',
    '--skip-git-repo-check',
    '--dangerously-bypass-approvals-and-sandbox',
    `--cd=${places.repository}`,
    `--model=${assignment.model}`,
    `--output-schema=${schemaFile}`,
    ...(threadId === undefined ? [] : ['resume', threadId]),
    '-',
  ];
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function describeExit(exit: CodexExit, lastError: string | undefined): string {
  const how = exit.signal === null ? `codex ended with exit code ${exit.code}` : `codex was ended by ${exit.signal}`;
  return `${how}: ${lastError ?? (exit.stderr.trim() || 'it said nothing')}`;
}
