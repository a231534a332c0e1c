import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addHook, DEMO, openPull, Receiver, remote, startWithDemo, type Stage } from './emulator.ts';

let stage: Stage;
let receiver: Receiver;

beforeAll(async () => {
  stage = await startWithDemo();
  receiver = await Receiver.start();
  await addHook(stage.octo, receiver);
});
afterAll(async () => {
  await stage.emulator.close();
  await receiver.close();
});

async function follow(): Promise<void> {
  await stage.copy.git('fetch', '--quiet', remote(stage.emulator), '+main:refs/remotes/origin/main');
  await stage.copy.git('checkout', '--quiet', '-B', 'main', 'origin/main');
}

describe('a merge through the API', () => {
  test('is a commit with both parents that git can fetch', async () => {
    const number = await openPull(stage, { branch: 'merged', files: { 'merged.txt': 'merged\n' } });
    const head = await stage.copy.git('rev-parse', 'merged');
    const base = await stage.copy.git('rev-parse', 'main');
    const { data } = await stage.octo.pulls.merge({ ...DEMO, pull_number: number });
    await follow();
    expect(await stage.copy.git('log', '-1', '--format=%H %P')).toBe(`${data.sha} ${base} ${head}`);
    expect(await stage.copy.git('show', 'HEAD:merged.txt')).toBe('merged');
  });

  test('needs no body', async () => {
    const number = await openPull(stage, { branch: 'bodiless', files: { 'bodiless.txt': '1\n' } });
    const url = `${stage.emulator.apiUrl}/repos/octo/demo/pulls/${number}/merge`;
    const answer = await fetch(url, { method: 'PUT', headers: { authorization: 'token token-octo' } });
    expect([answer.status, await answer.json()]).toMatchObject([200, { merged: true }]);
    await follow();
  });

  test('can squash, with the tree of both sides', async () => {
    const number = await openPull(stage, { branch: 'squashed', files: { 'squashed.txt': 'squashed\n' } });
    await stage.copy.git('checkout', '--quiet', 'main');
    await stage.copy.commit({ 'meanwhile.txt': 'meanwhile\n' });
    await stage.copy.git('push', '--quiet', remote(stage.emulator), 'main');
    await stage.octo.pulls.merge({ ...DEMO, pull_number: number, merge_method: 'squash' });
    await follow();
    expect((await stage.copy.git('log', '-1', '--format=%P')).split(' ')).toHaveLength(1);
    expect(await stage.copy.git('ls-tree', '--name-only', 'HEAD')).toMatch(/meanwhile\.txt[^]*squashed\.txt/);
  });

  test('can rebase', async () => {
    const number = await openPull(stage, { branch: 'rebased', files: { 'rebased.txt': 'rebased\n' } });
    await stage.copy.git('checkout', '--quiet', 'main');
    const base = await stage.copy.commit({ 'later.txt': 'later\n' });
    await stage.copy.git('push', '--quiet', remote(stage.emulator), 'main');
    await stage.octo.pulls.merge({ ...DEMO, pull_number: number, merge_method: 'rebase' });
    await follow();
    expect(await stage.copy.git('log', '-1', '--format=%P %s')).toBe(`${base} work on rebased`);
  });

  test('that conflicts answers 405 and changes nothing', async () => {
    const number = await openPull(stage, { branch: 'conflicting', files: { 'story.txt': 'their line\n' } });
    await stage.copy.git('checkout', '--quiet', 'main');
    const base = await stage.copy.commit({ 'story.txt': 'our line\n' });
    await stage.copy.git('push', '--quiet', remote(stage.emulator), 'main');
    expect((await stage.octo.pulls.get({ ...DEMO, pull_number: number })).data).toMatchObject({
      mergeable: false,
      mergeable_state: 'dirty',
    });
    await expect(stage.octo.pulls.merge({ ...DEMO, pull_number: number })).rejects.toMatchObject({ status: 405 });
    expect((await stage.octo.git.getRef({ ...DEMO, ref: 'heads/main' })).data.object.sha).toBe(base);
  });

  test('is refused when the head has moved since', async () => {
    const number = await openPull(stage, { branch: 'moved', files: { 'moved.txt': '1\n' } });
    const stale = stage.octo.pulls.merge({ ...DEMO, pull_number: number, sha: '0'.repeat(40) });
    await expect(stale).rejects.toMatchObject({ status: 409 });
  });

  test('sends a webhook for a closed pull request with merged and merged_by', async () => {
    const number = await openPull(stage, { branch: 'told', files: { 'told.txt': '1\n' } });
    await stage.octo.pulls.merge({ ...DEMO, pull_number: number });
    const told = (): unknown => receiver.named('pull_request.closed').find(({ body }) => body.number === number)?.body;
    await expect.poll(told).toMatchObject({
      pull_request: { merged: true, merged_by: { login: 'octo' }, head: { ref: 'told' } },
      sender: { login: 'octo', type: 'User' },
    });
    await follow();
  });

  test('closes the issue that the description names', async () => {
    const { data: issue } = await stage.octo.issues.create({ ...DEMO, title: 'to be fixed' });
    const number = await openPull(stage, {
      branch: 'fixing',
      files: { 'fixing.txt': '1\n' },
      body: `Closes #${issue.number}`,
    });
    await stage.octo.pulls.merge({ ...DEMO, pull_number: number });
    expect((await stage.octo.issues.get({ ...DEMO, issue_number: issue.number })).data.state).toBe('closed');
    const closed = (): unknown[] => receiver.named('issues.closed').map(({ body }) => body.issue.number);
    await expect.poll(closed).toContain(issue.number);
    await follow();
  });
});

test('a pull request whose commits are pushed to its base counts as merged', async () => {
  const number = await openPull(stage, { branch: 'by-hand', files: { 'by-hand.txt': '1\n' } });
  await stage.copy.git('push', '--quiet', remote(stage.emulator), 'by-hand:main');
  expect((await stage.octo.pulls.get({ ...DEMO, pull_number: number })).data.merged).toBe(true);
});

test('a branch can be brought up to date with its base', async () => {
  await follow();
  const number = await openPull(stage, { branch: 'behind', files: { 'behind.txt': '1\n' } });
  await stage.copy.git('checkout', '--quiet', 'main');
  await stage.copy.commit({ 'ahead.txt': '1\n' });
  await stage.copy.git('push', '--quiet', remote(stage.emulator), 'main');
  await stage.octo.pulls.updateBranch({ ...DEMO, pull_number: number });
  await stage.copy.git('fetch', '--quiet', remote(stage.emulator), 'behind');
  expect(await stage.copy.git('ls-tree', '--name-only', 'FETCH_HEAD')).toMatch(/ahead\.txt[^]*behind\.txt/);
});
