/**
 * The platform's MCP server (docs/mcp.md), streamable HTTP at one address: an agent authenticates with its run token, in the header
 * and nowhere else. Each request gets a server of its own; there are no sessions.
 */
import { createMcpHandler } from '@modelcontextprotocol/server';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { ToolRun } from '../../../src/domain/tools/tool-run.ts';
import type { AssignmentRow } from '../../../src/store/runs/assignments.ts';
import { bodyTooLarge, failure } from '../../http/errors.ts';
import { bearer, type RunAccess } from '../run-access.ts';
import { createRunWrites, type WriteLimits } from '../write-limits.ts';
import { createServerFactory, type McpServerPorts } from './mcp-server.ts';

export interface McpGatewayOptions extends McpServerPorts {
  readonly access: RunAccess;
  readonly findRun: (assignment: AssignmentRow) => Promise<ToolRun | undefined>;
  /** Addresses by which agents reach this server: a request for another host is not for us. */
  readonly addresses: readonly string[];
  readonly limits?: WriteLimits;
  readonly onError: (error: unknown) => void;
}

const BODY_LIMIT = 1024 * 1024;

/** Far above what an agent asks for: each call of a tool is in the audit trail for ever. */
const CALLS: WriteLimits = {
  waiting: 8,
  requests: { burst: 120, perSecond: 2 },
  bytes: { burst: 16 * BODY_LIMIT, perSecond: 64 * 1024 },
};

/** Streams that wait for changes; the catalogue of a run does not change. */
const SUBSCRIPTIONS = 8;

export function createMcpGateway(options: McpGatewayOptions): Hono {
  const { access, findRun, addresses, limits = CALLS, onError } = options;
  const hosts = new Set(addresses.map((address) => new URL(address).hostname));
  const origins = new Set(addresses.map((address) => new URL(address).origin));
  const calls = createRunWrites(limits);
  const mcp = createMcpHandler(createServerFactory(options), {
    onerror: onError,
    maxRequestBodySize: BODY_LIMIT,
    maxSubscriptions: SUBSCRIPTIONS,
  });
  const app = new Hono();

  app.use(async (c, next) => {
    const { hostname, search } = new URL(c.req.url);
    const origin = c.req.header('origin');
    // A page in somebody's browser must not reach this, by whatever name.
    if (!hosts.has(hostname)) return failure(c, 403, 'forbidden', 'this host is not served here', 'host');
    if (origin !== undefined && !origins.has(origin))
      return failure(c, 403, 'forbidden', 'no other origin may ask this server', 'origin');
    if (search !== '') return failure(c, 400, 'invalid_argument', 'this address has no query');
    return next();
  });

  app.all('/', bodyLimit({ maxSize: BODY_LIMIT, onError: bodyTooLarge }), async (c) => {
    const token = bearer(c.req.header('authorization'));
    const assignment = await access.open(token);
    if (!assignment || token === undefined) {
      c.header('www-authenticate', 'Bearer');
      return failure(c, 401, 'unauthorized', 'the run token is not valid, or its run is over');
    }
    if (c.req.method !== 'POST') {
      c.header('allow', 'POST');
      return failure(c, 405, 'invalid_argument', 'there are no sessions here: send each message with POST');
    }
    if ((c.req.header('content-encoding') ?? 'identity') !== 'identity')
      return failure(c, 415, 'invalid_argument', 'a message must not be compressed', 'content-encoding');
    const run = await findRun(assignment);
    if (!run) return failure(c, 503, 'unavailable', 'the run is not recorded yet; try again in a moment');
    const answer = await calls.write(run.runId, async (spend) => {
      const text = await c.req.text();
      spend(text.length);
      // Earlier revisions had batches; each message here is one that is counted.
      if (text.trimStart().startsWith('[')) return failure(c, 400, 'invalid_argument', 'send one message at a time');
      const authInfo = { token, clientId: run.runId, scopes: [], extra: { run, token } };
      return mcp.fetch(messageIn(c.req.raw, text), { authInfo });
    });
    if (answer instanceof Response) return answer;
    c.header('retry-after', String(answer.retryAfter));
    return failure(c, 429, 'resource_exhausted', 'this run calls tools too fast');
  });
  return app;
}

/** The request as the handler wants it: its body was read to be counted. */
function messageIn(request: Request, body: string): Request {
  return new Request(request.url, { method: 'POST', headers: request.headers, body, signal: request.signal });
}
