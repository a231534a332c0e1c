import type { CoreV1Event } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { follow } from '../../../src/adapters/kubernetes/follow.ts';
import { containerThat, FAILED, fakeApi, JOB, podOf, refusal, RUN, RUNNING, type FakeApi } from './fake-api.ts';

/** Fake timers do not reach these: here they are made of those that they do reach. */
vi.mock('node:timers/promises', () => ({
  setTimeout: async (ms: number, value: unknown, { signal }: { signal?: AbortSignal } = {}): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => resolve(value), ms);
      const abort = (): void => {
        clearTimeout(timer);
        reject(new DOMException('The operation was aborted', 'AbortError'));
      };
      if (signal?.aborted) abort();
      else signal?.addEventListener('abort', abort, { once: true });
    }),
}));

const SECOND = 1000;
const EVICTED = podOf(
  Object.assign(containerThat(143) ?? {}, {
    conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', message: 'evicting' }],
  }),
);
const LOST = { termination: 'agent_error', detail: 'it ended with code 1 without a report', pod: 'pod' };
const STUCK = waitingFor('ErrImagePull', 'no such image');

function waitingFor(reason: string, message = '') {
  const of = { name: 'agent', image: '', imageID: '', ready: false, restartCount: 0 };
  return podOf({ containerStatuses: [{ ...of, state: { waiting: { reason, message } } }] });
}

let api: FakeApi;
/** What the loop came to; undefined while it goes on. */
let end: unknown;
let stopping: AbortController;

beforeEach(() => {
  vi.useFakeTimers();
  api = fakeApi();
  api.job = JOB;
  api.pods = [RUNNING];
  end = undefined;
  stopping = new AbortController();
});
afterEach(() => {
  stopping.abort();
  vi.useRealTimers();
});

/** Begins to follow, and lets so many milliseconds pass. */
async function followFor(ms: number, options: { patience?: number } = {}): Promise<void> {
  follow(api, RUN, stopping.signal, options).then(
    (found) => (end = found),
    (error: unknown) => (end = error),
  );
  await vi.advanceTimersByTimeAsync(ms);
}

async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

function looks(): number {
  return api.calls.filter((call) => call === 'find Job').length;
}

describe('the end of an agent is found', () => {
  test('that has come before anybody asked', async () => {
    api.pods = [FAILED];
    await followFor(0);
    expect(end).toEqual(LOST);
  });

  test('at once when a watch tells of it', async () => {
    await followFor(SECOND);
    expect(end).toBeUndefined();
    api.pods = [FAILED];
    api.tell();
    await pass(100);
    expect(end).toEqual(LOST);
  });

  test('that no watch tells of, within half a minute', async () => {
    await followFor(SECOND);
    api.pods = [FAILED];
    await pass(30 * SECOND);
    expect(end).toEqual(LOST);
  });

  test('that came while a watch was broken', async () => {
    await followFor(SECOND);
    api.breakWatches();
    api.pods = [FAILED];
    await pass(100);
    expect(end).toEqual(LOST);
  });

  test('in what a watch showed of a pod that was gone before anybody looked', async () => {
    await followFor(SECOND);
    api.pods = [];
    api.job = { ...JOB, status: { conditions: [{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded' }] } };
    api.tell(EVICTED);
    await pass(100);
    expect(end).toEqual({ termination: 'evicted', detail: 'evicting', pod: undefined });
  });

  test('not in what a watch showed of a pod of a Job that had the name before', async () => {
    await followFor(SECOND);
    api.tell(podOf(EVICTED.status, 'another-uid'));
    api.pods = [];
    await pass(100);
    expect(end).toBeUndefined();
  });

  test('not in the pod of a Job that had the name before', async () => {
    api.pods = [podOf(FAILED.status, 'another-uid')];
    await followFor(SECOND);
    expect(end).toBeUndefined();
  });
});

describe('a watch', () => {
  test('that ends, or is too old (410), is begun again', async () => {
    await followFor(SECOND);
    expect(api.watches).toBe(2);
    api.breakWatches();
    await pass(2 * SECOND);
    expect(api.watches).toBe(4);
  });

  test('that ends again and again is begun no oftener than once a second', async () => {
    const watch = vi.spyOn(api, 'watch').mockResolvedValue();
    await followFor(10 * SECOND);
    expect(watch.mock.calls.length).toBeLessThanOrEqual(2 * 11);
  });

  test('that tells much at once leads to one look', async () => {
    await followFor(SECOND);
    const before = looks();
    for (let count = 0; count < 100; count += 1) api.tell();
    await pass(SECOND);
    expect(looks() - before).toBeLessThanOrEqual(2);
  });

  test('is over with the agent', async () => {
    const open: AbortSignal[] = [];
    vi.spyOn(api, 'watch').mockImplementation(async (_path, _selection, _onEvent, signal) => {
      open.push(signal);
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    });
    await followFor(SECOND);
    api.pods = [FAILED];
    await pass(30 * SECOND);
    expect(open.map(({ aborted }) => aborted)).toEqual([true, true]);
  });
});

describe('the API', () => {
  test.each<[string, Error]>([
    ['does not answer', new Error('fetch failed')],
    ['answers 500', refusal(500)],
    ['answers 503', refusal(503)],
    ['answers 429', refusal(429)],
  ])('%s: it is asked again, ever later', async (_what, error) => {
    api.fail('find', error, error, error);
    await followFor(0);
    expect(looks()).toBe(1);
    await pass(SECOND);
    expect(looks()).toBe(2);
    await pass(2 * SECOND);
    expect(looks()).toBe(3);
    api.pods = [FAILED];
    await pass(4 * SECOND);
    expect(end).toEqual(LOST);
  });

  test('does not answer for an hour: it is asked every ten seconds, and nothing is lost', async () => {
    api.fail('find', ...Array.from({ length: 400 }, () => new Error('fetch failed')));
    await followFor(3600 * SECOND);
    expect(looks()).toBeLessThan(400);
    expect(looks()).toBeGreaterThan(300);
    expect(end).toBeUndefined();
  });

  test('asks to wait: it is left alone for so long', async () => {
    api.fail('list', refusal(429, { waitMs: 25 * SECOND }));
    await followFor(24 * SECOND);
    expect(api.calls).toEqual(['list Pod']);
    api.pods = [FAILED];
    await pass(SECOND);
    expect(end).toEqual(LOST);
  });

  test.each([401, 403, 409])('refuses with %i: the error is passed on, for Temporal to retry', async (code) => {
    const error = refusal(code);
    api.fail('find', error);
    await followFor(0);
    expect(end).toBe(error);
  });

  test('is asked about events only while the agent does not work', async () => {
    await followFor(60 * SECOND);
    expect(api.calls).not.toContain('list Event');
    api.pods = [STUCK];
    api.tell();
    await pass(SECOND);
    expect(api.calls).toContain('list Event');
  });
});

describe('an agent that is stuck', () => {
  beforeEach(() => {
    api.pods = [STUCK];
  });

  test('is lost when it has been for too long', async () => {
    await followFor(49 * SECOND);
    expect(end).toBeUndefined();
    await pass(5 * SECOND);
    expect(end).toEqual({ termination: 'image_pull', detail: 'ErrImagePull: no such image', pod: 'pod' });
  });

  test('is lost sooner for somebody who is less patient', async () => {
    await followFor(4 * SECOND, { patience: 0.05 });
    expect(end).toMatchObject({ termination: 'image_pull' });
  });

  test('and gets over it has all the time again when it is stuck once more', async () => {
    await followFor(50 * SECOND);
    api.pods = [RUNNING];
    await pass(5 * SECOND);
    api.pods = [STUCK];
    api.tell();
    await pass(50 * SECOND);
    expect(end).toBeUndefined();
    await pass(15 * SECOND);
    expect(end).toMatchObject({ termination: 'image_pull' });
  });

  test('at something else has all the time for that', async () => {
    api.pods = [waitingFor('ContainerCreating')];
    await followFor(60 * SECOND);
    const involvedObject = { kind: 'Pod', uid: 'pod-uid' };
    api.events = [{ metadata: {}, involvedObject, type: 'Warning', message: 'no volume yet' } as CoreV1Event];
    await pass(45 * SECOND);
    expect(end).toBeUndefined();
    await pass(15 * SECOND);
    expect(end).toMatchObject({ termination: 'container_error', detail: 'no volume yet' });
  });

  test('at two things by turns is lost when it has been for too long at one', async () => {
    const states = [waitingFor('CreateContainerError', 'no'), waitingFor('ContainerCreating')];
    await followFor(0);
    for (let turn = 0; turn < 20; turn += 1) {
      api.pods = [states[turn % 2]!];
      api.tell();
      await pass(2 * SECOND);
    }
    expect(end).toMatchObject({ termination: 'container_error', detail: 'CreateContainerError: no' });
  });

  test('when its pod is gone, before its Job says that this was for the deadline, was stuck at what its pod said', async () => {
    await followFor(10 * SECOND);
    api.pods = [];
    api.tell();
    await pass(SECOND);
    api.job = {
      ...JOB,
      status: { conditions: [{ type: 'Failed', status: 'True', reason: 'DeadlineExceeded', message: 'too long' }] },
    };
    api.tell();
    await pass(SECOND);
    expect(end).toMatchObject({ termination: 'image_pull', detail: 'ErrImagePull: no such image' });
  });

  test('when the deadline of its Job comes did not work for too long', async () => {
    await followFor(10 * SECOND);
    api.job = {
      ...JOB,
      status: { conditions: [{ type: 'Failed', status: 'True', reason: 'DeadlineExceeded', message: 'too long' }] },
    };
    api.pods = [];
    api.tell();
    await pass(SECOND);
    expect(end).toMatchObject({ termination: 'image_pull', detail: 'ErrImagePull: no such image' });
  });
});

describe('who stops following', () => {
  const reason = new Error('the worker stops');

  test('while nothing happens is done at once', async () => {
    await followFor(SECOND);
    stopping.abort(reason);
    await pass(0);
    expect(end).toBe(reason);
  });

  test('while the API does not answer is done at once', async () => {
    api.fail('find', new Error('fetch failed'));
    await followFor(0);
    stopping.abort(reason);
    await pass(0);
    expect(end).toBe(reason);
  });

  test('before it began never asks', async () => {
    stopping.abort(reason);
    await followFor(0);
    expect(end).toBe(reason);
    expect(api.calls).toEqual([]);
  });
});
