import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readPolicyFile } from '../../../src/app/config/policy-file.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'policy-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function read(text: string): Promise<ReturnType<typeof readPolicyFile>> {
  const path = join(directory, 'policy');
  await writeFile(path, text);
  return readPolicyFile(path);
}

const RULE = { tool: 'database.*', mode: 'owner', reason: 'nobody undoes it' };

test.each([
  ['JSON', JSON.stringify({ version: 1, rules: [RULE], requesterMayDecide: true })],
  [
    'YAML',
    'version: 1\nrequesterMayDecide: true\nrules:\n  - tool: database.*\n    mode: owner\n    reason: nobody undoes it\n',
  ],
])('a policy in %s is read', async (_form, text) => {
  expect(await read(text)).toEqual({ policy: { version: 1, rules: [RULE], requesterMayDecide: true } });
});

test.each([
  ['an unknown field', { version: 1, rules: [{ ...RULE, tools: 'x' }] }, 'tools'],
  ['an unknown mode', { version: 1, rules: [{ ...RULE, mode: 'nobody' }] }, 'rules[0].mode'],
  ['a * in the middle', { version: 1, rules: [{ ...RULE, tool: 'a*b' }] }, 'rules[0].tool'],
  ['no reason', { version: 1, rules: [{ tool: 'a', mode: 'owner' }] }, 'rules[0].reason'],
  ['another version', { version: 2, rules: [] }, 'version'],
])('a policy with %s is refused, and the problem is named', async (_what, policy, named) => {
  expect(await read(JSON.stringify(policy))).toEqual({ problems: [expect.stringContaining(named)] });
});

test('a file that is missing, or is neither JSON nor YAML, is no policy', async () => {
  expect(await read('{"version": 1')).toEqual({ problems: [expect.stringContaining('neither JSON nor YAML')] });
  expect(readPolicyFile('/nowhere/at/all')).toEqual({ problems: ['cannot be read: /nowhere/at/all'] });
});
