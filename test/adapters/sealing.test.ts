/** Sealed and derived values. */
import { expect, test } from 'vitest';
import { createSealing, NotSealedHere } from '../../src/adapters/sealing.ts';

const KEY = 'a key of the platform, for tests only';
const sealing = createSealing(KEY);

test('what was sealed opens with the same words', () => {
  expect(createSealing(KEY).open(sealing.seal('pä$$word', 'call 1'), 'call 1')).toBe('pä$$word');
});

test('a sealed value shows nothing, and is another text each time', () => {
  const [one, other] = [sealing.seal('password', 'call 1'), sealing.seal('password', 'call 1')];
  expect(one).not.toBe(other);
  expect(Buffer.from(one.slice(3), 'base64url').toString('latin1')).not.toContain('password');
});

test.each([
  ['moved to another call', (sealed: string) => [createSealing(KEY), sealed, 'call 2'] as const],
  ['opened with another key', (sealed: string) => [createSealing(`${KEY}!`), sealed, 'call 1'] as const],
  ['changed', (sealed: string) => [createSealing(KEY), `v1.A${sealed.slice(4)}`, 'call 1'] as const],
  ['cut off', (sealed: string) => [createSealing(KEY), sealed.slice(0, 20), 'call 1'] as const],
  ['of no known version', (sealed: string) => [createSealing(KEY), `v0${sealed.slice(2)}`, 'call 1'] as const],
])('a sealed value that is %s does not open', (_, how) => {
  const [by, sealed, about] = how(sealing.seal('password', 'call 1'));
  expect(() => by.open(sealed, about)).toThrow(NotSealedHere);
});

test('a derived value is the same for the same words, and another for others', () => {
  expect(createSealing(KEY).derive('shop', 'ai', 'TOKEN')).toBe(sealing.derive('shop', 'ai', 'TOKEN'));
  expect(sealing.derive('shop', 'ai', 'TOKEN')).toMatch(/^[\w-]{43}$/);
  const others = [
    sealing.derive('shop', 'aiTOKEN'),
    sealing.derive('shopai', 'TOKEN'),
    createSealing(`${KEY}!`).derive('shop', 'ai', 'TOKEN'),
  ];
  expect(others).not.toContain(sealing.derive('shop', 'ai', 'TOKEN'));
});

test('a fingerprint tells equal values from others, and is no derived value', () => {
  expect(sealing.fingerprint('a', 'x')).toBe(sealing.fingerprint('a', 'x'));
  expect(sealing.fingerprint('b', 'x')).not.toBe(sealing.fingerprint('a', 'x'));
  expect(sealing.fingerprint('a', 'y')).not.toBe(sealing.fingerprint('a', 'x'));
});
