import { access, appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RUN_LIMIT_MS, setStage, textOf, type Stage } from './support/stage.ts';

describe('git between the environment and the gateway', { timeout: RUN_LIMIT_MS }, () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await setStage();
  });
  afterEach(() => stage[Symbol.asyncDispose]());

  test('a gateway in trouble is asked to take the push again', async () => {
    stage.platform.pushTrouble.push(503, 502);
    stage.assign({ title: 'Anything' });
    expect(await stage.run()).toMatchObject({ outcome: 'finished' });
    expect(stage.platform.pushTrouble).toEqual([]);
  });

  test('a push that the gateway forbids is push_refused', async () => {
    stage.platform.pushTrouble.push(403);
    stage.assign({ title: 'Anything' });
    expect(await stage.run()).toMatchObject({
      failure: 'push_refused',
      detail: expect.stringContaining('403') as string,
    });
  });

  test('a repository that is not there is clone_failed', async () => {
    stage.assign({ title: 'Anything' }, { cloneUrl: `${stage.platform.url}/git/nothing.git` });
    expect(await stage.run()).toMatchObject({
      failure: 'clone_failed',
      detail: expect.stringContaining('not found') as string,
    });
  });

  test('a base branch that is not there is clone_failed', async () => {
    stage.assign({ title: 'Anything' }, { baseBranch: 'trunk' });
    expect(await stage.run()).toMatchObject({ failure: 'clone_failed', detail: 'there is no branch trunk' });
  });

  test('the token is not in the settings of the repository', async () => {
    stage.assign({ title: 'Anything' });
    await stage.run();
    expect(await textOf(join(stage.workspace, 'repo/.git/config'))).not.toContain(stage.platform.token);
  });

  describe('a repository that an earlier run has left', () => {
    const repository = (): string => join(stage.workspace, 'repo');

    test('is used again, without the files that were not committed', async () => {
      stage.assign({ title: 'Anything' });
      await stage.run();
      await writeFile(join(repository(), 'rest.txt'), 'left over');
      await writeFile(join(repository(), '.git/index.lock'), '');
      stage.assign({ title: '[script: nothing]' });
      await stage.run();
      expect(stage.platform.log()).toContain('The clone of the earlier run is used again');
      await expect(access(join(repository(), 'rest.txt'))).rejects.toThrow('ENOENT');
    });

    test('is cloned again when it is broken', async () => {
      await mkdir(join(repository(), '.git'), { recursive: true });
      stage.assign({ title: 'Anything' });
      expect(await stage.run()).toMatchObject({ outcome: 'finished' });
    });

    test.each(['pre-push', 'post-checkout'])('never runs its %s hook for the runner', async (hook) => {
      stage.assign({ title: 'Anything' });
      await stage.run();
      const trace = join(stage.directory, 'trace');
      await writeFile(join(repository(), '.git/hooks', hook), `#!/bin/sh\ntouch ${trace}\n`, { mode: 0o755 });
      stage.assign({ title: 'Another thing' }, { branch: 'codex/issue-8', prompt: 'Issue: #8 Another thing\n' });
      expect(await stage.run()).toMatchObject({ outcome: 'finished' });
      expect(await textOf(trace)).toBeUndefined();
    });

    test('cannot have the token given to a credential helper of its own', async () => {
      stage.assign({ title: 'Anything' });
      await stage.run();
      const stolen = join(stage.directory, 'stolen');
      const config = join(repository(), '.git/config');
      await appendFile(config, `[credential "${stage.platform.url}"]\n\thelper = "!cat >> ${stolen}; :"\n`);
      stage.assign({ title: 'Another thing' }, { branch: 'codex/issue-8', prompt: 'Issue: #8 Another thing\n' });
      expect(await stage.run()).toMatchObject({ outcome: 'finished' });
      expect(await textOf(stolen)).toBeUndefined();
    });
  });
});
