/** Reads the usage of an answer as it passes: a body of JSON, or a stream of server-sent events. */
import { isObject, type Fields } from '../model/values.ts';
import type { ModelFormat } from './bounds.ts';
import { NO_USAGE, type Usage } from './costs.ts';
import { readAnthropicUsage, readOpenAiUsage, type Answered } from './usage.ts';

/** A body that is longer has no usage that is looked for. */
const BODY_CHARACTERS = 32 * 1024 * 1024;
/** An event that is longer says nothing of usage; the largest that do hold a whole answer. */
const EVENT_CHARACTERS = 16 * 1024 * 1024;

export interface AnswerReader {
  /** Takes the next part of the answer's text. Returns what is known once it is complete, and undefined before. */
  read(text: string): Answered | undefined;
  /** What is known at the end of the answer; undefined if it broke off. */
  end(): Answered | undefined;
}

/** A reader for one answer. */
export function createAnswerReader(format: ModelFormat, isStream: boolean): AnswerReader {
  return isStream ? streamReader(format) : bodyReader(format);
}

function bodyReader(format: ModelFormat): AnswerReader {
  let body = '';
  return {
    read(text) {
      if (body.length < BODY_CHARACTERS) body += text;
      return undefined;
    },
    end() {
      const answer = parsed(body);
      return answer && (format === 'messages' ? ofMessage(answer) : ofOpenAi(answer));
    },
  };
}

function streamReader(format: ModelFormat): AnswerReader {
  let rest = '';
  let started: Answered | undefined;
  let known: Answered | undefined;

  function take(line: string): void {
    if (!line.startsWith('data:')) return;
    const event = parsed(line.slice('data:'.length));
    if (!event) return;
    if (format === 'messages') takeMessages(event);
    else if (format === 'chat') known = ofOpenAi(event) ?? known;
    else takeResponses(event);
  }

  function takeResponses({ type, response }: Fields): void {
    if (!isObject(response)) return;
    if (type === 'response.completed' || type === 'response.incomplete') known = ofOpenAi(response) ?? known;
    // The provider gave no answer, and counts none.
    if (type === 'response.failed') known = ofOpenAi(response) ?? { usage: NO_USAGE, tier: undefined };
  }

  function takeMessages({ type, message, usage }: Fields): void {
    if (type === 'message_start' && isObject(message)) started = ofMessage(message);
    if (type !== 'message_delta' || !started) return;
    const ended: Usage | undefined = readAnthropicUsage(usage, started.usage);
    if (ended) known = { usage: ended, tier: started.tier };
  }

  return {
    read(text) {
      rest += text;
      const lines = rest.split(/\r?\n/);
      rest = lines.pop() ?? '';
      for (const line of lines) take(line);
      if (rest.length > EVENT_CHARACTERS) rest = '';
      return known;
    },
    end() {
      take(rest);
      return known;
    },
  };
}

function ofOpenAi({ usage, service_tier: tier }: Fields): Answered | undefined {
  const read = readOpenAiUsage(usage);
  return read && { usage: read, tier: typeof tier === 'string' ? tier : undefined };
}

/** Anthropic's tier is capacity that was paid before, and changes no price; `speed` does. */
function ofMessage({ usage }: Fields): Answered | undefined {
  const read = readAnthropicUsage(usage);
  if (!read || !isObject(usage)) return undefined;
  return { usage: read, tier: usage['speed'] === 'fast' ? 'fast' : undefined };
}

function parsed(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
