/** The agent's final answer: its JSON Schema, its parsing, and the prompt that asks for it again. */
import { z } from 'zod';
import { Answer } from './platform/protocol.ts';

export type AnswerReading = { readonly answer: Answer } | { readonly problem: string };

/** Keywords that the model's API accepts in a strict schema; bounds are checked here instead. */
const STRICT_KEYWORDS = new Set([
  'type',
  'properties',
  'required',
  'additionalProperties',
  'items',
  'anyOf',
  'description',
]);

/** The JSON Schema of an answer, for strict structured output. */
export function answerSchema(): object {
  return strict(z.toJSONSchema(Answer)) as object;
}

function strict(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null) return schema;
  const kept = Object.entries(schema).filter(([keyword]) => STRICT_KEYWORDS.has(keyword));
  return Object.fromEntries(
    kept.map(([keyword, value]) => {
      if (keyword === 'properties') return [keyword, mapValues(value as object, strict)];
      if (keyword === 'anyOf') return [keyword, (value as unknown[]).map(strict)];
      return [keyword, keyword === 'items' ? strict(value) : value];
    }),
  );
}

function mapValues(object: object, change: (value: unknown) => unknown): object {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}

/** Parses the agent's last message as an answer; `problem` describes in words why it is none. */
export function readAnswer(message: string | undefined): AnswerReading {
  if (message === undefined || message.trim() === '') return { problem: 'there is no final message' };
  let value: unknown;
  try {
    value = JSON.parse(/^\s*```(?:json)?\s*\n([\s\S]*?)\n\s*```\s*$/.exec(message)?.[1] ?? message);
  } catch {
    return { problem: 'it is not JSON' };
  }
  const parsed = Answer.safeParse(value);
  return parsed.success ? { answer: parsed.data } : { problem: z.prettifyError(parsed.error) };
}

/** Beginning of the prompt that asks for the answer again. */
const REPAIR_OPENING = 'Your last message is not the answer that was asked for:';

/** The next prompt for an agent whose answer could not be parsed. */
export function repairPrompt(problem: string): string {
  return [
    `${REPAIR_OPENING} ${problem}`,
    '',
    'Change nothing in the repository. Answer again, with one JSON object and nothing around it, that fits this schema:',
    '',
    JSON.stringify(answerSchema()),
    '',
  ].join('\n');
}
