/** What Claude Code 2.1 sends passes the model gateway; bodies and headers as recorded, with texts cut. */
import { describe, expect, test } from 'vitest';
import { createModelGateway } from '../../../ingress/gateways/model/model-gateway.ts';
import type { RunAccess } from '../../../ingress/gateways/run-access.ts';
import type { UpstreamRequest } from '../../../ingress/gateways/upstream.ts';

const TOOLS = [
  { name: 'Bash', description: 'Executes a command', input_schema: { type: 'object' } },
  { name: 'DeferredToolPlaceholder', description: '', input_schema: { type: 'object' }, defer_loading: true },
];
const COMMON = {
  metadata: { user_id: '{"device_id":"6ee2","account_uuid":"","session_id":"88fa"}' },
  context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
  stream: true,
};
const THINKING = {
  ...COMMON,
  model: 'claude-sonnet-4-5',
  max_tokens: 32_000,
  thinking: { budget_tokens: 31_999, type: 'enabled', display: 'updates' },
  system: [{ type: 'text', text: 'You are a Claude agent', cache_control: { type: 'ephemeral' } }],
  tools: TOOLS,
  messages: [
    { role: 'user', content: [{ type: 'text', text: 'Do it', cache_control: { type: 'ephemeral' } }] },
    { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'Bash', input: { command: 'echo hi' } }] },
    { role: 'user', content: [{ tool_use_id: 'toolu_1', type: 'tool_result', content: 'hi', is_error: false }] },
  ],
};
const ADAPTIVE = {
  ...COMMON,
  model: 'claude-sonnet-4-5',
  max_tokens: 64_000,
  thinking: { type: 'adaptive', display: 'omitted' },
  output_config: { effort: 'high' },
  tools: TOOLS,
  messages: [
    { role: 'user', content: 'Do it' },
    { role: 'system', content: [{ type: 'text', text: '# Environment', cache_control: { type: 'ephemeral' } }] },
  ],
};
const HEADERS = {
  'content-type': 'application/json',
  'anthropic-version': '2023-06-01',
  'anthropic-beta': 'claude-code-20250219,effort-2025-11-24',
  'x-app': 'cli',
  'x-claude-code-session-id': '88fa91a5',
};

describe('a request of Claude Code', () => {
  let sent: (UpstreamRequest & { url: string }) | undefined;
  const gateway = createModelGateway({
    access: {
      open: async (token) => (token === 'the-token' ? { model: 'claude-sonnet-4-5' } : undefined),
    } as RunAccess,
    openai: { url: 'https://openai.test/v1', key: 'sk' },
    anthropic: { url: 'https://anthropic.test/v1', key: 'sk-ant' },
    send: async (url, request) => {
      sent = { ...request, url };
      return Response.json(
        { type: 'message' },
        { headers: { 'anthropic-organization-id': 'acme', 'request-id': 'r1' } },
      );
    },
  });
  const post = async (path: string, body: object, headers: Record<string, string>): Promise<Response> =>
    gateway.request(path, { method: 'POST', headers: { ...HEADERS, ...headers }, body: JSON.stringify(body) });

  test.each<[string, object, Record<string, string>]>([
    ['with thinking, and the token as a bearer', THINKING, { authorization: 'Bearer the-token' }],
    ['with adaptive thinking, and the token as an API key', ADAPTIVE, { 'x-api-key': 'the-token' }],
  ])('passes %s', async (_what, body, headers) => {
    const answer = await post('/v1/messages?beta=true', body, headers);
    expect([answer.status, sent?.url, JSON.parse(sent?.body as string)]).toEqual([
      200,
      'https://anthropic.test/v1/messages?beta=true',
      body,
    ]);
  });

  test('reaches Anthropic with its own headers, the key of the platform, and no run token', async () => {
    await post('/v1/messages', ADAPTIVE, { 'x-api-key': 'the-token' });
    expect(Object.fromEntries(sent?.headers ?? [])).toEqual({ ...HEADERS, 'x-api-key': 'sk-ant' });
  });

  test('is answered without the name of the account', async () => {
    const { headers } = await post('/v1/messages', ADAPTIVE, { 'x-api-key': 'the-token' });
    expect([headers.get('request-id'), headers.get('anthropic-organization-id')]).toEqual(['r1', null]);
  });

  test('for a count of tokens passes', async () => {
    const { model, messages, tools } = ADAPTIVE;
    expect(
      (await post('/v1/messages/count_tokens', { model, messages, tools }, { 'x-api-key': 'the-token' })).status,
    ).toBe(200);
  });

  test('that is refused is told so in the shape that its client shows', async () => {
    const answer = await post('/v1/messages', { ...ADAPTIVE, model: 'other' }, { 'x-api-key': 'the-token' });
    expect(await answer.json()).toMatchObject({
      type: 'error',
      error: { type: 'invalid_request_error', message: 'model: this run uses claude-sonnet-4-5, not other' },
    });
  });

  test('without a token opens nothing, whatever its query says', async () => {
    expect((await post('/v1/messages?x-api-key=the-token&token=the-token', ADAPTIVE, {})).status).toBe(401);
  });
});

test('a run gets no Anthropic where the installation has no key for it', async () => {
  const gateway = createModelGateway({
    access: { open: async () => ({ model: 'm' }) } as unknown as RunAccess,
    openai: { url: 'https://openai.test/v1', key: 'sk' },
  });
  const answer = await gateway.request('/v1/messages', { method: 'POST', headers: { 'x-api-key': 't' }, body: '{}' });
  expect([answer.status, await answer.json()]).toEqual([
    404,
    expect.objectContaining({ message: expect.stringContaining('CODEXK8S_ANTHROPIC_KEY_FILE') as string }),
  ]);
});
