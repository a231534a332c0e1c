import { ApiException } from '@kubernetes/client-node';
import { describe, expect, test } from 'vitest';
import { isRefused, isNotPermitted, isTerminating, refusalOf } from '../../../src/adapters/kubernetes/refusals.ts';

const status = (fields: object): string => JSON.stringify({ kind: 'Status', ...fields });

function refused(code: number, body: unknown, headers: Record<string, string> = {}) {
  return refusalOf('make it', new ApiException(code, 'Unknown', body, headers));
}

test('is shown in Kubernetes’ own words', () => {
  expect(refused(409, status({ reason: 'AlreadyExists', message: 'jobs "x" already exists' }))).toMatchObject({
    name: 'KubernetesRefusal',
    message: 'Kubernetes refused to make it: jobs "x" already exists (409 AlreadyExists)',
    code: 409,
    reason: 'AlreadyExists',
    waitMs: undefined,
  });
});

test.each<[string, unknown, string]>([
  ['a body that is read already', { reason: 'Forbidden', message: 'no' }, 'no (403 Forbidden)'],
  ['the error page of a proxy', '<html>no</html>', '<html>no</html> (403 )'],
  ['no body', '', ' (403 )'],
])('is told for %s', (_what, body, text) => {
  expect(refused(403, body)?.message).toBe(`Kubernetes refused to make it: ${text}`);
});

test('is cut when it is long', () => {
  expect(refused(500, 'x'.repeat(100_000))?.message.length).toBeLessThan(1100);
});

describe('the wait that is asked for', () => {
  test.each<[string, Record<string, string>, unknown, number | undefined]>([
    ['by a header', { 'retry-after': '7' }, '', 7000],
    ['by a status', {}, status({ details: { retryAfterSeconds: 3 } }), 3000],
    ['by both: the header counts', { 'retry-after': '7' }, status({ details: { retryAfterSeconds: 3 } }), 7000],
    ['as a date, which is not read', { 'retry-after': 'Sat, 21 Nov 2026 10:00:00 GMT' }, '', undefined],
    ['by nobody', {}, status({}), undefined],
  ])('%s', (_what, headers, body, waitMs) => {
    expect(refused(429, body, headers)?.waitMs).toBe(waitMs);
  });
});

test('what is no answer is no refusal', () => {
  expect(refusalOf('make it', new TypeError('fetch failed'))).toBeUndefined();
});

test('is known by its code, and its reason if one is given', () => {
  const conflict = refused(409, status({ reason: 'Conflict' }));
  expect(isRefused(conflict, 409)).toBe(true);
  expect(isRefused(conflict, 409, 'AlreadyExists')).toBe(false);
  expect(isRefused(conflict, 404)).toBe(false);
  expect(isRefused(new Error('409'), 409)).toBe(false);
});

test('in a namespace that is being deleted differs from every other 403', () => {
  const details = { causes: [{ reason: 'NamespaceTerminating', field: 'metadata.namespace' }] };
  expect(isTerminating(refused(403, status({ reason: 'Forbidden', details })))).toBe(true);
  expect(isTerminating(refused(403, status({ reason: 'Forbidden' })))).toBe(false);
});

test.each([
  ['a permission that is not there', 'pods is forbidden: User "w" cannot list resource "pods" in API group ""', true],
  ['a quota', 'pods "x" is forbidden: exceeded quota: q', false],
  ['a policy', 'jobs.batch "x" is forbidden: ValidatingAdmissionPolicy denied request', false],
])('%s is told from other 403', (_what, message, expected) => {
  expect(isNotPermitted(refused(403, status({ reason: 'Forbidden', message })))).toBe(expected);
});
