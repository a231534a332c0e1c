/** Limits of what the agent of a run may send: one write at a time, and a rate of requests and of bytes. For each server. */
import pLimit, { type LimitFunction } from 'p-limit';

export interface WriteLimits {
  /** Writes of a run that wait for the one before; more are refused. */
  readonly waiting: number;
  readonly requests: Rate;
  readonly bytes: Rate;
}

export interface Rate {
  /** As many at once, after a pause. */
  readonly burst: number;
  readonly perSecond: number;
}

const MIB = 1024 * 1024;

/** Far above what a runner sends: four batches of log lines a second, and every ten seconds what is new of the conversation. */
const WRITE_LIMITS: WriteLimits = {
  waiting: 4,
  requests: { burst: 300, perSecond: 10 },
  bytes: { burst: 256 * MIB, perSecond: MIB },
};

/** The write was refused; it may be repeated after so many seconds. */
export interface TooFast {
  readonly retryAfter: number;
}

export interface RunWrites {
  /** Performs a write of a run after those before it, or refuses it. `spend` counts the bytes of its body. */
  write<T>(runId: string, perform: (spend: (bytes: number) => void) => Promise<T>): Promise<T | TooFast>;
}

interface Account {
  readonly oneAtATime: LimitFunction;
  requests: number;
  bytes: number;
  /** When the two were counted last. */
  at: number;
}

/** `now`: milliseconds of a clock that does not go back. */
export function createRunWrites(limits: WriteLimits = WRITE_LIMITS, now = (): number => performance.now()): RunWrites {
  const accounts = new Map<string, Account>();

  function accountOf(runId: string): Account {
    const account = accounts.get(runId) ?? {
      oneAtATime: pLimit(1),
      requests: limits.requests.burst,
      bytes: limits.bytes.burst,
      at: now(),
    };
    refill(account);
    // The newest last, so that the first are those of runs that write no more.
    accounts.delete(runId);
    accounts.set(runId, account);
    return account;
  }

  function refill(account: Account): void {
    const seconds = (now() - account.at) / 1000;
    account.at = now();
    account.requests = Math.min(limits.requests.burst, account.requests + seconds * limits.requests.perSecond);
    account.bytes = Math.min(limits.bytes.burst, account.bytes + seconds * limits.bytes.perSecond);
  }

  /** An account that is full again is as good as none. */
  function forgetOld(): void {
    for (const [runId, account] of accounts) {
      refill(account);
      const { oneAtATime, requests, bytes } = account;
      const busy = oneAtATime.activeCount + oneAtATime.pendingCount > 0;
      if (busy || requests < limits.requests.burst || bytes < limits.bytes.burst) return;
      accounts.delete(runId);
    }
  }

  return {
    async write(runId, perform) {
      forgetOld();
      const account = accountOf(runId);
      const { oneAtATime, requests, bytes } = account;
      const seconds = Math.max(
        (1 - requests) / limits.requests.perSecond,
        bytes > 0 ? 0 : (1 - bytes) / limits.bytes.perSecond,
        oneAtATime.pendingCount >= limits.waiting ? 1 : 0,
      );
      if (seconds > 0) return { retryAfter: Math.ceil(seconds) };
      account.requests -= 1;
      return oneAtATime(() =>
        perform((count) => {
          account.bytes -= count;
        }),
      );
    },
  };
}
