/** The staff API's decisions: what runs wait for, approved, denied or answered; and the policy that says who decides. */
import type { Hono } from 'hono';
import { z } from 'zod';
import { evaluatePolicy, type ApprovalPolicy } from '../../src/domain/approvals/policy.ts';
import { TOOLS } from '../../src/domain/tools/catalogue.ts';
import { ANSWER_CHARACTERS, type Request } from '../../src/domain/run/requests.ts';
import { roleOf, STAGES, triggerLabel } from '../../src/domain/stages/stages.ts';
import { modeOf } from '../../src/domain/workspace/workspaces.ts';
import type { Database } from '../../src/store/connection/database.ts';
import { judgedNow } from '../../src/store/runs/judged-calls.ts';
import { findRequests, listRequests, type StoredRequest } from '../../src/store/runs/requests.ts';
import { RequestRefused, type ErrorLog } from '../http/errors.ts';
import type { RunUpdates } from '../relay/run-updates.ts';
import { checked, jsonBody, line } from './requests.ts';
import { answerRun } from './waits.ts';

const text = z.string().trim().max(ANSWER_CHARACTERS).default('');

/** A request's id, or its beginning with the number. */
const DecisionId = z
  .string()
  .toLowerCase()
  .regex(/^[0-9a-f-]{6,36}\.[1-9]\d{0,8}$/, 'must be the id of a request, <run id>.<n>; the first six characters do');

export const DecisionsQuery = z.strictObject({ open: z.stringbool().default(true) });
export const DecisionBody = z.strictObject({
  text,
  /** The login of the person who decides: their roles count. */
  actor: line.max(100).default(''),
  surface: z.enum(['api', 'command_line']).default('api'),
});
export const ExplainQuery = z.strictObject({
  tool: z.string().max(100),
  action: z.string().max(200).default('call'),
  stage: z.enum(STAGES.map(({ stage }) => stage)),
  kind: z.enum(['work', 'revise', 'review', 'discussion']).default('work'),
});

/** A request with what the policy wants now. */
export interface DecisionView {
  readonly id: string;
  readonly runId: string;
  readonly open: boolean;
  readonly request: Request;
  /** Null for one without a tool call. */
  readonly now: { readonly mode: string; readonly rule: number | null; readonly reason: string } | null;
}

interface Ports {
  readonly db: Database;
  readonly updates: RunUpdates;
  readonly log: ErrorLog;
  readonly policy: ApprovalPolicy;
}

/** Adds the routes. */
export function addDecisionRoutes(app: Hono, ports: Ports): void {
  const { db, policy } = ports;

  async function viewOf({ request, open }: StoredRequest): Promise<DecisionView> {
    const { id, runId, call } = request;
    return { id, runId, open, request, now: call ? await judgedNow(db, policy, { runId, call }) : null };
  }

  async function theRequest(given: string): Promise<StoredRequest> {
    const id = checked(DecisionId, given, 'id');
    const [found, another] = await findRequests(db, id);
    if (!found) throw new RequestRefused('not_found', `there is no request ${id}`, 'id');
    if (another) throw new RequestRefused('invalid_argument', `more than one request begins like ${id}`, 'id');
    return found;
  }

  app.get('/decisions', async (c) => {
    const { open } = checked(DecisionsQuery, c.req.query());
    return c.json({ items: await Promise.all((await listRequests(db, open)).map(viewOf)) });
  });

  app.get('/decisions/:id', async (c) => c.json(await viewOf(await theRequest(c.req.param('id')))));

  for (const [verb, decision] of [
    ['approve', 'approved'],
    ['deny', 'denied'],
    ['answer', undefined],
  ] as const)
    app.post(`/decisions/:id/${verb}`, async (c) => {
      const body = checked(DecisionBody, await jsonBody(c));
      const { request } = await theRequest(c.req.param('id'));
      const given = { ...body, runId: request.runId, requestId: request.id, ...(decision && { decision }) };
      return c.json({ id: request.id, request: await answerRun(ports, given) });
    });

  app.get('/policy', (c) => c.json(policy));

  app.get('/policy/explain', (c) => {
    const { tool, action, ...target } = checked(ExplainQuery, c.req.query());
    if (!TOOLS.some((row) => row.tool === tool))
      throw new RequestRefused('not_found', `there is no tool ${tool}`, 'tool');
    const subject = {
      tool,
      action,
      stage: target.stage,
      role: roleOf(target),
      label: triggerLabel(target),
      runtime: modeOf(target),
    };
    return c.json({ subject, decision: evaluatePolicy(policy, subject) });
  });
}
