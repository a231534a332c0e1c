import { expect, test } from 'vitest';
import { canonicalJson, digestOf } from '../../src/tools/canonical.ts';

test('the order of fields does not matter, that of a list does', () => {
  expect(digestOf('t', { a: 1, b: { d: [1, 2], c: null } })).toBe(digestOf('t', { b: { c: null, d: [1, 2] }, a: 1 }));
  expect(digestOf('t', [1, 2])).not.toBe(digestOf('t', [2, 1]));
});

test('a field called __proto__ is a field', () => {
  expect(canonicalJson(JSON.parse('{"__proto__":{"a":1}}'))).toBe('{"__proto__":{"a":1}}');
});

test('the same arguments of another tool are another call', () => {
  expect(digestOf('a', {})).not.toBe(digestOf('b', {}));
});
