/** The JSON events of `claude --output-format stream-json`, and their entries in the run log. */
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { describeAnswer } from '../answer-log.ts';
import type { LogEntry } from '../../platform/log-line.ts';
import type { CliEvent } from '../agent-cli.ts';

/** The tool with which Claude Code takes an answer that fits a schema; it then ends the turn. */
const ANSWER_TOOL = 'StructuredOutput';

const Text = z.string().catch('');
const Unknown = z.object({ type: z.literal('unknown') });

const Said = z
  .discriminatedUnion('type', [
    z.object({ type: z.literal('text'), text: Text }),
    z.object({ type: z.literal('thinking'), thinking: Text }),
    z.object({ type: z.literal('tool_use'), id: Text, name: Text, input: z.record(z.string(), z.unknown()).catch({}) }),
    Unknown,
  ])
  .catch({ type: 'unknown' });

const Parts = z.union([
  z.string(),
  z.array(z.object({ text: Text })).transform((parts) => parts.map(({ text }) => text).join('\n')),
]);

const Got = z
  .discriminatedUnion('type', [
    z.object({
      type: z.literal('tool_result'),
      tool_use_id: Text,
      content: Parts.catch(''),
      is_error: z.boolean().catch(false),
    }),
    Unknown,
  ])
  .catch({ type: 'unknown' });

const ClaudeEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('system'), subtype: z.string(), session_id: z.string(), error: z.string().optional() }),
  z.object({ type: z.literal('assistant'), message: z.object({ content: z.array(Said) }) }),
  z.object({
    type: z.literal('user'),
    message: z.object({ content: z.array(Got).catch([]) }),
  }),
  z.object({
    type: z.literal('result'),
    subtype: z.string(),
    is_error: z.boolean(),
    result: z.string().optional(),
    structured_output: z.unknown().optional(),
    errors: z.array(z.string()).catch([]),
    usage: z
      .object({
        input_tokens: z.number(),
        cache_creation_input_tokens: z.number().catch(0),
        cache_read_input_tokens: z.number().catch(0),
        output_tokens: z.number(),
      })
      .optional()
      .catch(undefined),
  }),
]);
type ClaudeEvent = z.infer<typeof ClaudeEvent>;
type Said = z.infer<typeof Said>;
type ToolUse = Extract<Said, { type: 'tool_use' }>;

/**
 * Makes a reader of the program's lines; it gives undefined for unknown events, so that a newer Claude Code does not fail the run.
 * It remembers the tools that were called, since their results name only the call. Paths are shown relative to `root`.
 */
export function createEventReader(root: string): (line: string) => CliEvent | undefined {
  const calls = new Map<string, ToolUse>();
  let begun = false;

  function ofSystem(event: Extract<ClaudeEvent, { type: 'system' }>): CliEvent {
    if (event.subtype !== 'init') return { log: [] };
    // Claude Code repeats the event within a turn.
    const log: LogEntry[] = begun ? [] : [{ kind: 'runner', text: `Conversation ${event.session_id}` }];
    begun = true;
    return { threadId: event.session_id, log };
  }

  function ofSaid(part: Said): LogEntry[] {
    switch (part.type) {
      case 'text':
        return part.text.trim() === '' ? [] : [{ kind: 'message', text: describeAnswer(part.text) }];
      case 'thinking':
        return part.thinking.trim() === '' ? [] : [{ kind: 'reasoning', text: part.thinking }];
      case 'tool_use':
        calls.set(part.id, part);
        return called(part);
      case 'unknown':
        return [];
    }
  }

  function ofResult({
    tool_use_id,
    content,
    is_error,
  }: Extract<z.infer<typeof Got>, { type: 'tool_result' }>): LogEntry[] {
    const call = calls.get(tool_use_id);
    calls.delete(tool_use_id);
    const path = call?.input['file_path'];
    switch (call?.name) {
      case 'Bash':
        return ranCommand(content, is_error);
      case 'Edit':
      case 'Write':
        if (typeof path !== 'string') return [];
        return [
          {
            kind: 'file',
            text: `${call.name === 'Edit' ? 'update' : 'write'} ${relativeTo(root, path)}${is_error ? ' (failed)' : ''}`,
          },
        ];
      case undefined:
      default:
        return is_error ? [{ kind: 'error', text: content }] : [];
    }
  }

  return (line) => {
    const event = parse(line);
    switch (event?.type) {
      case undefined:
        return undefined;
      case 'system':
        return ofSystem(event);
      case 'assistant':
        return { log: event.message.content.flatMap(ofSaid) };
      case 'user':
        return { log: event.message.content.flatMap((part) => (part.type === 'tool_result' ? ofResult(part) : [])) };
      case 'result':
        return ended(event);
    }
  };

  function called({ name, input }: ToolUse): LogEntry[] {
    const { command, file_path: path } = input;
    if (name === 'Bash') return [{ kind: 'command', text: `$ ${typeof command === 'string' ? command : ''}` }];
    if (name === 'Read')
      return [{ kind: 'command', text: `read ${typeof path === 'string' ? relativeTo(root, path) : ''}` }];
    if (name === ANSWER_TOOL) return [{ kind: 'message', text: describeAnswer(JSON.stringify(input)) }];
    return name === 'Edit' || name === 'Write' ? [] : [{ kind: 'command', text: name }];
  }
}

function parse(line: string): ClaudeEvent | undefined {
  try {
    return ClaudeEvent.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** `Exit code N` begins the output of a command that failed. */
function ranCommand(content: string, isError: boolean): LogEntry[] {
  const failed = /^Exit code (\d+)(?:\n|$)/.exec(content);
  const output = failed ? content.slice(failed[0].length) : content;
  const code = failed?.[1] ?? (isError ? 'unknown' : '0');
  const lines = output === '' ? [] : output.replace(/\n$/, '').split('\n');
  return [
    ...lines.map((text): LogEntry => ({ kind: 'output', text: text.replace(/\r$/, '') })),
    { kind: 'command', text: `exit code ${code}` },
  ];
}

function ended(event: Extract<ClaudeEvent, { type: 'result' }>): CliEvent {
  const { usage, structured_output: answer, result } = event;
  const log: LogEntry[] = usage ? [{ kind: 'runner', text: describeUsage(usage) }] : [];
  if (event.is_error) {
    const why = event.errors.join('; ') || result || event.subtype;
    return { failed: why, log: [{ kind: 'error', text: why }, ...log] };
  }
  const message = answer === undefined ? result : JSON.stringify(answer);
  return { ...(message === undefined ? {} : { message }), log };
}

function describeUsage(usage: NonNullable<Extract<ClaudeEvent, { type: 'result' }>['usage']>): string {
  const count = (tokens: number): string => tokens.toLocaleString('en-US');
  const input = usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens;
  return `Turn finished; it has used ${count(input)} tokens in, ${count(usage.output_tokens)} out`;
}

function relativeTo(root: string, path: string): string {
  return isAbsolute(path) && path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}
