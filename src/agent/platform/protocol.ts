/**
 * The agent API, over HTTP, with the run token as bearer token.
 *
 *     GET  /api/v1/agent/assignment      what to do                                    200 Assignment
 *     GET  /api/v1/agent/conversation    the stored conversation (the program's JSON lines) 200 bytes, 404, or 412 if it is damaged
 *     PUT  /api/v1/agent/conversation    stores it; header `x-thread-id`                204, header `etag`
 *     PATCH /api/v1/agent/conversation   appends whole lines to it; headers `x-thread-id`, `if-match`: the newest `etag`
 *                                                                                      204, header `etag`, or 412
 *     GET  /api/v1/agent/commits         commits of an earlier run on the branch that could not be pushed (a git bundle) 200, or 404
 *     PUT  /api/v1/agent/commits         keeps those of this run; header `x-head-sha`   204
 *     POST /api/v1/agent/log             a batch of log lines, safe to repeat           204
 *     GET  /api/v1/agent/directives      whether the turn must end; answers at once if so, else within 25 s 200 Directives
 *     POST /api/v1/agent/report          the end of this attempt; its first report counts 204
 *
 * A token of a run that is over or waits, or of another attempt, gets a 401; the runner then stops its agent at once.
 */
import { z } from 'zod';
import { AGENT_CLIS } from '../../domain/stages/clis.ts';
import { HELD_BACK_REASONS, MOST_PLACES } from '../../domain/run/held-back.ts';
import { FEWEST_OPTIONS, MOST_OPTIONS } from '../../domain/run/requests.ts';
import { FAILURES } from '../../domain/run/runs.ts';
import { LOST_CONVERSATION, MOST_SUBMODULES, NOTE_PATH_CHARACTERS } from '../../domain/run/work-notes.ts';

export const Assignment = z.object({
  runId: z.string(),
  repository: z.string().describe('owner/name, for people'),
  cloneUrl: z.url().describe('the git gateway; the run token is the password, the user name is free'),
  branch: z.string(),
  baseBranch: z.string(),
  since: z
    .string()
    .nullable()
    .describe('the commit after which work counts; null where the whole branch does, or of a revise what is new on it'),
  kind: z.enum(['work', 'revise', 'review', 'discussion']).describe('the last two read only: nothing is pushed'),
  prompt: z.string(),
  cli: z.enum(AGENT_CLIS).default('codex').describe('the program that works'),
  command: z.array(z.string()).min(1).optional().describe('of `command`: the program and its arguments'),
  model: z.string(),
  reasoningEffort: z.enum(['low', 'medium', 'high', 'xhigh']),
  modelBaseUrl: z.url().describe('the model gateway, ending in /v1; the run token is its key'),
  mcpUrl: z.url().optional().describe("the platform's MCP server; the run token is its bearer"),
  resumeThreadId: z.string().nullable().describe('the conversation to go on with'),
  fresh: z.string().optional().describe('the prompt of a new conversation, where that one cannot be gone on with'),
  interrupted: z.boolean().describe('an earlier agent of this very run was stopped: its files are kept as they are'),
  kept: z
    .object({ headSha: z.string().regex(/^[0-9a-f]{40}$/), reason: z.string() })
    .optional()
    .describe('there are commits of an earlier run that could not be pushed, and why'),
  firstLogLine: z.int().nonnegative().describe('where the log goes on'),
  author: z.object({ name: z.string(), email: z.string() }),
  limits: z.object({
    stallSeconds: z.number().positive(),
    runSeconds: z.number().positive(),
  }),
});
export type Assignment = z.infer<typeof Assignment>;

/** Bytes of a bundle that the platform keeps. */
export const KEPT_COMMITS_BYTES = 32 * 1024 * 1024;

/** Text that Postgres and JSON can hold: no NUL, no lone surrogates. */
const text = (longest: number) =>
  z
    .string()
    .max(longest)
    .transform((value) => value.toWellFormed().replaceAll('\0', '\u{FFFD}'));

const LOG_KINDS = ['runner', 'reasoning', 'message', 'command', 'output', 'file', 'error'] as const;

/** One log line is at most this many characters; the runner cuts and says so. */
export const LOG_LINE_CHARACTERS = 4000;

export const LogBatch = z.object({
  lines: z
    .array(
      z.object({
        n: z
          .int()
          .nonnegative()
          .max(2_000_000_000)
          .describe('the sender’s own number: a line with the same n, time and text is the same line, sent again'),
        at: z.iso.datetime(),
        kind: z.enum(LOG_KINDS),
        text: text(LOG_LINE_CHARACTERS),
      }),
    )
    .max(500),
});
export type LogBatch = z.infer<typeof LogBatch>;
export type LogLine = LogBatch['lines'][number];

/** The limits of an answer: characters, and numbers of entries. A longer one is cut by the runner, and refused by the server. */
export const ANSWER_LIMITS = {
  summary: 20_000,
  title: 100,
  checks: 50,
  command: 2000,
  answers: 200,
  answer: 10_000,
  backTo: 30,
  explanations: 20,
  path: 300,
  explanation: 1000,
  question: 4000,
  option: 200,
} as const;

/** An agent's question to people. */
const Question = z.strictObject({
  text: z.string().trim().min(1).max(ANSWER_LIMITS.question),
  options: z
    .array(z.string().trim().min(1).max(ANSWER_LIMITS.option))
    .max(MOST_OPTIONS)
    .refine(
      (options) => options.length === 0 || options.length >= FEWEST_OPTIONS,
      `a question has ${FEWEST_OPTIONS} to ${MOST_OPTIONS} options, or none for a free answer`,
    )
    .refine(
      (options) => new Set(options.map((option) => option.toLowerCase())).size === options.length,
      'two options are the same',
    )
    .describe('two to five answers to choose from; empty for a free answer'),
});

/** The agent's final answer; the agent gets its JSON Schema, and the server validates it again. */
export const Answer = z.strictObject({
  summary: z.string().min(1).max(ANSWER_LIMITS.summary),
  title: z.string().min(1).max(ANSWER_LIMITS.title),
  checks: z
    .array(z.strictObject({ command: z.string().max(ANSWER_LIMITS.command), passed: z.boolean() }))
    .max(ANSWER_LIMITS.checks),
  answers: z
    .array(z.strictObject({ comment_id: z.number().int(), answer: z.string().min(1).max(ANSWER_LIMITS.answer) }))
    .max(ANSWER_LIMITS.answers),
  back_to: z
    .string()
    .max(ANSWER_LIMITS.backTo)
    .default('')
    .describe('of a rethink, the stage to go back to; empty otherwise'),
  learning: z
    .array(
      z.strictObject({
        path: z.string().min(1).max(ANSWER_LIMITS.path),
        line: z.int().positive().max(10_000_000).nullable(),
        explanation: z.string().min(1).max(ANSWER_LIMITS.explanation),
      }),
    )
    .max(ANSWER_LIMITS.explanations)
    .default([])
    .describe('empty, unless the task says that you explain your changes'),
  question: Question.nullable()
    .default(null)
    .describe('null, or what only a person can decide: the run then waits for the answer, and goes on with it'),
});
export type Answer = z.infer<typeof Answer>;

/** What the runner left out of its commit, and what its clone lacks (src/domain/run/work-notes.ts). */
const Notes = z.strictObject({
  heldBack: z
    .array(
      z.strictObject({
        path: text(NOTE_PATH_CHARACTERS),
        files: z.int().positive(),
        reason: z.enum(HELD_BACK_REASONS),
      }),
    )
    .max(MOST_PLACES)
    .readonly(),
  absent: z.strictObject({
    lfsFiles: z.int().nonnegative(),
    submodules: z.array(text(NOTE_PATH_CHARACTERS)).max(MOST_SUBMODULES).readonly(),
  }),
  lostConversation: z.enum(LOST_CONVERSATION).optional(),
});

export const Directives = z.object({
  endTurn: z
    .object({ reason: z.enum(['parked', 'steer']).describe('a tool call waits for a person; a person has a message') })
    .nullable(),
});
export type Directives = z.infer<typeof Directives>;

export const Report = z.discriminatedUnion('outcome', [
  z.strictObject({
    outcome: z.literal('finished'),
    answer: Answer,
    headSha: z.string().regex(/^[0-9a-f]{40}$/),
    threadId: text(200),
    model: text(200),
    reasoningEffort: text(50),
    notes: Notes.optional(),
  }),
  z.strictObject({
    outcome: z.literal('asked'),
    question: z
      .strictObject({
        text: text(ANSWER_LIMITS.question),
        options: z.array(text(ANSWER_LIMITS.option)).max(MOST_OPTIONS),
      })
      .pipe(Question),
    headSha: z
      .string()
      .regex(/^[0-9a-f]{40}$/)
      .nullable()
      .describe('what was pushed; null where nothing was committed'),
    threadId: text(200),
    model: text(200),
    reasoningEffort: text(50),
  }),
  z.strictObject({
    outcome: z.literal('parked').describe('the platform ended the turn (directives): a call waits for people'),
    headSha: z
      .string()
      .regex(/^[0-9a-f]{40}$/)
      .nullable(),
    threadId: text(200),
    model: text(200),
    reasoningEffort: text(50),
  }),
  z.strictObject({
    outcome: z.literal('failed'),
    failure: z.enum(FAILURES),
    detail: text(8000),
    threadId: text(200).optional(),
  }),
]);
export type Report = z.infer<typeof Report>;
