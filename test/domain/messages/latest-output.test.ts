import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { latestOutputMarker, withLatestOutput } from '../../../src/domain/messages/latest-output.ts';

const AT = new Date('2026-11-21T10:05:07.000Z');
const BODY = `# A run\n\n${latestOutputMarker('working', 'en')}\n\nwhat comes after`;

function shown(...texts: string[]): string {
  return withLatestOutput(
    BODY,
    texts.map((text) => ({ at: AT, text })),
  );
}

describe('the last words of an agent', () => {
  test('replace their marker, one line each, with the time', () => {
    expect(shown('I look\naround.', 'Tests pass.')).toBe(
      [
        '# A run\n\n**Latest output of the agent (UTC)**\n\n```text',
        '10:05:07  I look around.',
        '10:05:07  Tests pass.',
        '```\n\nwhat comes after',
      ].join('\n'),
    );
  });

  test('leave nothing where there are none', () => {
    expect(shown()).toBe('# A run\n\nwhat comes after');
  });

  test('are introduced in the language of the comment', () => {
    const body = `x\n\n${latestOutputMarker('failed', 'ru')}`;
    expect(withLatestOutput(body, [{ at: AT, text: 'Done.' }])).toContain('Последние сообщения агента');
  });

  test('do not change a comment without their marker', () => {
    expect(withLatestOutput('as it is', [{ at: AT, text: 'Done.' }])).toBe('as it is');
  });

  test('are cut where they are long, and stay text that GitHub can hold', () => {
    for (const before of [197, 198, 199]) {
      const text = shown(`${'x'.repeat(before)}😀😀${'y'.repeat(9000)}`);
      expect(text.length).toBeLessThan(400);
      expect(text.isWellFormed()).toBe(true);
    }
  });

  test('do not replace a marker in the text of somebody else', () => {
    const text = withLatestOutput(`x\n\n${latestOutputMarker('working', 'en')}\n\n${BODY}`, [
      { at: AT, text: 'Done.' },
    ]);
    expect(text.indexOf('Done.')).toBeGreaterThan(text.indexOf('# A run'));
  });

  test('are literal, whatever they hold: nothing ends the block, and nobody is mentioned', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom(
        '`',
        '```',
        '````',
        '\n',
        '\r',
        '\u2028',
        '~~~',
        '   ',
        '<!--',
        '-->',
        '@olivia',
        '</details>',
        '|',
      ),
    );
    fc.assert(
      fc.property(fc.array(fc.array(piece, { maxLength: 12 }), { minLength: 1, maxLength: 3 }), (said) => {
        const text = shown(...said.map((pieces) => pieces.join('')));
        const [, fence = '', inside, after] = /\n(`{3,})text\n([\s\S]*?)\n\1\n([\s\S]*)$/.exec(text) ?? [];
        expect(inside?.split(/\r\n|\r|\n/)).toHaveLength(said.length);
        for (const line of inside?.split('\n') ?? []) {
          expect(line).toMatch(/^\d\d:\d\d:\d\d /);
          expect(line).not.toContain(fence);
        }
        expect(after).toBe('\nwhat comes after');
      }),
    );
  });
});
