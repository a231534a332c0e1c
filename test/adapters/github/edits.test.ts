/** S17: when the text of an issue was edited. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createGitHub } from '../../../src/adapters/github/index.ts';
import { DEMO, startWithDemo, type Stage } from '../../emulators/github/emulator.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startWithDemo();
});
afterAll(async () => {
  await stage.emulator.close();
});

async function lastEdit(change: { title?: string; body?: string; labels?: string[] }): Promise<string | null> {
  const { data } = await stage.octo.issues.create({ ...DEMO, title: 'A', body: 'As it was.' });
  await stage.octo.issues.update({ ...DEMO, issue_number: data.number, ...change });
  const github = createGitHub({
    apiUrl: stage.emulator.apiUrl,
    token: 'token-octo',
    waits: { current: () => Promise.resolve(undefined), hold: () => Promise.reject(new Error('nobody waits')) },
  });
  return github.readLastEdit({ repositoryId: 1, owner: DEMO.owner, name: DEMO.repo, number: data.number });
}

test.each([{ body: 'Edited.' }, { title: 'Edited' }])('an issue with %j was edited', async (change) => {
  expect(Date.parse((await lastEdit(change)) ?? '')).toBeLessThanOrEqual(Date.now());
});

test('an issue that gets a label was not edited', async () => {
  expect(await lastEdit({ labels: ['bug'] })).toBeNull();
});
