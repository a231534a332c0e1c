/** Secrets of a repository's environments, written through the client and opened as GitHub's Actions would. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createGitHub } from '../../../src/adapters/github/index.ts';
import { startWithDemo, type Stage } from '../../emulators/github/emulator.ts';

const AT = { owner: 'octo', name: 'demo' };
let stage: Stage;
let github: ReturnType<typeof createGitHub>;

beforeAll(async () => {
  stage = await startWithDemo();
  const waits = { current: () => Promise.resolve(undefined), hold: () => Promise.reject(new Error('nobody waits')) };
  github = createGitHub({ apiUrl: stage.emulator.apiUrl, token: 'token-octo', waits, limits: { callMs: 200_000 } });
});
afterAll(async () => stage.emulator.close());

test('an environment that is missing is made, once', async () => {
  await expect(github.ensureEnvironment(AT, 'made')).resolves.toBe('created');
  await expect(github.ensureEnvironment(AT, 'made')).resolves.toBe('present');
});

test('a secret arrives in its sealed box, and a second write replaces it', async () => {
  await github.ensureEnvironment(AT, 'ai');
  await github.writeEnvironmentSecret(AT, 'ai', { name: 'TOKEN', value: 'first' });
  await github.writeEnvironmentSecret(AT, 'ai', { name: 'TOKEN', value: 'sécond' });
  const at = { fullName: 'octo/demo', environment: 'ai', name: 'TOKEN' };
  await expect(stage.emulator.openSecret(at)).resolves.toBe('sécond');
});

test('a secret that nobody wrote is not found, nor is one of an environment that is not there', async () => {
  await github.ensureEnvironment(AT, 'empty');
  await expect(github.findEnvironmentSecret(AT, 'empty', 'TOKEN')).resolves.toBeUndefined();
  await expect(github.findEnvironmentSecret(AT, 'nowhere', 'TOKEN')).resolves.toBeUndefined();
});
