/** Parses a request to the model: the task, and the agent's progress. Everything is read from the request alone. */
import type { ChatCompletionRequest, ChatMessage } from '@copilotkit/aimock';
import { decidedTools, toolOf } from './tool-steps.ts';

export interface ReviewComment {
  readonly id: number;
  readonly path: string | undefined;
  readonly author: string;
  readonly text: string;
}

/** A command of the agent in this turn and its result. */
export interface Outcome {
  readonly command: string;
  readonly passed: boolean;
}

export interface Turn {
  /** The agent's program, which its tools tell. */
  readonly cli: 'codex' | 'claude';
  readonly issue: { readonly number: number; readonly title: string };
  /** The stage and the kind of the run, as `intake` and `work`. */
  readonly stage: string;
  readonly kind: string;
  /** The whole prompt of the task. */
  readonly prompt: string;
  readonly isRevise: boolean;
  readonly comments: readonly ReviewComment[];
  /** People's answers to the agent's questions in this task, in order. */
  readonly answers: readonly string[];
  /** True if the agent was asked to give its answer again. */
  readonly isRepair: boolean;
  readonly outcomes: readonly Outcome[];
  /** Tools of the platform of which people have decided in this task. */
  readonly decided: readonly string[];
  /** The session of a command that is still running. */
  readonly runningSession: number | undefined;
}

const ISSUE = /^Issue: #(\d+) (.*)$/m;
const STAGE = /^Stage: ([\w-]+), (\w+)$/m;
const REVIEW = /^Review (?:comment )?\d+ (?:on .+ )?(?:answered )?by .+:$/m;
const REPAIR = /^Your last message is not the answer that was asked for:/;

/** Parses a request; undefined if it has no task of codex-k8s. */
export function readTurn(request: ChatCompletionRequest): Turn | undefined {
  const cli = request.tools?.some(({ function: { name } }) => name === 'Bash') ? 'claude' : 'codex';
  const messages = request.messages.map(withoutReminders);
  const prompts = messages.flatMap((message, at) => (isPrompt(message) ? [{ at, text: textOf(message) }] : []));
  const task = prompts.findLast(({ text }) => ISSUE.test(text));
  const opening = prompts.findLast(({ text }) => !REPAIR.test(text));
  const [, number, title] = ISSUE.exec(task?.text ?? '') ?? [];
  if (!task || !opening || number === undefined || title === undefined) return undefined;
  const named = STAGE.exec(task.text);
  const [, stage = 'dev', kind = 'work'] = named ?? [];
  const ofTask = prompts.filter(({ at }) => at >= task.at).map(({ text }) => text);
  const since = messages.slice(opening.at + 1);
  return {
    cli,
    issue: { number: Number(number), title: title.trim() },
    stage,
    kind,
    prompt: task.text,
    isRevise: named ? kind === 'revise' : REVIEW.test(task.text),
    comments: readComments(task.text),
    answers: ofTask.flatMap(readAnswers),
    isRepair: REPAIR.test(prompts.at(-1)?.text ?? ''),
    decided: ofTask.slice(1).flatMap(decidedTools),
    outcomes: readOutcomes(since, cli),
    runningSession: readRunningSession(messages.at(-1)),
  };
}

/** Claude Code puts its own context in front of what the user says, and behind results of tools. */
const REMINDER = /\s*<system-reminder>[\s\S]*?<\/system-reminder>\s*/g;
/** What Claude Code says when a turn ends without the answer that was asked for. */
const ENFORCEMENT = '[structured-output-enforce]';

function withoutReminders(message: ChatMessage): ChatMessage {
  if (message.role !== 'user' && message.role !== 'tool') return message;
  return { ...message, content: textOf(message).replaceAll(REMINDER, '') };
}

/** True for a prompt: Codex also puts its own context, such as `<environment_context>`, into messages of the user. */
function isPrompt(message: ChatMessage): boolean {
  const text = textOf(message).trimStart();
  return message.role === 'user' && text !== '' && !text.startsWith('<') && !text.startsWith(ENFORCEMENT);
}

/** The text of a message, whatever its shape. */
function textOf(message: ChatMessage | undefined): string {
  const content = message?.content ?? '';
  return typeof content === 'string' ? content : content.map((part) => part.text ?? '').join('');
}

function readComments(prompt: string): ReviewComment[] {
  const found = prompt.matchAll(
    /^Review comment (\d+)(?: on (.+?)(?::\d+(?:-\d+)?)?(?: \([^)\n]*\))?)? (?:answered )?by (.+):\n((?:>.*\n?)*)/gm,
  );
  return [...found].map(([, id, path, author, quoted]) => ({
    id: Number(id),
    path,
    author: author ?? '',
    text: (quoted ?? '').replaceAll(/^> ?/gm, '').trim(),
  }));
}

/** As the platform hands on an answer: its lines quoted. */
function readAnswers(prompt: string): string[] {
  return [...prompt.matchAll(/^Answer:\n((?:>.*(?:\n|$))+)/gm)].map(([, quoted = '']) =>
    quoted.replaceAll(/^> ?/gm, '').trim(),
  );
}

function readOutcomes(messages: readonly ChatMessage[], cli: Turn['cli']): Outcome[] {
  const outcomes: { command: string; passed: boolean }[] = [];
  for (const message of messages) {
    for (const call of message.tool_calls ?? []) {
      const command = commandOf(call.function);
      const tool = toolOf(call.function.name);
      if (command !== undefined) outcomes.push({ command, passed: false });
      // A script goes on whatever a tool answers.
      else if (tool !== undefined) outcomes.push({ command: tool, passed: true });
    }
    const last = outcomes.at(-1);
    if (message.role === 'tool' && last && toolOf(last.command) === undefined)
      last.passed = hasPassed(textOf(message), cli);
  }
  return outcomes;
}

function commandOf({ name, arguments: given }: { name: string; arguments: string }): string | undefined {
  if (name !== 'exec_command' && name !== 'Bash') return undefined;
  const { cmd, command } = JSON.parse(given) as { cmd?: string; command?: string };
  return cmd ?? command;
}

/** Claude Code says only of a command that failed how it ended. */
function hasPassed(result: string, cli: Turn['cli']): boolean {
  if (cli === 'codex') return /^(?:Process exited with code|Exit code:) 0$/m.test(result);
  return !/^(?:Exit code \d+(?:\n|$)|<tool_use_error>)/.test(result);
}

function readRunningSession(last: ChatMessage | undefined): number | undefined {
  const session =
    last?.role === 'tool' ? /^Process running with session ID (\d+)$/m.exec(textOf(last))?.[1] : undefined;
  return session === undefined ? undefined : Number(session);
}
