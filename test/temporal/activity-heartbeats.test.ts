import { setTimeout as sleep } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { expect, test } from 'vitest';
import { beatEvery } from '../../src/temporal/activity-heartbeats.ts';

const BEAT_MS = 20;

/** Runs an activity, which may look at its beats, and counts them until a while after its end. */
async function beatsOf(
  heartbeatTimeoutMs: number | undefined,
  work: (beats: () => number) => Promise<unknown>,
): Promise<number> {
  const environment = new MockActivityEnvironment(heartbeatTimeoutMs === undefined ? {} : { heartbeatTimeoutMs }, {
    interceptors: [beatEvery(BEAT_MS)],
    logger: new DefaultLogger('ERROR'),
  });
  let beats = 0;
  environment.on('heartbeat', () => (beats += 1));
  await environment.run(work, () => beats).catch(() => undefined);
  const atTheEnd = beats;
  await sleep(5 * BEAT_MS);
  expect(beats).toBe(atTheEnd);
  return beats;
}

test('an activity with a heartbeat timeout beats as long as it runs', async () => {
  const untilThree = async (beats: () => number): Promise<void> => {
    while (beats() < 3) await sleep(BEAT_MS);
  };
  expect(await beatsOf(10_000, untilThree)).toBeGreaterThan(2);
});

test('one that fails beats no longer', async () => {
  const fails = async (): Promise<void> => {
    await sleep(5 * BEAT_MS);
    throw new Error('it failed');
  };
  expect(await beatsOf(10_000, fails)).toBeGreaterThan(0);
});

test('one without a heartbeat timeout does not beat', async () => {
  expect(await beatsOf(undefined, () => sleep(10 * BEAT_MS))).toBe(0);
});
