/** The agent's final answer: its JSON Schema, its parsing, and the prompt that asks for it again. */
import { z } from 'zod';
import { mendedAnswer } from './answer-mending.ts';
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

/**
 * Parses the agent's last message as an answer. What is too long is cut, and what can be left out is; `problem` describes in words
 * what cannot be mended.
 */
export function readAnswer(message: string | undefined): AnswerReading {
  if (message === undefined || message.trim() === '') return { problem: 'there is no final message' };
  const value = jsonIn(message);
  if (value === undefined) return { problem: 'it is not JSON' };
  const parsed = Answer.safeParse(mendedAnswer(value));
  return parsed.success ? { answer: parsed.data } : { problem: z.prettifyError(parsed.error) };
}

/** The JSON of a message that is JSON, or has one object in a fenced block or between sentences. */
function jsonIn(message: string): unknown {
  const fenced = /```(?:json)?\s*\n([\s\S]*?)\n\s*```/.exec(message)?.[1];
  const inner = message.slice(message.indexOf('{'), message.lastIndexOf('}') + 1);
  for (const candidate of [message, fenced, inner]) {
    try {
      if (candidate !== undefined) return JSON.parse(candidate) as unknown;
    } catch {
      // the next one
    }
  }
  return undefined;
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

/** The next prompt for an agent that stopped before its work was finished; `problem` says where. */
export function finishPrompt(problem: string): string {
  return [
    `Your work is not finished: ${problem}.`,
    '',
    'Finish the merge or rebase, or take it back (`git merge --abort`, `git rebase --abort`). Resolve each conflict by what both',
    'sides mean, leave no conflict marker, and commit. Where a file is meant to have them (documentation, a fixture), give it another',
    '`conflict-marker-size` in .gitattributes. Then give your answer again: one JSON object that fits this schema:',
    '',
    JSON.stringify(answerSchema()),
    '',
  ].join('\n');
}

/** The next prompt for an agent whose push the git gateway refused; `refusal` says what it may not change. */
export function refusedPrompt(refusal: string, baseBranch: string): string {
  return [
    `Your work could not be pushed: ${refusal}.`,
    '',
    `Take these changes out (\`git checkout origin/${baseBranch} -- PATH\` for what is there, \`git rm -r PATH\` for what is new), and`,
    'commit. Do not look for another way to make them: say in your summary what a person has to change. Then give your answer again:',
    'one JSON object that fits this schema:',
    '',
    JSON.stringify(answerSchema()),
    '',
  ].join('\n');
}
