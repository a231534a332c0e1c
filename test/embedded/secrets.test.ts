import { chmodSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSecrets, secretFile } from '../../src/embedded/secrets.ts';
import { temporaryDirectory } from './temporary-directory.ts';

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

test('only the owner can read the secrets', () => {
  const directory = temporaryDirectory();
  openSecrets(directory);
  expect(modeOf(join(directory, 'secrets'))).toBe(0o700);
  const files = readdirSync(join(directory, 'secrets'));
  expect(files).toContain('webhook-secret');
  for (const file of files) expect(modeOf(join(directory, 'secrets', file))).toBe(0o600);
});

test('a mode that was loosened is put right', () => {
  const directory = temporaryDirectory();
  openSecrets(directory);
  chmodSync(secretFile(directory, 'staff-token'), 0o644);
  openSecrets(directory);
  expect(modeOf(secretFile(directory, 'staff-token'))).toBe(0o600);
});

test('secrets are made once, and are 32 random bytes each', () => {
  const directory = temporaryDirectory();
  const made = openSecrets(directory);
  expect(openSecrets(directory)).toEqual(made);
  expect(made['run-token-key']).toMatch(/^[\w-]{43}$/);
  expect(made['github-owner-token']).toMatch(/^ghp_[\w-]{43}$/);
  expect(new Set(Object.values(made)).size).toBe(Object.keys(made).length);
});

test('an emptied secret is an error that names its file, not an empty password', () => {
  const directory = temporaryDirectory();
  openSecrets(directory);
  writeFileSync(secretFile(directory, 'run-token-key'), '\n');
  expect(() => openSecrets(directory)).toThrow(secretFile(directory, 'run-token-key'));
});
