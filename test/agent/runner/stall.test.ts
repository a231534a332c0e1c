import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { watchForStall } from '../../../src/agent/runner/stall.ts';

describe('an agent that sends no heartbeat', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function watch(lastGrowth: () => Promise<number | undefined> = () => Promise.resolve(undefined)) {
    const onStalled = vi.fn<() => void>();
    return { onStalled, watch: watchForStall({ limitMs: 1000, lastGrowth, onStalled }) };
  }

  test('is called stalled when the limit has passed', async () => {
    const { onStalled } = watch();
    await vi.advanceTimersByTimeAsync(999);
    expect(onStalled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(onStalled).toHaveBeenCalledOnce();
  });

  test('has the whole limit again after each event', async () => {
    const { onStalled, watch: running } = watch();
    await vi.advanceTimersByTimeAsync(900);
    running.active();
    await vi.advanceTimersByTimeAsync(999);
    expect(onStalled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(onStalled).toHaveBeenCalledOnce();
  });

  test('is not stalled while its conversation grows', async () => {
    const { onStalled } = watch(() => Promise.resolve(Date.now() - 100));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(onStalled).not.toHaveBeenCalled();
  });

  test('is left alone once the watch has ended', async () => {
    const { onStalled, watch: running } = watch();
    running.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(onStalled).not.toHaveBeenCalled();
  });
});
