import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jobName, labelValue } from '../../../src/adapters/kubernetes/names.ts';

describe('the value of a label', () => {
  test.each([
    ['octo-demo', 'octo-demo'],
    ['Some Project', 'Some-Project'],
    ['-._a_.-', 'a'],
    ['проект', ''],
    ['', ''],
    [`${'a'.repeat(62)}--b`, 'a'.repeat(62)],
  ])('of %o is %o', (text, value) => {
    expect(labelValue(text)).toBe(value);
  });

  test('is one that Kubernetes takes, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => {
        expect(labelValue(text)).toMatch(/^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/);
      }),
    );
  });
});

test('a Job is named after its run and attempt, within what a pod’s name may take', () => {
  const name = jobName({ runId: '0f0f0f0f-0000-4000-8000-000000000002', attempt: 3 });
  expect(name).toBe('codex-k8s-run-0f0f0f0f-0000-4000-8000-000000000002-3');
  expect(name.length).toBeLessThanOrEqual(63);
});
