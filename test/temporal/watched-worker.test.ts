/** Temporal's SDK tells of a failed workflow task where src/temporal/watched-worker.ts listens, in the words that it reads. */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { expect, test } from 'vitest';
import { WatchedWorker } from '../../src/temporal/watched-worker.ts';

const CHANGED = "Temporal's SDK has changed inside: see src/temporal/watched-worker.ts before updating it";
const failures: { runId: string; failure: string }[] = [];

/** Replays as any worker does, and watches itself meanwhile. */
class Replaying extends WatchedWorker {
  readonly watched = this.watch((runId, failure) => void failures.push({ runId, failure }));
}

test('a workflow task that does not match its history is reported, with what Temporal says of it', async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR', () => {}), telemetryOptions: { logging: { forward: {} } } });
  const [recorded = ''] = globSync('test/histories/run-work-*.json');
  const { history } = JSON.parse(readFileSync(recorded, 'utf8')) as { history: object };
  const workflowsPath = fileURLToPath(new URL('changed-workflow.ts', import.meta.url));
  await expect(Replaying.runReplayHistory({ workflowsPath }, history), CHANGED).rejects.toThrow('TMPRL1100');
  expect(failures, CHANGED).toEqual([
    { runId: expect.any(String) as string, failure: expect.stringMatching(/^\[TMPRL1100\] /) as string },
  ]);
});
