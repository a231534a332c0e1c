/** The port to a coding agent's command line program. The runner works with it; only an adapter knows the program. */
import type { LogEntry } from '../platform/log-line.ts';
import type { Assignment } from '../platform/protocol.ts';
import type { Paths } from '../paths.ts';
import type { CliProcess } from './process.ts';

export interface AgentCli {
  /** The program's name, as log lines and failures call it. */
  readonly name: string;
  /** `NAME=value` in the environment of the program and of everything that it starts; they are found by it. */
  readonly mark: string;
  /** Writes the program's settings. Conversations that are there stay. */
  prepare(): Promise<void>;
  /** Starts one turn. */
  start(turn: CliTurn): CliProcess;
  /** What a line of the program's output says; undefined where it says nothing that is known. */
  readEvent(line: string): CliEvent | undefined;
  /** The conversation as it lies in the workspace; undefined before there is one. */
  findConversation(threadId: string): Promise<KeptConversation | undefined>;
  /** Puts a stored conversation where the program looks for it, in place of what is there. */
  restoreConversation(threadId: string, content: Buffer): Promise<void>;
}

/** Makes the adapter for one run; nothing is written yet. */
export type CreateAgentCli = (setting: {
  readonly paths: Paths;
  readonly tokenFile: string;
  readonly assignment: Pick<Assignment, 'model' | 'reasoningEffort' | 'modelBaseUrl'>;
}) => AgentCli;

export interface CliTurn {
  readonly prompt: string;
  /** The conversation to go on with; undefined begins a new one. */
  readonly threadId: string | undefined;
  readonly onLine: (line: string) => void;
  readonly onTooLong: (characters: number) => void;
}

/** One event of a turn. */
export interface CliEvent {
  /** The conversation that the turn belongs to. */
  readonly threadId?: string;
  /** What the agent has said; the last of a turn is its answer. */
  readonly message?: string;
  /** Why the turn fails. */
  readonly error?: string;
  /** What the run's log shows, in the order in which it should be read. */
  readonly log: readonly LogEntry[];
}

export interface KeptConversation {
  /** Changes whenever the content does. */
  readonly version: string;
  /** When it last grew, in milliseconds since 1970. */
  readonly grownAt: number;
  /** The content, cut to what can be read again. */
  read(): Promise<string>;
}
