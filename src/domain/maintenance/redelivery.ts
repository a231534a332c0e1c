/** Which failed deliveries the redelivery sweep asks GitHub to send again (docs/decisions.md, 3). Pure. */

/** One attempt of GitHub to deliver a webhook; all attempts of a delivery share its guid. */
export interface DeliveryAttempt {
  readonly id: number;
  readonly guid: string;
  /** ISO 8601. */
  readonly deliveredAt: string;
  /** The server's answer; GitHub's own 502 or 504 when there was none, 0 before the first attempt. */
  readonly statusCode: number;
  /** Set while GitHub throttles the delivery and will send it later by itself. */
  readonly throttledAt: string | null;
}

export interface RedeliveryPlan {
  /** The newest failed attempt of each delivery that is to be redelivered now, oldest delivery first. */
  readonly resend: readonly DeliveryAttempt[];
  /** Deliveries that are redelivered later: not due yet, or over this sweep's limit. */
  readonly waiting: number;
  /** Deliveries that are not redelivered any more. */
  readonly givenUp: number;
  /** Deliveries that failed and were stored since. */
  readonly recovered: number;
}

/** GitHub redelivers nothing that is older. */
export const DELIVERIES_KEPT_MS = 3 * 24 * 3_600_000;

/** The wait before the second redelivery; it doubles with each further one. */
const FIRST_WAIT_MS = 4 * 60_000;
const LONGEST_WAIT_MS = 6 * 3_600_000;

/** Attempts in all. A refusal (4xx) is repeated, unless the webhook's secret was just being rotated: fewer attempts. */
const ATTEMPTS_REFUSED = 3;
const ATTEMPTS = 12;

/** GitHub sends a throttled delivery by itself; after this time it counts as failed. */
const THROTTLED_MS = 30 * 60_000;

/**
 * The deliveries that GitHub is to redeliver. A delivery has arrived when one of its attempts succeeded, or when it is `stored`
 * although its attempt failed (the answer came too late). The first redelivery is immediate, later ones back off.
 */
export function planRedelivery(
  attempts: readonly DeliveryAttempt[],
  stored: ReadonlySet<string>,
  { now, limit }: { readonly now: number; readonly limit: number },
): RedeliveryPlan {
  const deliveries = [...Map.groupBy(attempts, ({ guid }) => guid)].map(([guid, tries]) => {
    const ordered = tries.toSorted((one, other) => Date.parse(one.deliveredAt) - Date.parse(other.deliveredAt));
    return {
      arrived: stored.has(guid) || tries.some(succeeded),
      tries: ordered,
      failed: ordered.filter(hasFailed(now)),
    };
  });
  const failed = deliveries.filter((delivery) => delivery.failed.length > 0);
  const open = failed.filter(({ arrived }) => !arrived);
  const wanted = open.filter(({ failed }) => isWorthIt(failed, now));
  const due = wanted
    .filter((delivery) => delivery.tries.length === delivery.failed.length)
    .filter(({ failed }) => Date.parse(newest(failed).deliveredAt) + waitAfter(failed.length) <= now)
    .toSorted((one, other) => Date.parse(first(one.failed).deliveredAt) - Date.parse(first(other.failed).deliveredAt));
  const resend = due.slice(0, limit).map((delivery) => newest(delivery.failed));
  return {
    resend,
    waiting: wanted.length - resend.length,
    givenUp: open.length - wanted.length,
    recovered: failed.length - open.length,
  };
}

/** Whether GitHub counts an attempt as successful. */
function succeeded({ statusCode }: Pick<DeliveryAttempt, 'statusCode'>): boolean {
  return statusCode >= 200 && statusCode < 400;
}

function hasFailed(now: number): (attempt: DeliveryAttempt) => boolean {
  return (attempt) =>
    !succeeded(attempt) && (attempt.throttledAt === null || Date.parse(attempt.throttledAt) + THROTTLED_MS <= now);
}

function isWorthIt(failed: readonly DeliveryAttempt[], now: number): boolean {
  const { statusCode } = newest(failed);
  const refused = statusCode >= 400 && statusCode < 500;
  return (
    failed.length < (refused ? ATTEMPTS_REFUSED : ATTEMPTS) &&
    Date.parse(first(failed).deliveredAt) + DELIVERIES_KEPT_MS > now
  );
}

function waitAfter(attempts: number): number {
  return attempts === 1 ? 0 : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempts - 2));
}

function first(attempts: readonly DeliveryAttempt[]): DeliveryAttempt {
  return attempts[0] as DeliveryAttempt;
}

function newest(attempts: readonly DeliveryAttempt[]): DeliveryAttempt {
  return attempts.at(-1) as DeliveryAttempt;
}
