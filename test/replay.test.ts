import { readdir, readFile } from 'node:fs/promises';
import { Worker } from '@temporalio/worker';
import { expect, test } from 'vitest';
import { workflowBundle } from './support/temporal.ts';

const HISTORIES = new URL('histories/', import.meta.url);
const files = (await readdir(HISTORIES)).filter((file) => file.endsWith('.json'));

test('histories are recorded', () => {
  expect(files.length).toBeGreaterThanOrEqual(4);
});

test.each(files)('%s is replayed without a difference', async (file) => {
  const { workflowId, history } = JSON.parse(await readFile(new URL(file, HISTORIES), 'utf8')) as {
    workflowId: string;
    history: unknown;
  };
  await Worker.runReplayHistory({ workflowBundle: await workflowBundle(), replayName: file }, history, workflowId);
});
