/** A script: the commands that the agent runs in a turn, in order, and how the turn ends. */
import type { ChatCompletionRequest, FixtureResponse } from '@copilotkit/aimock';
import type { Question } from '../../domain/run/requests.ts';
import type { AgentAnswer } from '../../domain/run/runs.ts';
import { calledTool } from './tool-steps.ts';
import type { Outcome, Turn } from './turn.ts';

export interface Step {
  /** The agent's reasoning. */
  readonly think?: string;
  /** The agent's message before it runs the command. */
  readonly say: string;
  readonly command: string;
  /** Calls a tool of the platform instead; `command` is its name. */
  readonly args?: object;
}

type Ending =
  | { readonly kind: 'answer'; readonly answer: AgentAnswer & { readonly question?: Question } }
  | { readonly kind: 'prose'; readonly text: string }
  | { readonly kind: 'error'; readonly message: string }
  | { readonly kind: 'silence' };

export interface Script {
  readonly steps: readonly Step[];
  readonly ending: Ending;
}

/** A command that runs longer than this is polled with `write_stdin`, as the model does. */
const LOOK_AFTER_MS = 30_000;
/** Claude Code ends a command that runs longer; it takes less if its settings allow less. */
const LONGEST_MS = 600_000;

/** The model's next response, or 'silence' if it must never answer. */
export function respond(script: Script, turn: Turn, request: ChatCompletionRequest): FixtureResponse | 'silence' {
  const input = tokens(JSON.stringify(request.messages));
  if (turn.runningSession !== undefined) {
    const look = { session_id: turn.runningSession, chars: '', yield_time_ms: LOOK_AFTER_MS };
    return { toolCalls: [call('write_stdin', look)], usage: { input_tokens: input, output_tokens: 20 } };
  }
  const failed = turn.outcomes.find(({ passed }) => !passed);
  if (failed) return end(givenUp(failed, turn), input, turn);
  const step = turn.isRepair ? undefined : script.steps[turn.outcomes.length];
  if (step) {
    const output = tokens(step.say + (step.think ?? '') + step.command);
    return {
      content: step.say,
      ...(step.think === undefined ? {} : { reasoning: step.think }),
      toolCalls: [step.args ? call(calledTool(step.command), step.args) : run(step.command, turn)],
      usage: { input_tokens: input, output_tokens: output },
    };
  }
  return end(script.ending, input, turn);
}

/** Ends a turn after a command failed: the script says that it cannot go on. */
function givenUp({ command }: Outcome, { comments }: Turn): Ending {
  const answer = {
    title: 'The script does not fit this repository',
    summary: `The answers of this installation come from a script, and a command of it failed here: \`${command.slice(0, 500)}\``,
    checks: [{ command: command.slice(0, 500), passed: false }],
    answers: comments.map(({ id }) => ({ comment_id: id, answer: 'Left as it is: the script could not go on.' })),
  };
  return { kind: 'answer', answer };
}

function end(ending: Ending, input: number, { cli }: Turn): FixtureResponse | 'silence' {
  switch (ending.kind) {
    case 'answer': {
      const content = JSON.stringify(ending.answer);
      const usage = { input_tokens: input, output_tokens: tokens(content) };
      // Claude Code has a tool for answers that fit a schema; of Codex the message does.
      if (cli === 'codex') return { content, usage };
      return {
        toolCalls: [call('StructuredOutput', { back_to: '', learning: [], question: null, ...ending.answer })],
        usage,
      };
    }
    case 'prose':
      return { content: ending.text, usage: { input_tokens: input, output_tokens: tokens(ending.text) } };
    case 'error':
      return { error: { message: ending.message, type: 'invalid_request_error', code: 'scripted' }, status: 400 };
    case 'silence':
      return 'silence';
  }
}

/** The call of the tool that runs a command. */
function run(command: string, { cli }: Turn): { name: string; arguments: string } {
  if (cli === 'codex') return call('exec_command', { cmd: command, yield_time_ms: LOOK_AFTER_MS });
  return call('Bash', { command, timeout: LONGEST_MS });
}

function call(name: string, args: object): { name: string; arguments: string } {
  return { name, arguments: JSON.stringify(args) };
}

/** Estimates tokens with the usual rule of thumb, so that the usage looks like that of a real model. */
function tokens(text: string): number {
  return Math.ceil(text.length / 4);
}
