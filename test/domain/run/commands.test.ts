import { describe, expect, it } from 'vitest';
import { readCommand } from '../../../src/domain/run/commands.ts';

const RUN = '0b9cd6f2-0000-4000-8000-000000000000';
const APPROVAL = { id: `${RUN}.2`, kind: 'approval' } as const;
const QUESTION = { id: `${RUN}.2`, kind: 'question' } as const;

describe('a comment on an approval', () => {
  it.each([
    ['/approve 2', { text: '', decision: 'approved' }],
    ['/Approve #2', { text: '', decision: 'approved' }],
    [`/approve ${RUN}.2`, { text: '', decision: 'approved' }],
    ['/approve 0b9cd6f2.2', { text: '', decision: 'approved' }],
    ['> Comment /deny 2\n\n/approve 2', { text: '', decision: 'approved' }],
    ['/deny 2 not on a Friday', { text: 'not on a Friday', decision: 'denied' }],
    ['/deny 2\nnot now,\nlater', { text: 'not now,\nlater', decision: 'denied' }],
  ])('%j decides', (comment, given) => {
    expect(readCommand(APPROVAL, comment)).toEqual(given);
  });

  it.each(['/approve', '/approve 1', '/approve yes', `/approve ${RUN}.1`, '/deny', '/approve 0b9cd6f3.2'])(
    '%j is explained: it names no open request',
    (comment) => {
      expect(readCommand(APPROVAL, comment)).toEqual({ problem: expect.stringContaining('request 2') });
    },
  );

  it.each(['ok', 'approve 2', 'please /approve 2', '2', '> /approve 2', '/approved 2', '/steer go on'])(
    '%j says nothing',
    (comment) => {
      expect(readCommand(APPROVAL, comment)).toBeUndefined();
    },
  );
});

describe('a comment on a question', () => {
  it.each([
    ['2', { text: '2' }],
    ['/usr/bin, please', { text: '/usr/bin, please' }],
    ['/answer 2 the first one', { text: 'the first one' }],
    ['/approve 2', { text: '', decision: 'approved' }],
  ])('%j is an answer as it stands', (comment, given) => {
    expect(readCommand(QUESTION, comment)).toEqual(given);
  });

  it('that is for the agent at work is none', () => {
    expect(readCommand(QUESTION, '/steer use tabs')).toBeUndefined();
  });
});
