/** `emulate` keeps its GitHub plugin where src/emulators/github/emulate.ts looks for it, and the plugin has the parts that are used. */
import { expect, test } from 'vitest';
import { loadGitHubPlugin } from '../../../src/emulators/github/emulate.ts';

test('the GitHub plugin is found in the installed package', async () => {
  const plugin = await loadGitHubPlugin();
  const CHANGED = 'emulate has changed inside: see src/emulators/github/emulate.ts before updating it';
  const whole = {
    githubPlugin: { register: expect.any(Function) as unknown, seed: expect.any(Function) as unknown },
    getGitHubStore: expect.any(Function) as unknown,
  };
  expect(plugin, CHANGED).toMatchObject(whole);
  expect(plugin.githubPlugin.register.length, CHANGED).toBe(5);
});
