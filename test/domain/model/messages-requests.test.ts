import { describe, expect, test } from 'vitest';
import { refuseMessagesRequest } from '../../../src/domain/model/messages-requests.ts';

const PLAIN = { model: 'claude-opus-4-8', max_tokens: 100, messages: [{ role: 'user', content: 'Go on' }] };
const refuse = (more: object): string | undefined => refuseMessagesRequest({ ...PLAIN, ...more }, 'claude-opus-4-8');
const said = (...content: object[]) => ({ messages: [{ role: 'user', content }] });

describe("an agent's request to Anthropic is refused with", () => {
  test.each<[string, object, string]>([
    ['another model', { model: 'claude-opus-9' }, 'model: this run uses claude-opus-4-8, not claude-opus-9'],
    ['a search on the web', { tools: [{ type: 'web_search_20250305', name: 'w' }] }, 'web_search_20250305 runs at'],
    ['a fetch from the web', { tools: [{ type: 'web_fetch_20250910', name: 'w' }] }, 'web_fetch_20250910 runs at'],
    ['code at the provider', { tools: [{ type: 'code_execution_20250825', name: 'c' }] }, 'code_execution_20250825'],
    ['a second model as adviser', { tools: [{ type: 'advisor_20260301' }] }, 'advisor_20260301 runs at'],
    ['tools of an MCP server', { tools: [{ type: 'mcp_toolset', mcp_server_name: 'x' }] }, 'mcp_toolset runs at'],
    ['a tool of a list', { tools: 'web_search' }, 'tools: not a list'],
    ['MCP servers', { mcp_servers: [{ type: 'url', url: 'https://x.test' }] }, 'mcp_servers: servers that'],
    ['a container', { container: 'c1' }, 'container: code that runs'],
    ['a faster tier', { service_tier: 'auto' }, 'service_tier: the platform chooses'],
    ['a faster mode', { speed: 'fast' }, 'speed: the platform chooses'],
    ['a field that nobody knows', { inference_geo: 'us' }, 'inference_geo: this field is not open'],
    ['the address of an image', said({ type: 'image', source: { type: 'url', url: 'https://x.test' } }), 'not url'],
    ['a file of the account', said({ type: 'document', source: { type: 'file', file_id: 'f' } }), 'not file'],
    ['a document without a source', said({ type: 'document' }), 'not nothing'],
    [
      'an address within a document',
      said({
        type: 'document',
        source: { type: 'content', content: [{ type: 'image', source: { type: 'url', url: 'https://x.test' } }] },
      }),
      'not url',
    ],
    [
      'an address in what a tool returned',
      said({ type: 'tool_result', tool_use_id: 't', content: [{ type: 'image', source: { type: 'url', url: 'x' } }] }),
      'not url',
    ],
    ['an upload to a container', said({ type: 'container_upload', file_id: 'f' }), 'container_upload is not open'],
    [
      'a hosted tool that comes later',
      said({ type: 'tool_addition', tool: { type: 'web_search_20250305' } }),
      'runs at',
    ],
    [
      'a shortening by the model',
      { context_management: { edits: [{ type: 'compact_20260112' }] } },
      'compact_20260112',
    ],
    ['messages that are no list', { messages: 'x' }, 'messages: not a list'],
  ])('%s', (_what, more, why) => {
    expect(refuse(more)).toContain(why);
  });
});

test('an agent may send Anthropic texts, its own images, its tools and their results', () => {
  expect(
    refuse({
      system: [{ type: 'text', text: 'You are…', cache_control: { type: 'ephemeral' } }],
      tools: [
        { name: 'Bash', input_schema: {} },
        { type: 'custom', name: 'x' },
        { type: 'bash_20250124', name: 'bash' },
      ],
      tool_choice: { type: 'auto' },
      messages: [
        { role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA' } }] },
        { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'Bash', input: { url: 'https://x.test' } }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: 'hi' }] },
      ],
    }),
  ).toBeUndefined();
});
