/** The MCP server of one request: the tools of its run, and no others. */
import { Server, type McpServerFactory } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { createRedactor } from '../../../src/domain/agent/redaction.ts';
import { MCP_SERVER_NAME, toolsFor, type ToolName } from '../../../src/domain/tools/catalogue.ts';
import type { ToolRun } from '../../../src/domain/tools/tool-run.ts';
import { annotationsOf, TOOL_DESCRIPTIONS } from '../../../src/tools/descriptions.ts';
import { notDone } from '../../../src/tools/performers.ts';
import { TOOL_SCHEMAS } from '../../../src/tools/schemas.ts';
import { createRunWrites } from '../write-limits.ts';
import type { CallTool } from './tool-calls.ts';

/** Of the catalogue. */
const VERSION = '1.0.0';

const INSTRUCTIONS =
  'Tools of the platform that runs you: labels, reading the issue and its pull request, status reports, notices and questions to people. There is no GitHub token here; these tools are the way to GitHub.';

const TOO_FAST = {
  text: JSON.stringify(notDone('rate_limited', 'this run calls tools too fast; wait for the answers first')),
  isError: true,
};

export interface McpServerPorts {
  readonly callTool: CallTool;
  /** Secrets of the platform. */
  readonly secrets: readonly string[];
}

/** What the request's authentication has found, handed on by {@link McpServerFactory}'s `authInfo`. */
export interface McpPrincipal {
  readonly run: ToolRun;
  readonly token: string;
}

export function createServerFactory({ callTool, secrets }: McpServerPorts): McpServerFactory {
  const turns = createRunWrites();
  return ({ authInfo }) => {
    if (!authInfo) throw new Error('a request was not authenticated');
    const { run, token } = authInfo.extra as unknown as McpPrincipal;
    const redact = createRedactor([token, ...secrets]);
    const server = new Server(
      { name: MCP_SERVER_NAME, title: 'codex-k8s', version: VERSION },
      { capabilities: { tools: {} }, instructions: INSTRUCTIONS },
    );
    server.setRequestHandler('tools/list', () => ({ tools: toolsFor(run).map(listed) }));
    server.setRequestHandler('tools/call', async ({ params }, ctx) => {
      const { name, arguments: args } = params;
      const { signal } = ctx.mcpReq;
      // One call of a run after the other: a second one that is the same is given the result of the first.
      const answer = await turns.write(run.runId, () => callTool({ run, tool: name, args, redact, signal }));
      const { text, isError } = 'retryAfter' in answer ? TOO_FAST : answer;
      return { content: [{ type: 'text', text }], ...(isError ? { isError } : {}) };
    });
    return server;
  };
}

function listed(tool: ToolName) {
  const { title, description } = TOOL_DESCRIPTIONS[tool];
  const { $schema: _, ...schema } = z.toJSONSchema(TOOL_SCHEMAS[tool], { io: 'input' });
  return {
    name: tool,
    title,
    description,
    inputSchema: schema as { type: 'object'; [field: string]: unknown },
    annotations: annotationsOf(tool),
  };
}
