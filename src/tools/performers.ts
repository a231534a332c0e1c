/**
 * What carries out the platform's tools. The server has performers for calls that are performed at once, the worker for those that
 * a person has approved; a tool's performer is the same for both.
 */
import type { ToolName } from '../domain/tools/catalogue.ts';
import type { ToolRun } from '../domain/tools/tool-run.ts';
import type { ToolArgs } from './schemas.ts';

export type { ToolRun } from '../domain/tools/tool-run.ts';

export interface ToolContext {
  readonly run: ToolRun;
  /**
   * The same for each try of a call: run and digest of the arguments. What a call makes is named or marked by it, so that a try
   * after a crash finds what the one before has made.
   */
  readonly key: string;
  /** Aborted when nobody waits for the result any more. */
  readonly signal: AbortSignal;
}

/** Why a tool did nothing. `not_available_here`: this installation or runtime cannot (no cluster, for example). */
export type ToolFailureReason = 'refused' | 'not_found' | 'not_available_here' | 'conflict' | 'rate_limited' | 'failed';

export interface ToolDone {
  readonly status: 'ok';
  /** For example `applied`, `dry_run`, `described`, `idempotent_replay`. */
  readonly message: string;
  /** Plain JSON, never a secret. */
  readonly [field: string]: unknown;
}

export interface ToolNotDone {
  readonly status: 'failed';
  readonly reason: ToolFailureReason;
  /** What happened, why, and what to do. */
  readonly message: string;
  readonly [field: string]: unknown;
}

/** Plain JSON; the agent gets it as it is. */
export type ToolResult = ToolDone | ToolNotDone;

/** Rejects only for failures that may pass, such as a network that is down; then nothing is recorded and the call may be repeated. */
export type Performer<T extends ToolName> = (args: ToolArgs<T>, context: ToolContext) => Promise<ToolResult>;

/** The tools that can be carried out. One that has no performer answers `not_available_here`. */
export type ToolPerformers = { readonly [T in ToolName]?: Performer<T> };

/** Carries out a call whose arguments were parsed with the tool's schema. */
export async function performTool(
  performers: ToolPerformers,
  tool: ToolName,
  args: ToolArgs<ToolName>,
  context: ToolContext,
): Promise<ToolResult> {
  const perform = performers[tool] as ((args: unknown, context: ToolContext) => Promise<ToolResult>) | undefined;
  if (perform) return perform(args, context);
  return notDone('not_available_here', `this installation cannot carry out ${tool}; go on without it`);
}

export function notDone(reason: ToolFailureReason, message: string): ToolNotDone {
  return { status: 'failed', reason, message };
}
