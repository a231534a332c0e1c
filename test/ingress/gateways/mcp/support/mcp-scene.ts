/** The MCP gateway as an agent reaches it, over real tables; what tools do is given by the test. */
import { randomUUID } from 'node:crypto';
import { asc, like } from 'drizzle-orm';
import { createMcpGateway } from '../../../../../ingress/gateways/mcp/mcp-gateway.ts';
import { createToolCalls, type ParkedCall } from '../../../../../ingress/gateways/mcp/tool-calls.ts';
import { createRunAccess } from '../../../../../ingress/gateways/run-access.ts';
import type { WriteLimits } from '../../../../../ingress/gateways/write-limits.ts';
import { createRunTokens } from '../../../../../src/adapters/run-tokens.ts';
import { createSealing } from '../../../../../src/adapters/sealing.ts';
import { DEFAULT_POLICY } from '../../../../../src/domain/approvals/default-policy.ts';
import type { ApprovalPolicy } from '../../../../../src/domain/approvals/policy.ts';
import type { RunKind, Stage } from '../../../../../src/domain/stages/stages.ts';
import { flowEvents, runs } from '../../../../../src/store/connection/schema.ts';
import { storeAssignment } from '../../../../../src/store/runs/assignments.ts';
import { findToolRun } from '../../../../../src/store/runs/tool-runs.ts';
import type { ToolPerformers } from '../../../../../src/tools/performers.ts';
import { assignmentOf, keyOf, REPOSITORY, type Tables } from '../../../../support/tables.ts';

const KEY = 'k'.repeat(32);
export const ADDRESS = 'http://platform.test:8080';
export const SEALING = createSealing(KEY);

export interface Answer {
  readonly status: number;
  /** The JSON-RPC message, or the error of HTTP. */
  readonly body: {
    readonly result?: { readonly [field: string]: unknown };
    readonly error?: { readonly code: number; readonly message: string };
    readonly message?: string;
  };
}

export interface SceneOptions {
  readonly policy?: ApprovalPolicy;
  readonly limits?: WriteLimits;
}

export function createScene(
  tables: Tables,
  performers: ToolPerformers,
  { policy = DEFAULT_POLICY, limits }: SceneOptions = {},
) {
  const tokens = createRunTokens(KEY);
  const parked: ParkedCall[] = [];
  const errors: unknown[] = [];
  const gateway = createMcpGateway({
    access: createRunAccess(tables.db, tokens),
    findRun: (assignment) => findToolRun(tables.db, assignment),
    callTool: createToolCalls({
      db: tables.db,
      performers,
      policy: async () => policy,
      sealing: SEALING,
      onParked: async (call) => void parked.push(call),
      onError: (error) => void errors.push(error),
    }),
    addresses: [ADDRESS],
    secrets: ['the key of the model, 0123456789'],
    ...(limits ? { limits } : {}),
    onError: (error) => void errors.push(error),
  });

  /** A run of issue 7 whose agent is at work; returns its token. */
  async function startRun(stage: Stage = 'dev', kind: RunKind = 'work'): Promise<{ runId: string; token: string }> {
    const runId = randomUUID();
    await storeAssignment(tables.db, assignmentOf(runId, { stage, kind }));
    await tables.db.insert(runs).values({
      id: runId,
      issueKey: keyOf(7),
      repositoryId: REPOSITORY.id,
      issueNumber: 7,
      stage,
      kind,
      trigger: 'label:1',
      triggeredBy: 'olivia',
      correlationId: randomUUID(),
      status: 'working',
      branch: 'codex/issue-7',
      pullRequest: 8,
      revision: 1,
      createdAt: new Date(),
    });
    return { runId, token: tokens.issue(runId, 1) };
  }

  async function send(
    token: string | undefined,
    message: unknown,
    {
      headers = {},
      method = 'POST',
      address = ADDRESS,
    }: { headers?: Record<string, string>; method?: string; address?: string } = {},
  ): Promise<Answer> {
    const { pathname, search } = new URL(address);
    const response = await gateway.request(`${new URL(address).origin}${pathname}${search}`, {
      method,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2025-06-18',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(method === 'POST' ? { body: typeof message === 'string' ? message : JSON.stringify(message) } : {}),
    });
    const text = await response.text();
    const data = /^data: (\{.*)$/m.exec(text)?.[1] ?? text;
    return { status: response.status, body: (data === '' ? {} : JSON.parse(data)) as Answer['body'] };
  }

  const request = (token: string | undefined, method: string, params: object = {}): Promise<Answer> =>
    send(token, { jsonrpc: '2.0', id: 1, method, params });

  return {
    gateway,
    parked,
    errors,
    startRun,
    send,
    request,
    /** The names of the tools that are listed. */
    async list(token: string): Promise<string[]> {
      const { body } = await request(token, 'tools/list');
      return (body.result!['tools'] as { name: string }[]).map(({ name }) => name);
    },
    /** What a tool answers, and whether it calls it an error. */
    async call(
      token: string,
      name: string,
      args: object = {},
    ): Promise<{ isError: boolean; [field: string]: unknown }> {
      const { body } = await request(token, 'tools/call', { name, arguments: args });
      const { content, isError = false } = body.result as { content: { text: string }[]; isError?: boolean };
      return { ...(JSON.parse(content[0]?.text ?? '') as object), isError };
    },
    /** The events of tools, oldest first. */
    async events() {
      const rows = await tables.db
        .select()
        .from(flowEvents)
        .where(like(flowEvents.type, 'mcp.%'))
        .orderBy(asc(flowEvents.seq));
      return rows.map(({ type, payload, runId }) => ({ type, payload, runId }));
    },
  };
}
