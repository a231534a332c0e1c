import { describe, expect, test } from 'vitest';
import { answerSchema, readAnswer } from '../../src/agent/answer.ts';

const ANSWER = {
  title: 'Add it',
  summary: 'It is added.',
  checks: [{ command: 'npm test', passed: true }],
  answers: [],
  back_to: '',
};

describe('the final answer', () => {
  test('is read from JSON', () => {
    expect(readAnswer(JSON.stringify(ANSWER))).toEqual({ answer: ANSWER });
  });

  test('is read from a fenced block', () => {
    expect(readAnswer(`\`\`\`json\n${JSON.stringify(ANSWER)}\n\`\`\``)).toEqual({ answer: ANSWER });
  });

  test.each([
    ['no message', undefined, 'there is no final message'],
    ['prose', 'All done.', 'it is not JSON'],
    ['a title that is too long', JSON.stringify({ ...ANSWER, title: 'x'.repeat(101) }), 'at title'],
    ['something more', JSON.stringify({ ...ANSWER, mood: 'good' }), 'mood'],
  ])('says what is wrong with %s', (_what, message, problem) => {
    expect(readAnswer(message)).toEqual({ problem: expect.stringContaining(problem) as string });
  });

  test('has a schema that strict structured output accepts: every property required, no bounds', () => {
    expect(answerSchema()).toMatchObject({
      type: 'object',
      required: ['summary', 'title', 'checks', 'answers', 'back_to'],
      additionalProperties: false,
      properties: {
        title: { type: 'string' },
        checks: { items: { required: ['command', 'passed'], additionalProperties: false } },
      },
    });
    expect(JSON.stringify(answerSchema())).not.toMatch(/max|min|\$schema/i);
  });
});
