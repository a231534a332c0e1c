import { expect, test } from 'vitest';
import { isLoopback } from '../../src/network/loopback.ts';

test.each(['127.0.0.1', '127.8.0.1', '::1', '0:0:0:0:0:0:0:1'])('%s is loopback', (address) => {
  expect(isLoopback(address)).toBe(true);
});

test.each(['0.0.0.0', '10.0.0.1', '::', '2001:db8::1', 'localhost', '127.example.org', ''])('%s is not', (address) => {
  expect(isLoopback(address)).toBe(false);
});
