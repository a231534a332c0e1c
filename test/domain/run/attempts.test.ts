import { describe, expect, it } from 'vitest';
import { afterLoss, afterWait, FIRST_ATTEMPT, type Attempts } from '../../../src/domain/run/attempts.ts';
import type { TerminationReason } from '../../../src/domain/run/termination-reasons.ts';

/** How many agents are launched when each is lost for this reason. */
function launchesUntilGivenUp(reason: TerminationReason): number {
  let count = 1;
  for (let now: Attempts | null = FIRST_ATTEMPT; (now = afterLoss(now, reason));) count += 1;
  return count;
}

describe('an agent that is lost', () => {
  it.each([
    ['agent_oom', 1],
    ['sandbox_rejected', 1],
    ['image_pull', 2],
    ['unschedulable', 2],
    ['agent_lost', 3],
    ['node_lost', 10],
    ['evicted', 10],
  ] as const)('for %s is one of %i', (reason, expected) => {
    expect(launchesUntilGivenUp(reason)).toBe(expected);
  });

  it('before it began is launched again as the same attempt', () => {
    expect(afterLoss(FIRST_ATTEMPT, 'image_pull')).toEqual({ attempt: 1, launch: 2, lost: 0, disrupted: 0 });
  });

  it('with its work is followed by another attempt, which may be launched twice too', () => {
    const second = afterLoss({ ...FIRST_ATTEMPT, launch: 2 }, 'agent_lost');
    expect(second).toEqual({ attempt: 2, launch: 1, lost: 1, disrupted: 0 });
  });
});

describe('a wait', () => {
  it('is followed by another attempt', () => {
    expect(afterWait({ attempt: 2, launch: 2, lost: 1, disrupted: 0 })).toEqual({
      attempt: 3,
      launch: 1,
      lost: 1,
      disrupted: 0,
    });
  });

  it('does not count as a loss, however often a run waits', () => {
    let now = FIRST_ATTEMPT;
    for (let waits = 0; waits < 20; waits += 1) now = afterWait(now);
    expect(afterLoss(now, 'agent_lost')).toMatchObject({ attempt: 22, lost: 1 });
  });
});
