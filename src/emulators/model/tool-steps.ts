/**
 * Calls of the platform's tools by the scripted agent: an issue's text names them in lines of their own, as
 * `[tool: run_status_report {"status":"Reading"}]`, and the agent makes them before anything else.
 */
import type { Server, ServerResponse } from 'node:http';
import { MCP_SERVER_NAME, TOOLS } from '../../domain/tools/catalogue.ts';
import type { Step } from './script.ts';
import type { Turn } from './turn.ts';

/** Agents' programs prefix a tool's name with its server's, or put it into a namespace of that name. */
const NAMESPACE = `mcp__${MCP_SERVER_NAME}`;

const CALL = /^(?:> ?)?\[tool: ([\w.]+)(?: (\{.*\}))?\]\s*$/gm;

/** The calls that the task's text names, without those that people have decided on: their results are in the conversation. */
export function toolSteps({ prompt, decided }: Pick<Turn, 'prompt' | 'decided'>): Step[] {
  return [...prompt.matchAll(CALL)]
    .filter(([, tool = '']) => !decided.includes(tool))
    .map(([, tool = '', args = '{}']) => ({
      say: `I call ${tool}.`,
      command: tool,
      args: JSON.parse(args) as object,
    }));
}

/** The tools whose results a message of the platform hands on. */
export function decidedTools(prompt: string): string[] {
  return [...prompt.matchAll(/"tool":"([\w.]+)"/g)].map(([, tool = '']) => tool);
}

/** The name by which a program knows a tool. */
export function calledTool(tool: string): string {
  return `${NAMESPACE}__${plain(tool)}`;
}

/** The tool of a call, by the program's name for it; undefined for other calls. */
export function toolOf(name: string): string | undefined {
  const own = name.replace(`${NAMESPACE}__`, '');
  return TOOLS.find(({ tool }) => plain(tool) === plain(own))?.tool;
}

function plain(tool: string): string {
  return tool.replaceAll(/[^\w-]/g, '_');
}

/** Codex knows a tool by its name within a namespace, which the emulator's library does not write. */
export function nameSpaces(server: Server): void {
  const named = new RegExp(`"name":"${NAMESPACE}__([\\w-]+)"`, 'g');
  server.prependListener('request', ({ url = '' }, response: ServerResponse) => {
    if (!url.startsWith('/v1/responses')) return;
    for (const method of ['write', 'end'] as const) {
      const write = response[method].bind(response) as (chunk: unknown, ...rest: unknown[]) => never;
      const rewrite = (chunk: unknown, ...rest: unknown[]): never =>
        write(
          typeof chunk === 'string' ? chunk.replaceAll(named, `"name":"$1","namespace":"${NAMESPACE}"`) : chunk,
          ...rest,
        );
      Object.assign(response, { [method]: rewrite });
    }
  });
}
