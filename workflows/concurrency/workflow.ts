/**
 * Says whose turn it is among all runs of the installation (src/domain/run/permits.ts). Runs ask by an update and give their turn
 * up by a signal; while somebody waits, those that ended without a word are looked for. It never ends. Ended from outside
 * it begins anew with the next run that asks, and those that wait ask again by themselves (run-turn.ts).
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
  ask,
  grant,
  IDLE,
  leave,
  place,
  RUN_LIMITS,
  type CapacityAnswer,
  type CapacityChange,
} from '../../src/domain/run/permits.ts';
import { findEndedRuns } from '../activities.ts';
import {
  askForCapacity,
  capacityGranted,
  capacityPlace,
  capacityQuery,
  leaveCapacity,
  runWorkflowId,
  type CapacityInput,
  type CoordinatorState,
} from '../messages.ts';

const REVIEW_SECONDS = 60;

/** Runs that are told something at once; Temporal takes 2000 signals under way. */
const TOLD_AT_ONCE = 500;

export async function capacityWorkflow({
  reviewSeconds = REVIEW_SECONDS,
  state: carried,
}: CapacityInput): Promise<never> {
  const state: CoordinatorState = carried ?? {
    version: 1,
    capacity: IDLE,
    limits: RUN_LIMITS,
    untold: [],
    places: {},
    reviewedAt: 0,
  };
  let reviewing = false;

  setHandler(askForCapacity, ({ runs, limits }) => {
    state.limits = limits;
    const at = new Date().toISOString();
    for (const run of runs) take(ask(state.capacity, { ...run, at }, limits));
    return runs.map(({ runId }) => answerTo(runId));
  });
  setHandler(leaveCapacity, ({ runId }) => take(leave(state.capacity, runId, state.limits)));
  setHandler(capacityQuery, () => state.capacity);

  function take({ state: next, granted }: CapacityChange): void {
    state.capacity = next;
    state.untold.push(...granted);
  }

  function answerTo(runId: string): CapacityAnswer {
    const waitsAt = place(state.capacity, runId);
    if (waitsAt === null) {
      state.untold = state.untold.filter((other) => other !== runId);
      return { granted: true };
    }
    state.places[runId] = waitsAt;
    return { granted: false, place: waitsAt };
  }

  const somebodyWaits = (): boolean => state.capacity.waiting.length > 0;

  /** Milliseconds until those whose turn it is are looked at; undefined while nobody waits for their turn. */
  function untilReview(): number | undefined {
    if (!somebodyWaits() || reviewing) return undefined;
    return Math.max(0, state.reviewedAt + reviewSeconds * 1000 - Date.now());
  }

  async function tellGranted(): Promise<void> {
    const runs = state.untold.splice(0, TOLD_AT_ONCE);
    await Promise.all(
      runs.map((runId) => getExternalWorkflowHandle(runWorkflowId(runId)).signal(capacityGranted).catch(gone(runId))),
    );
  }

  /** Not with each change: every place is a line that somebody's comment on GitHub is written anew for. */
  async function tellPlaces(): Promise<void> {
    const told: [string, number][] = [];
    const places: Record<string, number> = {};
    for (const { runId } of state.capacity.waiting) {
      const before = state.places[runId] ?? 0;
      const now = place(state.capacity, runId) ?? before;
      if (now !== before && told.length < TOLD_AT_ONCE) told.push([runId, now]);
      places[runId] = before;
    }
    state.places = { ...places, ...Object.fromEntries(told) };
    await Promise.all(
      told.map(([runId, now]) =>
        getExternalWorkflowHandle(runWorkflowId(runId)).signal(capacityPlace, { place: now }).catch(gone(runId)),
      ),
    );
  }

  /** A run that cannot be told anything has ended. */
  function gone(runId: string): (error: unknown) => void {
    return (error) => {
      if (isCancellation(error)) throw error;
      log.warn('a run that waited for its turn is gone', { runId, error: String(error) });
      take(leave(state.capacity, runId, state.limits));
    };
  }

  async function review(): Promise<void> {
    reviewing = true;
    try {
      const { ended, limits } = await findEndedRuns({ runIds: state.capacity.holders.map(({ runId }) => runId) });
      state.limits = limits;
      for (const runId of ended) take(leave(state.capacity, runId, limits));
      take(grant(state.capacity, limits));
      await tellPlaces();
    } catch (error) {
      log.warn('those whose turn it is were not looked at', { error: rootCause(error) ?? String(error) });
    } finally {
      state.reviewedAt = Date.now();
      reviewing = false;
    }
  }

  for (;;) {
    await tellGranted();
    if (untilReview() === 0) void review();
    const limit = untilReview();
    const before = [somebodyWaits(), reviewing];
    const changed = (): boolean =>
      state.untold.length > 0 ||
      somebodyWaits() !== before[0] ||
      reviewing !== before[1] ||
      (workflowInfo().continueAsNewSuggested && !reviewing);
    await (limit === undefined ? condition(changed) : condition(changed, limit));
    if (workflowInfo().continueAsNewSuggested && !reviewing)
      await continueAsNew<typeof capacityWorkflow>({ reviewSeconds, state });
  }
}
