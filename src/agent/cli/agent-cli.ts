/** The port to a coding agent's command line program. The runner works with it; only an adapter knows the program. */
import type { LogEntry } from '../platform/log-line.ts';
import type { Assignment } from '../platform/protocol.ts';
import type { Paths } from '../paths.ts';
import type { CliProcess } from './process.ts';

export interface AgentCli {
  /** The program's name, for log lines and failures. */
  readonly name: string;
  /** `NAME=value` in the environment of the program and of all its descendants, which are found by it. */
  readonly mark: string;
  /** Writes the program's settings; existing conversations stay. */
  prepare(): Promise<void>;
  /** Starts one turn. */
  start(turn: CliTurn): CliProcess;
  /** Parses a line of the program's output; undefined for an unknown event. */
  readEvent(line: string): CliEvent | undefined;
  /** The conversation in the workspace; undefined before there is one. */
  findConversation(threadId: string): Promise<KeptConversation | undefined>;
  /** Writes a stored conversation to the program's path for it, replacing an existing one. */
  restoreConversation(threadId: string, content: Buffer): Promise<void>;
}

/** Makes the adapter for one run; nothing is written yet. */
export type CreateAgentCli = (setting: {
  readonly paths: Paths;
  readonly tokenFile: string;
  readonly assignment: Pick<
    Assignment,
    'cli' | 'command' | 'model' | 'reasoningEffort' | 'modelBaseUrl' | 'mcpUrl' | 'limits'
  >;
}) => AgentCli;

export interface CliTurn {
  readonly prompt: string;
  /** The conversation to resume; undefined begins a new one. */
  readonly threadId: string | undefined;
  readonly onLine: (line: string) => void;
  readonly onTooLong: (characters: number) => void;
}

/** One event of a turn. */
export interface CliEvent {
  /** The conversation that the turn belongs to. */
  readonly threadId?: string;
  /** A message of the agent; the last one of a turn is its answer. */
  readonly message?: string;
  /** What went wrong; the program may go on. */
  readonly error?: string;
  /** Why the turn has failed, whatever the program's exit code says. */
  readonly failed?: string;
  /** Entries for the run log, in order. */
  readonly log: readonly LogEntry[];
}

export interface KeptConversation {
  /** Changes whenever the content does. */
  readonly version: string;
  /** Time of the last write, in milliseconds since 1970. */
  readonly grownAt: number;
  /** The content from this byte on, up to the last line's end. */
  read(from: number): Promise<Buffer>;
}
