/** What may be asked of the staff API, and how a wrong question is refused. */
import { AGENT_CLIS } from '../../src/domain/stages/clis.ts';
import { LOCALES } from '../../src/domain/locale.ts';
import { branchPrefixProblem } from '../../src/domain/issue/names.ts';
import { readProjectBlocks } from '../../src/network/address-blocks.ts';
import { templateProblem } from '../../src/domain/workspace/namespace-template.ts';
import type { Context } from 'hono';
import { z } from 'zod';
import { ANSWER_CHARACTERS } from '../../src/domain/run/requests.ts';
import { COST_GROUPS } from '../../src/store/money/costs.ts';
import { RUN_STATUSES } from '../../src/domain/run/runs.ts';
import { ISSUE_STATES } from '../../src/read-model/queries/issues.ts';
import { LOG_LIMIT } from '../../src/read-model/queries/log.ts';
import { decodeCursor, PAGE_LIMIT } from '../../src/read-model/queries/page.ts';
import { RequestRefused } from '../http/errors.ts';

const FULL_NAME = /^[\w.-]{1,100}\/[\w.-]{1,100}$/;

const fullName = z.string().regex(FULL_NAME, 'must be OWNER/NAME');
const repository = fullName.transform((name) => {
  const [owner = '', repo = ''] = name.split('/');
  return { owner, name: repo };
});
const cursor = z.string().transform((text, context) => {
  const decoded = decodeCursor(text);
  if (decoded) return decoded;
  context.addIssue({ code: 'custom', message: 'is not a cursor that an answer named' });
  return z.NEVER;
});
const page = { limit: z.coerce.number().int().min(1).max(PAGE_LIMIT).default(50), cursor: cursor.optional() };
const issueKey = z
  .string()
  .regex(/^issue:[1-9]\d{0,15}#[1-9]\d{0,8}$/, 'must look like issue:<repository id>#<number>');
export const slug = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be a slug: a-z, 0-9 and hyphens');
export const line = z
  .string()
  .trim()
  .regex(/^[^\p{Cc}]*$/u, 'must be one line');

/** A UUID that may end anywhere after its sixth digit. */
const ID_PREFIX =
  /^[0-9a-f]{6,8}$|^[0-9a-f]{8}(-[0-9a-f]{4}){0,2}-[0-9a-f]{0,4}$|^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{0,12}$/;

export const RunId = z.uuid('is not the id of a run');
export const IssueKey = issueKey;

export const RunsQuery = z.object({
  ...page,
  status: z.enum(RUN_STATUSES).optional(),
  issue: issueKey.optional(),
  repository: repository.optional(),
  id: z.string().toLowerCase().regex(ID_PREFIX, 'must be the first 6 or more characters of an id').optional(),
});

export const CostsQuery = z.object({
  by: z.enum(COST_GROUPS).default('run'),
  limit: page.limit,
});

export const IssuesQuery = z.object({
  ...page,
  state: z.enum(ISSUE_STATES).optional(),
  repository: repository.optional(),
});

export const DeliveriesQuery = z.object({ ...page, status: z.enum(['accepted', 'ignored']).optional() });

export const EventsQuery = z.object({
  after: z.coerce.number().int().min(0).max(2_147_483_647).default(0),
  limit: page.limit,
});

export const LogQuery = z.object({
  after: z.coerce.number().int().min(-1).max(2_147_483_647).default(-1),
  limit: z.coerce.number().int().min(1).max(LOG_LIMIT).default(500),
});

export const IssuePath = z.object({
  owner: z.string().max(100),
  name: z.string().max(100),
  number: z.coerce.number().int().min(1).max(2_147_483_647),
});

export const CancelBody = z.strictObject({
  reason: line.max(500).default(''),
  actor: line.max(100).default(''),
});

/** A text of more than one line. */
const text = z.string().trim().max(ANSWER_CHARACTERS);

export const AnswerBody = z.strictObject({
  text: text.min(1, 'is missing: give the number of an option, its text, or a free answer'),
  actor: line.max(100).default(''),
  /** The request that the person has read; without it, whatever the run asks when the answer arrives. */
  requestId: z
    .string()
    .regex(/^[0-9a-f-]{36}\.[1-9]\d{0,8}$/, 'is not the id of a request: <run id>.<n>')
    .optional(),
  /** By what the person answers; the command line says so. */
  surface: z.enum(['api', 'command_line']).default('api'),
});

/** A verdict of the dashboard's form. */
export const VerdictBody = z.strictObject({
  decision: z.enum(['approved', 'denied']),
  text: text.default(''),
  actor: line.max(100).min(1, 'is missing: who decides, by the login on GitHub'),
  requestId: AnswerBody.shape.requestId,
});

export const PauseBody = z.strictObject(CancelBody.shape);

export const ResumeBody = z.strictObject({ note: text.default(''), actor: line.max(100).default('') });

export const FullName = fullName;

export const BindBody = z.strictObject({ fullName, project: slug.default('default') });

const MEMBER_ROLES = ['platform_owner', 'platform_admin', 'admin', 'read_write', 'read'] as const;

const login = z.string().regex(/^[a-zA-Z0-9](?:-?[a-zA-Z0-9]){0,38}$/, 'must be the login of a GitHub account');

/** Whose role is taken; without a project, every role. */
export const MemberPath = z.strictObject({ login, project: slug.optional() });

export const MemberBody = z.strictObject({
  login,
  role: z.enum(MEMBER_ROLES),
  project: slug.default('default'),
  learning: z
    .enum(['on', 'off', 'default'])
    .optional()
    .describe('whether agents explain what they change to this member; default: as the project has it'),
});

const blocks = z.array(z.string()).transform((entries, context) => {
  const read = readProjectBlocks(entries);
  if ('blocks' in read) return [...read.blocks];
  context.addIssue({ code: 'custom', message: read.problem });
  return z.NEVER;
});

/** What is left out stays; `default` leaves it to the platform again. */
export const ProjectBody = z
  .strictObject({
    locale: z.enum(LOCALES).optional(),
    cli: z.enum([...AGENT_CLIS, 'default']).optional(),
    command: z
      .union([z.literal('default'), z.array(z.string().min(1).max(1000)).min(1).max(50)])
      .optional()
      .describe('the program and arguments of agents that are `command`'),
    model: z
      .string()
      .regex(/^[\w.:/-]{1,100}$/, 'must be the name of a model, or “default”')
      .optional(),
    reasoningEffort: z.enum(['low', 'medium', 'high', 'xhigh', 'default']).optional(),
    namespaceTemplate: z
      .string()
      .superRefine((template, context) => {
        const problem = template === 'default' ? undefined : templateProblem(template);
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
      })
      .optional(),
    branchPrefix: z
      .string()
      .superRefine((prefix, context) => {
        const problem = prefix === 'default' ? undefined : branchPrefixProblem(prefix);
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
      })
      .optional(),
    egress: blocks.optional(),
    learning: z.boolean().optional().describe('agents explain what they change'),
  })
  .refine((body) => Object.keys(body).length > 0, 'names nothing to set');

/** Checks a value; refuses it with the name of the field that is wrong. */
export function checked<Schema extends z.ZodType>(schema: Schema, value: unknown, field?: string): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const path = unknown ?? (issue?.path.join('.') || field);
  throw new RequestRefused('invalid_argument', `${path ?? 'the body'}: ${issue?.message ?? 'is not valid'}`, path);
}

/** The body as JSON; an absent one is an empty object. */
export async function jsonBody(c: Context): Promise<unknown> {
  const body = await c.req.text();
  if (body.trim() === '') return {};
  try {
    return JSON.parse(body);
  } catch {
    throw new RequestRefused('invalid_argument', 'the body is not valid JSON', 'body');
  }
}
