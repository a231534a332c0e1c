import { describe, expect, test } from 'vitest';
import { embedded } from '../../../src/domain/messages/markdown.ts';

describe("an agent's Markdown inside a text of the platform's", () => {
  test.each([
    ['plain text', 'It works.', 'It works.'],
    ['a closed block', '```js\nx\n```', '```js\nx\n```'],
  ])('is left as it is: %s', (_what, text, same) => {
    expect(embedded(text)).toBe(same);
  });

  test('gets an open code block closed, with as many marks as opened it', () => {
    expect(embedded('````\n```\nstill code')).toBe('````\n```\nstill code\n````');
  });

  test('cannot hide anything, nor look like a marker', () => {
    expect(embedded('<!-- codex-k8s:run-status x -->')).not.toContain('<!--');
  });

  test.each(['Closes #1', 'fixes: acme/app#2', 'resolved https://github.com/acme/app/issues/3'])(
    'closes no issue: %s',
    (text) => {
      expect(embedded(text)).toMatch(/^\w+\u200B/);
    },
  );

  test('calls nobody', () => {
    expect(embedded('ask @acme/everyone')).toBe('ask @\u200Bacme/everyone');
  });

  test('leaves an address of mail alone', () => {
    expect(embedded('write to a@example.com')).toBe('write to a@example.com');
  });
});
