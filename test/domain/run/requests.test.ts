import { describe, expect, it } from 'vitest';
import { openRequest, readAnswerText, requestId } from '../../../src/domain/run/requests.ts';
import { waitUntil } from '../../../src/domain/run/waits.ts';

const CHOICE = { options: ['Use tabs', 'Use  spaces', '4'], freeText: false };
const OPEN = { options: [], freeText: true };

describe('an answer to a request', () => {
  it.each(['2', ' 2 ', '2.', '2)', '#2', 'use spaces', 'USE   SPACES\n', '> 1. Use tabs\n> 2. Use spaces\n\n2'])(
    'takes %j as the second option',
    (text) => {
      expect(readAnswerText(CHOICE, text)).toEqual({ option: 1, text: 'Use  spaces' });
    },
  );

  it('takes a number that is no place for the text of an option', () => {
    expect(readAnswerText(CHOICE, '4')).toEqual({ option: 2, text: '4' });
  });

  it.each(['', '0', '9', 'use', 'both', '1 2', '> Use tabs'])(
    'refuses %j where there are options, and names them',
    (text) => {
      expect(readAnswerText(CHOICE, text)).toEqual({
        problem: 'The answer must be one of these, or its number: 1. Use tabs; 2. Use  spaces; 3. 4',
      });
    },
  );

  it('takes any text where there are none', () => {
    expect(readAnswerText(OPEN, '> how many?\n\n 2 \n')).toEqual({ option: null, text: '2' });
  });

  it.each([
    [' \n ', 'The answer is empty'],
    ['> only a quote', 'The answer is empty'],
    ['x'.repeat(10_001), 'The answer is longer than 10,000 characters'],
  ])('refuses a free text that says nothing or too much', (text, problem) => {
    expect(readAnswerText(OPEN, text)).toEqual({ problem });
  });
});

describe('a request', () => {
  it('is named after its run, and takes free text where its question has no options', () => {
    const at = { runId: 'r', n: 2, askedAt: '2026-01-01T00:00:00.000Z', deadline: '2026-01-08T00:00:00.000Z' };
    expect(openRequest({ text: 'Which?', options: [] }, at)).toMatchObject({ id: requestId('r', 2), freeText: true });
    expect(openRequest({ text: 'Which?', options: ['a', 'b'] }, at)).toMatchObject({ id: 'r.2', freeText: false });
  });

  it('has as many hours as its kind of wait, of which fractions count', () => {
    const hours = { question: 0.5, paused: 24 };
    expect(waitUntil('question', '2026-01-01T00:00:00.000Z', hours)).toBe('2026-01-01T00:30:00.000Z');
    expect(waitUntil('paused', '2026-01-01T00:00:00.000Z', hours)).toBe('2026-01-02T00:00:00.000Z');
  });
});

it('a bare number that is the number of one option and the text of another is refused, and one with # is taken', () => {
  const counts = { options: ['2', '3', '4'], freeText: false };
  expect(readAnswerText(counts, '3')).toEqual({ problem: expect.stringContaining('#3 or #2') });
  expect(readAnswerText(counts, '#3')).toEqual({ option: 2, text: '4' });
  expect(readAnswerText(counts, '4')).toEqual({ option: 2, text: '4' });
});
