import { describe, expect, test } from 'vitest';
import { answerSchema, readAnswer } from '../../src/agent/answer.ts';

const ANSWER = {
  title: 'Add it',
  summary: 'It is added.',
  checks: [{ command: 'npm test', passed: true }],
  answers: [],
  back_to: '',
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
    ['a title that is too long', JSON.stringify({ ...ANSWER, title: 'x'.repeat(101) }), 'at title'],
    ['a question without text', asks({ text: ' ', options: [] }), 'at question.text'],
    ['one option', asks({ text: 'Which?', options: ['this'] }), '2 to 5 options'],
    ['six options', asks({ text: 'Which?', options: ['a', 'b', 'c', 'd', 'e', 'f'] }), 'at question.options'],
    ['options that are the same', asks({ text: 'Which?', options: ['this', 'This'] }), 'two options are the same'],
    ['something more', JSON.stringify({ ...ANSWER, mood: 'good' }), 'mood'],
  ])('says what is wrong with %s', (_what, message, problem) => {
    expect(readAnswer(message)).toEqual({ problem: expect.stringContaining(problem) as string });
  });

  test('has a schema that strict structured output accepts: every property required, no bounds', () => {
    expect(answerSchema()).toMatchObject({
      type: 'object',
      required: ['summary', 'title', 'checks', 'answers', 'back_to', 'question'],
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
