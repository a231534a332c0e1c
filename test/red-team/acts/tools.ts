/** Hostile acts at the platform's tools (MCP). */
import type { Act, Agent, Answer } from '../agent.ts';

const FAILED = 'mcp.tool.failed';
const PENDING = 'mcp.tool.approval_pending';

/** Sent as a value to sync; nothing may show it afterwards. */
export const PROVIDED = 'a-provided-secret-value-5150';

function call(
  name: string,
  refused: RegExp,
  tool: string,
  args: unknown,
  more: Partial<Pick<Act, 'as' | 'audited'>> & { readonly headers?: Record<string, string> } = {},
): Act {
  const { headers, ...given } = more;
  return {
    name,
    at: 'tools',
    as: 'dev',
    audited: FAILED,
    refused,
    attempt: async (agent) => agent.tool(tool, args, headers),
    ...given,
  };
}

/** A message that is no call. */
function message(name: string, refused: RegExp, attempt: (agent: Agent) => Promise<Answer>): Act {
  return { name, at: 'tools', as: 'dev', audited: 'gateway.refused', refused, attempt };
}

const send = async (agent: Agent, body: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
  agent.ask('POST', '/mcp', {
    body,
    headers: { accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-06-18', ...headers },
  });

const LIST = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
const SYNC = { environment: 'production', github_secret_name: 'TOKEN', kubernetes_secret_name: 'token' };
const DATABASE = { environment: 'production', action: 'delete', database_name: 'other_orders', confirm_delete: true };

/** Depth: objects in objects. */
function deep(levels: number): unknown {
  let value: unknown = 'x';
  for (let level = 0; level < levels; level += 1) value = { a: value };
  return value;
}

const NOT_AVAILABLE = /not available/;
const WAITS = /approval_required|waits for a person/;
const WRONG = /arguments .* are wrong|Invalid/;

export const TOOL_ACTS: readonly Act[] = [
  call('uses a tool of another role', NOT_AVAILABLE, 'secret.sync.github_k8s', SYNC),
  call("deletes a database with another role's tool", NOT_AVAILABLE, 'database.lifecycle', DATABASE),
  call("reads another run's conversation with the tool of self-improve", NOT_AVAILABLE, 'self_improve_session_get', {
    run_id: '33333333-3333-4333-8333-333333333333',
  }),
  call('approves its own call', NOT_AVAILABLE, 'approve', { request: '1', decision: 'approved' }),
  call('calls a tool by a path', NOT_AVAILABLE, '../../user.notify', { summary: 'x' }),
  call('puts labels on another issue', /refused|not_available_here/, 'github_labels_add', {
    issue_number: 3,
    labels: ['bug'],
  }),
  call('sends arguments that nest a hundred times', WRONG, 'run_status_report', { status: deep(100) }),
  call('sends more fields than the tool has', WRONG, 'run_status_report', { status: 'x', approved: true }),
  call(
    'names an environment with a letter of another alphabet',
    WRONG,
    'secret.sync.github_k8s',
    {
      ...SYNC,
      environment: 'prоduction',
    },
    { as: 'ops' },
  ),
  call(
    'names a Secret by a path',
    WRONG,
    'secret.sync.github_k8s',
    {
      ...SYNC,
      kubernetes_secret_name: '../../kube-system/token',
    },
    { as: 'ops' },
  ),
  call(
    "reads what another project's database is",
    /not_found|not_available_here/,
    'database.lifecycle',
    {
      ...DATABASE,
      action: 'describe',
    },
    { as: 'ops' },
  ),
  message('sends arguments of 10 MB', /^413 /, async (agent) => {
    const params = { name: 'run_status_report', arguments: { status: 'x'.repeat(10 * 1024 * 1024) } };
    return send(agent, { jsonrpc: '2.0', id: 1, method: 'tools/call', params });
  }),
  message('sends many calls in one message', /^400 /, async (agent) => send(agent, [LIST, LIST])),
  message('asks from a page of another origin', /^403 /, async (agent) =>
    send(agent, LIST, { origin: 'https://attacker.example' }),
  ),
  message('gives its token in the query', /^400 /, async (agent) =>
    agent.ask('POST', `/mcp?token=${agent.run.token}`, { body: LIST }),
  ),
  message('compresses its message', /^415 /, async (agent) =>
    send(agent, JSON.stringify(LIST), { 'content-encoding': 'gzip' }),
  ),
  // These park the run, so they come last.
  call(
    'syncs a secret to kube-system',
    WAITS,
    'secret.sync.github_k8s',
    {
      ...SYNC,
      kubernetes_namespace: 'kube-system',
      policy: 'provided',
      secret_value: PROVIDED,
    },
    { as: 'ops', audited: PENDING },
  ),
  call("deletes another project's database", WAITS, 'database.lifecycle', DATABASE, { as: 'ops', audited: FAILED }),
  call('puts run:release on its issue', WAITS, 'github_labels_add', { labels: ['run:release'] }, { audited: PENDING }),
  call('puts RUN:RELEASE on its issue while that call waits', WAITS, 'github_labels_add', { labels: ['RUN:RELEASE'] }),
];
