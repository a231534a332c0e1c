import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { prepareRepository } from '../../src/agent/git/repository.ts';
import { preparePaths, pathsIn } from '../../src/agent/paths.ts';
import { setStage } from './support/stage.ts';

async function prepared(interrupted: boolean): Promise<string> {
  await using stage = await setStage();
  const paths = pathsIn(stage.workspace);
  const target = stage.assign({ title: 'Anything' });
  await preparePaths(paths, target.author);
  const options = {
    paths,
    tokenFile: stage.tokenFile,
    cloneUrl: target.cloneUrl,
    signal: AbortSignal.timeout(120_000),
  };
  await prepareRepository(target, options, () => {});
  await writeFile(join(paths.repository, 'half-done.txt'), 'half');
  const { git } = await prepareRepository({ ...target, interrupted }, options, () => {});
  return await git('status', '--porcelain');
}

test('the agent that follows an interrupted one finds its files', async () => {
  expect(await prepared(true)).toContain('half-done.txt');
});

test('another run begins with a clean tree', async () => {
  expect(await prepared(false)).toBe('');
});
