import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inert } from '../../../src/domain/messages/inert.ts';
import { codeLine, embedded, lineBy, quoted, replaceTexts } from '../../../src/domain/messages/markdown.ts';

describe('texts by others inside a text of the platform', () => {
  test('are found again, with their kinds', () => {
    const text = `one ${embedded('a\nb')} two ${lineBy('c', 9)} three`;
    expect(replaceTexts(text, (kind, theirs) => `[${kind}: ${theirs}]`)).toBe(
      'one [markdown: a\nb] two [line: c] three',
    );
  });

  test('cannot end by themselves, whatever they are', () => {
    const theirs = fc.string({ unit: 'binary', minLength: 1 }).map((text) => `${text}${embedded(text)}`);
    fc.assert(
      fc.property(fc.array(theirs), (texts) => {
        const seen: string[] = [];
        const around = replaceTexts(texts.map((text) => `<${embedded(text)}>`).join(''), (_kind, text) => {
          seen.push(text);
          return '';
        });
        expect({ seen, around }).toEqual({ seen: texts, around: '<>'.repeat(texts.length) });
      }),
    );
  });

  test('are left out where they are empty', () => {
    expect(embedded('')).toBe('');
  });
});

describe('a quotation', () => {
  test('has a fence that its text cannot end', () => {
    expect(quoted('```\n@olivia')).toBe('````text\n```\n@olivia\n````');
  });

  test('closes nothing when it becomes a commit message', () => {
    expect(quoted('fixes #1')).toContain('fixes\u200B #1');
  });
});

test('a command stays in one line of code', () => {
  expect(codeLine('echo `x`\nrm', 100)).toBe("`echo 'x' rm`");
});

test.each(['Co-authored-by: A <a@example.com>', 'prefixes #12', 'see #12', 'C is fixed'])(
  'is inert already: %s',
  (text) => {
    expect(inert(text)).toBe(text);
  },
);
