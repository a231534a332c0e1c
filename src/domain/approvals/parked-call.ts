/** A tool call that waits for people, as its run's workflow knows it. Pure. */
import type { ApprovalMode, PolicyDecision } from './policy.ts';
import { TOOLS } from '../tools/catalogue.ts';

/** Plain JSON; it goes through the histories of workflows, so it is short and has no secret. */
export interface ParkedCall {
  /** `<run id>:<n>`. */
  readonly id: string;
  readonly tool: string;
  readonly action: string;
  /** SHA-256 of tool and arguments, hexadecimal: what is approved is what is performed. */
  readonly digest: string;
  /** The arguments without secret values, for people: JSON, cut to {@link SUMMARY_CHARACTERS}. */
  readonly summary: string;
  /** Who has to approve, by the policy of the moment of the call. */
  readonly mode: Exclude<ApprovalMode, 'none'>;
  /** Why, by that policy. */
  readonly reason: string;
  /** What the tool asks people; missing where it wants an approval. */
  readonly asks?: AskedByTool;
}

/** A question that an agent asks by a tool. */
export interface AskedByTool {
  readonly text: string;
  /** What people read. */
  readonly options: readonly string[];
  /** How the agent names the options, in the same order. */
  readonly optionIds: readonly string[];
  /** Whether a text of one's own is an answer. */
  readonly freeText: boolean;
  /** Whether only an owner or administrator may answer. */
  readonly owner: boolean;
  /** Seconds after which nobody needs to answer; missing: the installation's deadline. */
  readonly ttlSeconds?: number;
}

/** Characters of arguments that people are shown; of a question with its details. */
const SUMMARY_CHARACTERS = 2000;
const QUESTION_CHARACTERS = 4000;
const OPTION_CHARACTERS = 200;

/** The parked call that a row of `tool_calls` is. */
export function parkedCall(row: {
  readonly id: string;
  readonly tool: string;
  readonly action: string;
  readonly digest: string;
  /** Canonical JSON without secret values. */
  readonly args: string;
  readonly decision: PolicyDecision;
}): ParkedCall {
  const { id, tool, action, digest, args, decision } = row;
  const asks = TOOLS.some((each) => each.tool === tool && each.effect === 'asks') ? askedBy(tool, args) : undefined;
  return {
    id,
    tool,
    action,
    digest,
    summary: cut(args, SUMMARY_CHARACTERS),
    mode: decision.mode === 'delegated' ? 'delegated' : 'owner',
    reason: cut(decision.reason, OPTION_CHARACTERS),
    ...(asks && { asks }),
  };
}

function askedBy(tool: string, args: string): AskedByTool {
  const given = objectIn(args);
  const options = (Array.isArray(given['options']) ? (given['options'] as unknown[]) : []).flatMap((option) => {
    const named = typeof option === 'string' ? { option_id: option, label: option } : fieldsOf(option);
    const label = textOf(named['label']) || textOf(named['option_id']);
    const about = textOf(named['description']);
    if (label === '') return [];
    return [
      {
        id: textOf(named['option_id']) || label,
        label: cut(about === '' ? label : `${label}: ${about}`, OPTION_CHARACTERS),
      },
    ];
  });
  const ttl = given['response_ttl_seconds'];
  const text = [textOf(given['question']), textOf(given['details_markdown'])].filter(Boolean).join('\n\n');
  return {
    text: cut(text, QUESTION_CHARACTERS),
    options: options.map(({ label }) => label),
    optionIds: options.map(({ id }) => id),
    freeText: options.length === 0 || given['allow_free_text'] === true || given['allow_custom'] === true,
    owner: tool === 'owner.feedback.request',
    ...(typeof ttl === 'number' && ttl > 0 ? { ttlSeconds: ttl } : {}),
  };
}

function objectIn(json: string): Record<string, unknown> {
  try {
    return fieldsOf(JSON.parse(json));
  } catch {
    return {};
  }
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim() : '';
}

function cut(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1).toWellFormed()}…`;
}
