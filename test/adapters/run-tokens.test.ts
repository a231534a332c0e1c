import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRunTokens } from '../../src/adapters/run-tokens.ts';

const RUN = '0f0f0f0f-0000-4000-8000-000000000002';
const tokens = createRunTokens('a key that only the tests know, of 32+');

describe('a run token', () => {
  test('names its run and attempt', () => {
    expect(tokens.verify(tokens.issue(RUN, 3))).toEqual({ runId: RUN, attempt: 3 });
  });

  test('names its run and attempt, whichever they are', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.integer({ min: 1, max: 9999 }), (runId, attempt) => {
        expect(tokens.verify(tokens.issue(runId, attempt))).toEqual({ runId, attempt });
      }),
    );
  });

  test('is known by its prefix to those who look for secrets', () => {
    expect(tokens.issue(RUN, 1)).toMatch(/^ck8s_run_[\w-]+$/);
  });

  test('is the same each time, so that none has to be stored', () => {
    expect(tokens.issue(RUN, 1)).toBe(tokens.issue(RUN, 1));
  });

  test('of another key opens nothing', () => {
    expect(tokens.verify(createRunTokens('another key, as long as the first one').issue(RUN, 1))).toBeUndefined();
  });

  test('does not open another attempt', () => {
    expect(tokens.verify(tokens.issue(RUN, 1).replace('_1_', '_2_'))).toBeUndefined();
  });

  test('does not open another run', () => {
    expect(tokens.verify(tokens.issue(RUN, 1).replace(RUN, RUN.replace(/2$/, '3')))).toBeUndefined();
  });

  test.each<[string, (token: string) => string]>([
    ['with a line break', (token) => `${token}\n`],
    ['with a space before it', (token) => ` ${token}`],
    ['in capitals', (token) => token.toUpperCase()],
    ['with its attempt written otherwise', (token) => token.replace('_1_', '_01_')],
    ['cut short', (token) => token.slice(0, -1)],
    ['with more at its end', (token) => `${token}0`],
    ['without its seal', (token) => token.slice(0, -64)],
    ['with an empty seal', (token) => token.slice(0, -64).padEnd(token.length, '0')],
    ['of nothing', () => ''],
  ])('%s opens nothing', (_what, change) => {
    expect(tokens.verify(change(tokens.issue(RUN, 1)))).toBeUndefined();
  });

  test('opens nothing with any one character changed', () => {
    const token = tokens.issue(RUN, 12);
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, character) => {
        fc.pre(token[at] !== character);
        expect(tokens.verify(token.slice(0, at) + character + token.slice(at + 1))).toBeUndefined();
      }),
      { numRuns: 1000 },
    );
  });

  test('is nothing that somebody makes up', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(tokens.verify(text)).toBeUndefined();
        expect(tokens.verify(`ck8s_run_${text}`)).toBeUndefined();
      }),
    );
  });
});
