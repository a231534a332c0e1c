import { expect, test } from 'vitest';
import { readWorkspaceHours } from '../../../src/app/config/workspace-hours.ts';

test('one number counts for all roles', () => {
  expect(readWorkspaceHours('24')).toEqual({ all: 24, byRole: {} });
});

test('roles may have hours of their own', () => {
  expect(readWorkspaceHours('24, qa=48,dev=0.5')).toEqual({ all: 24, byRole: { qa: 48, dev: 0.5 } });
});

test.each([
  ['', 'begins with a number'],
  ['qa=48', 'begins with a number'],
  ['-1', 'begins with a number'],
  ['24,chef=2', 'unknown role in chef=2'],
  ['24,qa=soon', 'no number of hours for qa'],
])('%j says what is wrong', (text, problem) => {
  expect(readWorkspaceHours(text)).toEqual({ problem: expect.stringContaining(problem) });
});
