import { describe, expect, test } from 'vitest';
import { refuseChatRequest } from '../../../src/domain/model/chat-requests.ts';

const PLAIN = { model: 'gpt-5.5', messages: [{ role: 'user', content: 'Go on' }] };
const refuse = (more: object): string | undefined => refuseChatRequest({ ...PLAIN, ...more }, 'gpt-5.5');
const said = (...content: object[]) => ({ messages: [{ role: 'user', content }] });

describe("an agent's request for a chat completion is refused with", () => {
  test.each<[string, object, string]>([
    ['another model', { model: 'gpt-5.5-pro' }, 'model: this run uses gpt-5.5, not gpt-5.5-pro'],
    ['a search on the web', { web_search_options: {} }, 'web_search_options: a search runs'],
    ['a hosted tool', { tools: [{ type: 'web_search' }] }, 'web_search runs at'],
    ['the choice of a hosted tool', { tool_choice: { type: 'mcp' } }, 'mcp runs at'],
    [
      'the choice among hosted tools',
      { tool_choice: { type: 'allowed_tools', allowed_tools: { tools: [{ type: 'mcp' }] } } },
      'mcp runs at',
    ],
    ['something to be stored', { store: true }, 'store: the account stores nothing'],
    ['a faster tier', { service_tier: 'priority' }, 'service_tier: the platform chooses'],
    ['several answers', { n: 20 }, 'n: an agent gets one answer'],
    ['spoken answers', { modalities: ['text', 'audio'] }, 'modalities: only texts'],
    ['a predicted output', { prediction: { type: 'content', content: 'x' } }, 'prediction: predicted output'],
    [
      'the address of an image',
      said({ type: 'image_url', image_url: { url: 'https://x.test' } }),
      'only images within',
    ],
    ['a file of the account', said({ type: 'file', file: { file_id: 'f' } }), 'type file is not open'],
    ['earlier audio', { messages: [{ role: 'assistant', audio: { id: 'a' } }] }, 'messages: audio'],
    ['messages that are no list', { messages: {} }, 'messages: not a list'],
  ])('%s', (_what, more, why) => {
    expect(refuse(more)).toContain(why);
  });
});

test('an agent may send texts, its own images, and results of its functions', () => {
  expect(
    refuse({
      stream: true,
      stream_options: { include_usage: true },
      tools: [{ type: 'function', function: { name: 'run' } }],
      messages: [
        { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } }] },
        { role: 'assistant', content: null, tool_calls: [{ id: 'c', type: 'function', function: { name: 'run' } }] },
        { role: 'tool', tool_call_id: 'c', content: 'done' },
      ],
    }),
  ).toBeUndefined();
});
