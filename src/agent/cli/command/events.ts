/** The lines that a program of the project's own prints: JSON objects with a `type`, or plain text. */
import { z } from 'zod';
import type { CliEvent } from '../agent-cli.ts';
import { describeAnswer } from '../answer-log.ts';

const Event = z.discriminatedUnion('type', [
  z.object({ type: z.enum(['message', 'reasoning', 'command', 'output', 'file']), text: z.string() }),
  z.object({ type: z.literal('error'), text: z.string() }),
  z.object({ type: z.literal('failed'), text: z.string() }),
  z.object({ type: z.literal('answer'), answer: z.union([z.string(), z.record(z.string(), z.unknown())]) }),
  z.object({ type: z.literal('codex-k8s.conversation'), id: z.string() }),
]);

/** Parses one line. Plain text is a message; the last message or answer of a turn is its answer. */
export function readEvent(line: string): CliEvent | undefined {
  if (line.trim() === '') return undefined;
  const event = parse(line);
  switch (event?.type) {
    case undefined:
      return { message: line, log: [{ kind: 'message', text: describeAnswer(line) }] };
    case 'codex-k8s.conversation':
      return { threadId: event.id, log: [{ kind: 'runner', text: `Conversation ${event.id}` }] };
    case 'answer': {
      const message = typeof event.answer === 'string' ? event.answer : JSON.stringify(event.answer);
      return { message, log: [{ kind: 'message', text: describeAnswer(message) }] };
    }
    case 'message':
      return { message: event.text, log: [{ kind: 'message', text: describeAnswer(event.text) }] };
    case 'error':
      return { error: event.text, log: [{ kind: 'error', text: event.text }] };
    case 'failed':
      return { failed: event.text, log: [{ kind: 'error', text: event.text }] };
    case 'reasoning':
    case 'command':
    case 'output':
    case 'file':
      return { log: [{ kind: event.type, text: event.text }] };
  }
}

/** The adapter's own line that names the conversation. */
export function conversationLine(id: string): string {
  return JSON.stringify({ type: 'codex-k8s.conversation', id });
}

/** The adapter's own line for the answer in a file. */
export function answerLine(answer: string): string {
  return JSON.stringify({ type: 'answer', answer });
}

function parse(line: string): z.infer<typeof Event> | undefined {
  try {
    return Event.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
