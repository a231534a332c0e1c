import { describe, expect, test } from 'vitest';
import { bounded, mostPromptTokens } from '../../../src/domain/money/bounds.ts';

describe('the gateway bounds an answer', () => {
  test.each<[string, Parameters<typeof bounded>, object, number]>([
    ['that Codex sends without a bound', [{ model: 'm' }, 'responses', 500], { max_output_tokens: 500 }, 500],
    ['that asks for more', [{ max_output_tokens: 900 }, 'responses', 500], { max_output_tokens: 500 }, 500],
    ['and leaves one that asks for less', [{ max_output_tokens: 90 }, 'responses', 500], { max_output_tokens: 90 }, 90],
    ['with a bound that is no number', [{ max_output_tokens: 'x' }, 'responses', 500], { max_output_tokens: 500 }, 500],
    ['of a chat', [{}, 'chat', 500], { max_completion_tokens: 500 }, 500],
    ['of a chat that bounds it the old way', [{ max_tokens: 900 }, 'chat', 500], { max_tokens: 500 }, 500],
    ['of Anthropic', [{ max_tokens: 64_000 }, 'messages', 500], { max_tokens: 500 }, 500],
  ])('%s', (_what, given, body, output) => {
    expect(bounded(...given)).toMatchObject({ body: { ...given[0], ...body }, output });
  });

  test('and has it at the usual tier of OpenAI, which was reserved', () => {
    expect(bounded({}, 'responses', 5).body).toMatchObject({ service_tier: 'default' });
    expect(bounded({}, 'messages', 5).body).not.toHaveProperty('service_tier');
  });

  test('with room for an answer after the thinking', () => {
    const thinking = { type: 'enabled', budget_tokens: 31_999 };
    expect(bounded({ max_tokens: 32_000, thinking }, 'messages', 10_000).body).toMatchObject({
      max_tokens: 10_000,
      thinking: { type: 'enabled', budget_tokens: 8976 },
    });
  });

  test('and asks a chat that streams for its usage', () => {
    expect(bounded({ stream: true, stream_options: { include_usage: false } }, 'chat', 5).body).toMatchObject({
      stream_options: { include_usage: true },
    });
  });
});

describe('the most tokens of a prompt', () => {
  test('are its bytes', () => {
    expect(mostPromptTokens({ input: 'ü' })).toBe(Buffer.byteLength('{"input":"ü"}'));
  });

  test('do not grow with the data of an image', () => {
    const image = (size: number) => ({ input: [{ image_url: `data:image/png;base64,${'A'.repeat(size)}` }] });
    expect(mostPromptTokens(image(500_000))).toBe(mostPromptTokens(image(50)));
  });

  test('grow with text that only says it is an image', () => {
    const text = { input: [{ image_url: { url: `data:text/plain,${'A'.repeat(90_000)}` } }] };
    expect(mostPromptTokens(text)).toBeGreaterThan(90_000);
  });
});
