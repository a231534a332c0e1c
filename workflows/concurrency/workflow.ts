/**
 * Grants permits to work to all runs of the installation (src/domain/run/permits.ts). Runs ask by an update and give back by a
 * signal; while runs wait, those with a permit that have ended are looked for. The workflow never ends. If it is ended from
 * outside, the next run that asks starts it again, and waiting runs ask again by themselves (run/permit.ts).
 */
import {
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  rootCause,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import {
  acquire,
  grant,
  IDLE,
  release,
  queuePosition,
  RUN_LIMITS,
  type PermitAnswer,
  type PermitChange,
} from '../../src/domain/run/permits.ts';
import { findEndedRuns } from '../activities.ts';
import {
  acquirePermits,
  permitGranted,
  permitsQuery,
  queuePosition as queuePositionSignal,
  releasePermit,
  runWorkflowId,
  type PermitsInput,
  type PermitsState,
} from '../messages.ts';

const REVIEW_SECONDS = 60;

/** Runs that are signaled at once; Temporal allows 2000 pending signals. */
const SIGNALS_AT_ONCE = 500;

export async function permitsWorkflow({
  reviewSeconds = REVIEW_SECONDS,
  state: carried,
}: PermitsInput): Promise<never> {
  const state: PermitsState = carried ?? {
    version: 1,
    permits: IDLE,
    limits: RUN_LIMITS,
    pendingGrants: [],
    queuePositions: {},
    reviewedAt: 0,
  };
  let reviewing = false;

  setHandler(acquirePermits, ({ runs, limits }) => {
    state.limits = limits;
    const at = new Date().toISOString();
    for (const run of runs) take(acquire(state.permits, { ...run, at }, limits));
    return runs.map(({ runId }) => answerTo(runId));
  });
  setHandler(releasePermit, ({ runId }) => take(release(state.permits, runId, state.limits)));
  setHandler(permitsQuery, () => state.permits);

  function take({ state: next, granted }: PermitChange): void {
    state.permits = next;
    state.pendingGrants.push(...granted);
  }

  function answerTo(runId: string): PermitAnswer {
    const waitsAt = queuePosition(state.permits, runId);
    if (waitsAt === null) {
      state.pendingGrants = state.pendingGrants.filter((other) => other !== runId);
      return { granted: true };
    }
    state.queuePositions[runId] = waitsAt;
    return { granted: false, position: waitsAt };
  }

  const somebodyWaits = (): boolean => state.permits.waiting.length > 0;

  /** Milliseconds until the runs with a permit are checked; undefined while no run waits. */
  function untilReview(): number | undefined {
    if (!somebodyWaits() || reviewing) return undefined;
    return Math.max(0, state.reviewedAt + reviewSeconds * 1000 - Date.now());
  }

  async function signalGranted(): Promise<void> {
    const runs = state.pendingGrants.splice(0, SIGNALS_AT_ONCE);
    await Promise.all(
      runs.map((runId) => getExternalWorkflowHandle(runWorkflowId(runId)).signal(permitGranted).catch(gone(runId))),
    );
  }

  /** Not with each change: each new position rewrites a comment on GitHub. */
  async function signalPositions(): Promise<void> {
    const moved: [string, number][] = [];
    const positions: Record<string, number> = {};
    for (const { runId } of state.permits.waiting) {
      const before = state.queuePositions[runId] ?? 0;
      const now = queuePosition(state.permits, runId) ?? before;
      if (now !== before && moved.length < SIGNALS_AT_ONCE) moved.push([runId, now]);
      positions[runId] = before;
    }
    state.queuePositions = { ...positions, ...Object.fromEntries(moved) };
    await Promise.all(
      moved.map(([runId, now]) =>
        getExternalWorkflowHandle(runWorkflowId(runId))
          .signal(queuePositionSignal, { position: now })
          .catch(gone(runId)),
      ),
    );
  }

  /** A run that cannot be signaled has ended. */
  function gone(runId: string): (error: unknown) => void {
    return (error) => {
      if (isCancellation(error)) throw error;
      log.warn('a run that waited for a permit has ended', { runId, error: String(error) });
      take(release(state.permits, runId, state.limits));
    };
  }

  async function review(): Promise<void> {
    reviewing = true;
    try {
      const { ended, limits } = await findEndedRuns({ runIds: state.permits.holders.map(({ runId }) => runId) });
      state.limits = limits;
      for (const runId of ended) take(release(state.permits, runId, limits));
      take(grant(state.permits, limits));
      await signalPositions();
    } catch (error) {
      log.warn('runs with a permit could not be checked', { error: rootCause(error) ?? String(error) });
    } finally {
      state.reviewedAt = Date.now();
      reviewing = false;
    }
  }

  for (;;) {
    await signalGranted();
    if (untilReview() === 0) void review();
    const limit = untilReview();
    const before = [somebodyWaits(), reviewing];
    const changed = (): boolean =>
      state.pendingGrants.length > 0 ||
      somebodyWaits() !== before[0] ||
      reviewing !== before[1] ||
      (workflowInfo().continueAsNewSuggested && !reviewing);
    await (limit === undefined ? condition(changed) : condition(changed, limit));
    if (workflowInfo().continueAsNewSuggested && !reviewing)
      await continueAsNew<typeof permitsWorkflow>({ reviewSeconds, state });
  }
}
