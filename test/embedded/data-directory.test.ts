import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  claimDataDirectory,
  createDataDirectory,
  findUp,
  requireUp,
  resolveDataDirectory,
  writeReady,
} from '../../src/embedded/data-directory.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const ready = {
  ready: true,
  url: 'http://127.0.0.1:8080',
  githubUrl: 'http://127.0.0.1:8081',
  githubOwnerToken: 'ghp_x',
  webhookSecret: 'x',
  temporalAddress: '127.0.0.1:7233',
  temporalUi: 'http://127.0.0.1:8233',
  databaseUrl: 'postgres://127.0.0.1/x',
  processes: { server: 1 },
} as const;

test('--data wins over XDG_DATA_HOME, which wins over the default', () => {
  expect(resolveDataDirectory('/a/b', { XDG_DATA_HOME: '/xdg' })).toBe('/a/b');
  expect(resolveDataDirectory(undefined, { XDG_DATA_HOME: '/xdg' })).toBe('/xdg/codex-k8s');
  expect(resolveDataDirectory(undefined, {})).toBe(join(homedir(), '.local', 'share', 'codex-k8s'));
});

test('it is made for its owner alone', () => {
  const directory = join(temporaryDirectory(), 'new');
  createDataDirectory(directory);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
});

test('a running up is found by what it said, which only the owner can read', () => {
  const directory = temporaryDirectory();
  const claim = claimDataDirectory(directory);
  writeReady(directory, ready);
  expect(findUp(directory)).toEqual(ready);
  expect(statSync(join(directory, 'ready.json')).mode & 0o777).toBe(0o600);
  claim.release();
});

test('where none is running, that is said, with the directory', () => {
  const directory = temporaryDirectory();
  claimDataDirectory(directory).release();
  expect(() => requireUp(directory)).toThrow(`No codex-k8s up is ready in ${directory}`);
});

test('a second up in the same directory is refused, with the pid and the address of the first', () => {
  const directory = temporaryDirectory();
  const claim = claimDataDirectory(directory);
  claim.announce(ready.url);
  expect(() => claimDataDirectory(directory)).toThrow(`(pid ${process.pid}, ${ready.url}) runs in ${directory}`);
  claim.release();
  expect(() => claimDataDirectory(directory).release()).not.toThrow();
});
