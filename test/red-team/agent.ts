/** A bare client that holds a run token and goes straight at one server's gateways. */
import type { Clone, HostileRun, Rig, RunName } from './rig.ts';

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export interface Agent {
  readonly rig: Rig;
  readonly run: HostileRun;
  /** Asks the server, with the run token unless other headers are given. */
  ask(method: string, path: string, options?: Asked): Promise<Answer>;
  /** Calls a tool; what MCP answers, as text. */
  tool(name: string, args: unknown, headers?: Record<string, string>): Promise<Answer>;
  clone(): Promise<Clone>;
}

interface Asked {
  /** A text or bytes are sent as they are, anything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One hostile act. It is done at both servers at once. */
export interface Act {
  /** After "The agent". */
  readonly name: string;
  readonly at: 'git' | 'model' | 'agent API' | 'tools' | 'people';
  readonly as: RunName;
  /** What the platform said to it. */
  attempt(agent: Agent): Promise<Answer>;
  /** Its status and words, when the act was refused. */
  readonly refused: RegExp;
  /** The type of an event that the run leaves; null where nothing knows the run. */
  readonly audited: string | null;
}

export function agentAt(rig: Rig, server: string, name: RunName): Agent {
  const run = rig.runs[name];
  const ask: Agent['ask'] = async (method, path, { body, headers = {} } = {}) => {
    const isJson = typeof body !== 'string' && !(body instanceof Uint8Array) && !(body instanceof ReadableStream);
    const init: RequestInit = {
      method,
      headers: { authorization: `Bearer ${run.token}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : body, duplex: 'half' }),
    };
    const response = await fetch(`${server}${path}`, init);
    return { status: response.status, text: await response.text() };
  };
  return {
    rig,
    run,
    ask,
    tool: async (tool, args, headers = {}) =>
      ask('POST', '/mcp', {
        body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: args } },
        headers: { accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-06-18', ...headers },
      }),
    clone: async () => rig.clone(server, run),
  };
}
