/** What an agent writes is neutralised wherever it goes to GitHub (issue texts, threads, titles): on the tree of its Markdown. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { outgoing, outgoingTitle } from '../../../src/adapters/github/outgoing.ts';
import { embedded, lineBy, plainBy } from '../../../src/domain/messages/markdown.ts';

const written = (markdown: string): string => outgoing(embedded(markdown));
/** As GitHub's own rule: an `@` that no letter is before, and a name after it. */
const MENTION = /(?<!\w)@\w/;
const CLOSING = /(close[sd]?|fix(e[sd])?|resolve[sd]?)\s*:?\s*(\[|\*\*|<|`)*([\w.-]*\/?[\w.-]*#\d|GH-\d|https?:)/i;

describe("an agent's Markdown", () => {
  test.each([
    'It works.',
    '```js\nx @y\n```',
    '- one\n- two',
    'see #12 and `@types/node`',
    '| a | b |\n| - | - |\n| 1 | 2 |',
  ])('is left as it is: %j', (text) => {
    expect(written(text)).toBe(text);
  });

  test.each([
    'ask @acme/olivia',
    '_@olivia_',
    '**@olivia**',
    '`@olivia',
    '&#64;olivia',
    '&commat;olivia',
    '\\@olivia',
    '<b>@olivia</b>',
    '@<!-- -->olivia',
    '[@olivia](https://example.com)',
    '![@olivia](https://example.com/x.png)',
    '> - @olivia',
    '| a |\n|---|\n| @olivia |',
    'x[^1]\n\n[^1]: @olivia',
    '[@olivia][1]\n\n[1]: https://example.com',
    '@olivia@olivia',
  ])('mentions nobody: %j', (text) => {
    expect(written(text).replaceAll(/https?:\S+/g, '')).not.toMatch(MENTION);
    expect(written(text)).toContain('olivia');
  });

  test.each([
    'Closes #1',
    'fixes: acme/app#2',
    'Fixed GH-12',
    'resolved https://github.com/acme/app/issues/3',
    'Closes <https://github.com/acme/app/issues/3>',
    '**Closes** #1',
    'Closes **#1**',
    'closes [#1](https://github.com/acme/app/issues/1)',
    'closes &#35;1',
    'closes\n#1',
    '`closes #1`',
    '```\ncloses #1\n```',
    '<p>closes #1</p>',
  ])('closes no issue: %j', (text) => {
    expect(written(text)).not.toMatch(CLOSING);
    expect(written(text)).toMatch(/\u200B/);
  });

  test.each(['GH-12', 'acme/other#3', 'acme#3'])('leaves no trace elsewhere: %s', (text) => {
    expect(written(text)).not.toContain(text);
  });

  test.each([
    ['![a picture](https://evil.example/?secret)', '[a picture](https://evil.example/?secret)'],
    ['![][1]\n\n[1]: https://evil.example/?secret', '[image](https://evil.example/?secret)'],
  ])('loads nothing: %j', (text, link) => {
    expect(written(text)).toBe(link);
  });

  test('has no HTML, so no picture, no comment and nothing hidden', () => {
    const text = written('<img src="https://evil.example">\n\nand <!-- codex-k8s:run-status x --> <picture>');
    expect(text).toContain('\\<img');
    expect(text).not.toMatch(/(?<!\\)<[a-z!]/i);
  });

  test('defines no references for the text after it', () => {
    expect(written('[Details]: https://evil.example\n\nsee [Details]')).toBe('see [Details](https://evil.example)');
  });

  test('ends where it ends: an open block of code is closed', () => {
    expect(written('````\n```\nstill code')).toBe('````\n```\nstill code\n````');
    expect(written('> ```\n> x')).toBe('> ```\n> x\n> ```');
  });

  test('has no marks of direction, tags or other characters that nobody sees', () => {
    expect(written('a\u202Eb\u{E0041}c\u2066d\u00ADe')).toBe('abcde');
  });

  test('leaves an address of mail an address', () => {
    expect(written('write to a@example.com')).toBe('write to <a@example.com>');
  });

  test('leaves an address with an at sign whole', () => {
    expect(written('see https://example.com/@olivia')).toContain('https://example.com/@olivia');
  });

  test('stands in code when it cannot be parsed', () => {
    expect(written('> '.repeat(9000))).toMatch(/^```text\n/);
  });

  test('is cut to what GitHub takes', () => {
    for (const text of ['*'.repeat(70_000), '[a]'.repeat(20_000), 'x'.repeat(70_000)])
      expect(written(text).length).toBeLessThan(31_000);
  });

  test('passes a second time unchanged', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        const once = outgoing(`before\n\n${embedded(text)}\n\nafter`);
        expect(outgoing(once)).toBe(once);
      }),
    );
  });

  test('calls nobody, whatever it is made of', () => {
    const piece = fc.constantFrom(
      '@olivia',
      '_',
      '*',
      '`',
      '[',
      ']',
      '(',
      ')',
      '<',
      '>',
      '!',
      ' ',
      '\n',
      '\n\n',
      '&#64;',
      '\\',
      '|',
      '#',
      'x',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const shown = written(pieces.join(''));
        const outside = shown
          .replaceAll(/^( *(?:> ?|- )*)(`{3,})[^]*?^ *(?:> ?)*\2/gm, '')
          .replaceAll(/(?<!\\)(`+)(?!`)[^]*?(?<!`)\1(?!`)/g, '')
          .replaceAll(/\]\([^)]*\)/g, '');
        expect(outside).not.toMatch(/(?<!\w)@olivia/);
      }),
    );
  });
});

describe('one line by others', () => {
  test.each([
    ['Use `postgres`', 'Use `postgres`'],
    ['```x', '\\`\\`\\`x'],
    ['<b>', '\\<b>'],
  ])('stays one line: %j', (text, line) => {
    expect(outgoing(lineBy(text, 200))).toBe(line);
  });

  test('is no markup where it is a name', () => {
    expect(outgoing(plainBy('**@olivia** | <b>', 100))).toBe('\\*\\*@\u200Bolivia\\*\\* \\| \\<b\\>');
  });
});

describe('a title', () => {
  test.each(['Fixes #12', 'closes acme/app#3', 'resolve GH-4'])('closes nothing as a commit message: %s', (title) => {
    expect(outgoingTitle(title)).not.toMatch(CLOSING);
  });

  test('mentions nobody', () => {
    expect(outgoingTitle('for @olivia')).toBe('for @\u200Bolivia');
  });
});

test('a text of the platform keeps its own mentions and keywords', () => {
  const own = '@olivia: see `run:dev`\n\nCloses #7';
  expect(outgoing(own)).toBe(own);
});
