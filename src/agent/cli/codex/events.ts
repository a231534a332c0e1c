/** The JSON events of `codex exec --json`, and their entries in the run log. */
import { z } from 'zod';
import type { LogEntry } from '../../platform/log-line.ts';
import { describeAnswer } from '../answer-log.ts';
import { unwrapShell } from './shell-words.ts';

const Text = z.string().catch('');

const Item = z.discriminatedUnion('type', [
  z.object({ type: z.literal('agent_message'), text: Text }),
  z.object({ type: z.literal('reasoning'), text: Text }),
  z.object({
    type: z.literal('command_execution'),
    command: Text,
    aggregated_output: Text,
    exit_code: z.number().nullish(),
  }),
  z.object({
    type: z.literal('file_change'),
    changes: z.array(z.object({ path: z.string(), kind: z.string() })),
    status: Text,
  }),
  z.object({ type: z.literal('mcp_tool_call'), server: Text, tool: Text, status: Text }),
  z.object({ type: z.literal('web_search'), query: Text }),
  z.object({ type: z.literal('todo_list'), items: z.array(z.object({ text: z.string(), completed: z.boolean() })) }),
  z.object({ type: z.literal('error'), message: Text }),
]);
type Item = z.infer<typeof Item>;

const Usage = z.object({ input_tokens: z.number(), output_tokens: z.number() });

const CodexEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('thread.started'), thread_id: z.string() }),
  z.object({ type: z.literal('turn.started') }),
  z.object({ type: z.literal('turn.completed'), usage: Usage }),
  z.object({ type: z.literal('turn.failed'), error: z.object({ message: Text }) }),
  z.object({ type: z.literal('item.started'), item: Item }),
  z.object({ type: z.literal('item.updated'), item: Item }),
  z.object({ type: z.literal('item.completed'), item: Item }),
  z.object({ type: z.literal('error'), message: Text }),
]);
export type CodexEvent = z.infer<typeof CodexEvent>;

/** Parses one line of Codex' output; undefined for unknown events, so that a newer Codex does not fail the run. */
export function readEvent(line: string): CodexEvent | undefined {
  try {
    return CodexEvent.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** The log entries of an event, in order. Paths are shown relative to `root`. */
export function describeEvent(event: CodexEvent, root: string): LogEntry[] {
  switch (event.type) {
    case 'thread.started':
      return [{ kind: 'runner', text: `Conversation ${event.thread_id}` }];
    case 'turn.started':
    case 'item.updated':
      return [];
    case 'turn.completed':
      return [{ kind: 'runner', text: describeUsage(event.usage) }];
    case 'turn.failed':
      return []; // the `error` event before it says the same
    case 'error':
      return [{ kind: 'error', text: plainError(event.message) }];
    case 'item.started':
      return event.item.type === 'command_execution'
        ? [{ kind: 'command', text: `$ ${unwrapShell(event.item.command)}` }]
        : [];
    case 'item.completed':
      return describeItem(event.item, root);
  }
}

function describeItem(item: Item, root: string): LogEntry[] {
  switch (item.type) {
    case 'agent_message':
      return [{ kind: 'message', text: describeAnswer(item.text) }];
    case 'reasoning':
      return item.text.trim() === '' ? [] : [{ kind: 'reasoning', text: item.text }];
    case 'command_execution':
      return [
        ...outputLines(item.aggregated_output),
        { kind: 'command', text: `exit code ${item.exit_code ?? 'unknown'}` },
      ];
    case 'file_change':
      return item.changes.map(({ path, kind }) => ({
        kind: 'file',
        text: `${kind} ${relativeTo(root, path)}${item.status === 'failed' ? ' (failed)' : ''}`,
      }));
    case 'mcp_tool_call':
      return [{ kind: 'command', text: `${item.server}.${item.tool}: ${item.status}` }];
    case 'web_search':
      return [{ kind: 'command', text: `web search: ${item.query}` }];
    case 'todo_list':
      return item.items.map(({ text, completed }) => ({ kind: 'message', text: `[${completed ? 'x' : ' '}] ${text}` }));
    case 'error':
      return [{ kind: 'error', text: plainError(item.message) }];
  }
}

function outputLines(output: string): LogEntry[] {
  if (output === '') return [];
  const lines = (output.endsWith('\n') ? output.slice(0, -1) : output).split('\n');
  return lines.map((line) => ({ kind: 'output', text: line.replace(/\r$/, '') }));
}

function describeUsage(usage: z.infer<typeof Usage>): string {
  const count = (tokens: number): string => tokens.toLocaleString('en-US');
  return `Turn finished; the conversation has used ${count(usage.input_tokens)} tokens in, ${count(usage.output_tokens)} out`;
}

function relativeTo(root: string, path: string): string {
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}

/** The message of a model API error, which arrives as its raw JSON body. */
export function plainError(message: string): string {
  try {
    const body = JSON.parse(message) as { error?: { message?: unknown } };
    return typeof body.error?.message === 'string' ? body.error.message : message;
  } catch {
    return message;
  }
}
