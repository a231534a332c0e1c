/** Reads what a provider says of the tokens of an answer. */
import { isObject, type Fields } from '../model/values.ts';
import { NO_USAGE, type Usage } from './costs.ts';

/** What is known of an answer: its tokens, and the tier that it was given. */
export interface Answered {
  readonly usage: Usage;
  readonly tier: string | undefined;
}

/** `usage` of OpenAI's Responses and chat completions; undefined if it is none. */
export function readOpenAiUsage(usage: unknown): Usage | undefined {
  if (!isObject(usage)) return undefined;
  const prompt = count(usage['input_tokens'] ?? usage['prompt_tokens']);
  const output = count(usage['output_tokens'] ?? usage['completion_tokens']);
  if (prompt === undefined || output === undefined) return undefined;
  const read = details(usage, 'input_tokens_details', 'prompt_tokens_details');
  const cached = Math.min(prompt, count(read['cached_tokens']) ?? 0);
  const written = Math.min(prompt - cached, count(read['cache_write_tokens']) ?? 0);
  const reasoning =
    count(details(usage, 'output_tokens_details', 'completion_tokens_details')['reasoning_tokens']) ?? 0;
  return {
    ...NO_USAGE,
    input: prompt - cached - written,
    cached,
    cacheWrite: written,
    output,
    reasoning: Math.min(output, reasoning),
  };
}

/** `usage` of Anthropic's Messages; undefined if it is none. In a stream `before` is what an earlier event said. */
export function readAnthropicUsage(usage: unknown, before: Usage = NO_USAGE): Usage | undefined {
  if (!isObject(usage)) return undefined;
  const written = count(usage['cache_creation_input_tokens']);
  const hour = count(details(usage, 'cache_creation')['ephemeral_1h_input_tokens']);
  const ofHour = hour ?? (written === undefined ? before.cacheWriteHour : 0);
  return {
    input: count(usage['input_tokens']) ?? before.input,
    cached: count(usage['cache_read_input_tokens']) ?? before.cached,
    cacheWrite: written === undefined ? before.cacheWrite : Math.max(0, written - ofHour),
    cacheWriteHour: ofHour,
    output: count(usage['output_tokens']) ?? before.output,
    reasoning: 0,
  };
}

function details(usage: Fields, ...names: readonly string[]): Fields {
  return names.map((name) => usage[name]).find(isObject) ?? {};
}

/** A whole number from 0; undefined for anything else. */
function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
