import { describe, expect, test } from 'vitest';
import { answerSchema, readAnswer } from '../../src/agent/answer.ts';

const ANSWER = {
  title: 'Add it',
  summary: 'It is added.',
  checks: [{ command: 'npm test', passed: true }],
  answers: [],
  back_to: '',
  learning: [],
  question: null,
};

/** An answer that asks instead. */
const asks = (question: object): string => JSON.stringify({ ...ANSWER, question });

describe('the final answer', () => {
  test('is read from JSON', () => {
    expect(readAnswer(JSON.stringify(ANSWER))).toEqual({ answer: ANSWER });
  });

  test('is read from a fenced block', () => {
    expect(readAnswer(`\`\`\`json\n${JSON.stringify(ANSWER)}\n\`\`\``)).toEqual({ answer: ANSWER });
  });

  test('may be a question to people', () => {
    const question = { text: 'Which?', options: ['this', 'that'] };
    expect(readAnswer(asks(question))).toMatchObject({ answer: { question } });
  });

  test('asks nothing when it does not say so', () => {
    const { question: _, ...silent } = ANSWER;
    expect(readAnswer(JSON.stringify(silent))).toEqual({ answer: ANSWER });
  });

  test.each([
    ['no message', undefined, 'there is no final message'],
    ['prose', 'All done.', 'it is not JSON'],
    ['neither a title nor a summary', JSON.stringify({ checks: [] }), 'at summary'],
    ['a list', '[]', 'expected object'],
    ['a question without text', asks({ text: ' ', options: [] }), 'at question.text'],
  ])('says what is wrong with %s', (_what, message, problem) => {
    expect(readAnswer(message)).toEqual({ problem: expect.stringContaining(problem) as string });
  });

  test.each<[what: string, answer: object, mended: object]>([
    ['a title of 119 characters', { title: 'x'.repeat(119) }, { title: `${'x'.repeat(99)}…` }],
    ['a title of two lines', { title: 'Add\n it ' }, { title: 'Add it' }],
    ['no title', { title: '' }, { title: 'It is added.' }],
    ['a long summary', { summary: 'x'.repeat(30_000) }, { summary: `${'x'.repeat(19_999)}…` }],
    ['no summary', { summary: undefined }, { summary: 'Add it' }],
    ['sixty checks', { checks: Array(60).fill(ANSWER.checks[0]) }, { checks: Array(50).fill(ANSWER.checks[0]) }],
    ['a check without its result', { checks: [{ command: 'npm test' }] }, { checks: [] }],
    ['checks that are null', { checks: null }, { checks: [] }],
    [
      'an answer to a comment whose id is a text',
      { answers: [{ comment_id: '7', answer: 'Yes.' }] },
      { answers: [{ comment_id: 7, answer: 'Yes.' }] },
    ],
    ['something more', { mood: 'good' }, {}],
    ['characters that cannot be stored', { summary: 'a\0b\uD800' }, { summary: 'a\uFFFDb\uFFFD' }],
  ])('is mended where it has %s', (_what, answer, mended) => {
    expect(readAnswer(JSON.stringify({ ...ANSWER, ...answer }))).toEqual({ answer: { ...ANSWER, ...mended } });
  });

  test.each<[what: string, options: string[]]>([
    ['one option', ['this']],
    ['six options', ['a', 'b', 'c', 'd', 'e', 'f']],
    ['options that are the same', ['this', 'This']],
    ['an option that is too long', ['this', 'x'.repeat(201)]],
  ])('with %s asks freely, and names them in its text', (_what, options) => {
    const text = `Which?\n\n${options.map((option) => `- ${option}`).join('\n')}`;
    expect(readAnswer(asks({ text: 'Which?', options }))).toMatchObject({
      answer: { question: { text, options: [] } },
    });
  });

  test('is read from between sentences', () => {
    expect(readAnswer(`Here it is:\n${JSON.stringify(ANSWER)}\nThat is all.`)).toEqual({ answer: ANSWER });
  });

  test('has a schema that strict structured output accepts: every property required, no bounds', () => {
    expect(answerSchema()).toMatchObject({
      type: 'object',
      required: ['summary', 'title', 'checks', 'answers', 'back_to', 'learning', 'question'],
      additionalProperties: false,
      properties: {
        title: { type: 'string' },
        checks: { items: { required: ['command', 'passed'], additionalProperties: false } },
        question: {
          anyOf: [{ type: 'object', required: ['text', 'options'], additionalProperties: false }, { type: 'null' }],
        },
      },
    });
    expect(JSON.stringify(answerSchema())).not.toMatch(/max|min|\$schema/i);
  });
});
