/** A run has ended: its work is recorded, its labels are moved, and the next run starts. */
import type { RunOutcome, UnfinishedOutcome } from '../../run/runs.ts';
import { leavesWork, STATE_IN_REVIEW, STATE_SUPERSEDED, triggerLabel, type Stage } from '../../stages/stages.ts';
import type { Effect } from '../effects.ts';
import { supersededBy, type DoneStages } from '../gates.ts';
import type { PlannedRun } from '../state.ts';
import { showEnded } from './cancels.ts';
import { discussionRunEnded } from './discussion.ts';
import { record, type Deciding, type Draft } from './draft.ts';
import { goOn } from './queue.ts';
import { removeWorkspace, whyOver } from './workspace.ts';

type Delivered = Extract<RunOutcome, { status: 'succeeded' }>;

/** Removes the run's label, adds `state:in-review` if there is work to review, and continues. */
export function runFinished(draft: Draft, runId: string, outcome: RunOutcome): void {
  const { state, effects } = draft;
  const finished = state.active;
  if (finished?.runId !== runId) return;
  state.active = null;
  const delivered = outcome.status === 'succeeded' && !outcome.mergedBy && leavesWork(finished.target) ? outcome : null;
  if (delivered) recordWork(draft, finished, delivered);
  const shown: Draft = { ...draft, effects: [] };
  record(shown);
  effects.push({ kind: 'at_once', effects: [...shown.effects, ...settledLabels(draft, finished, delivered)] });
  if (finished.target.kind === 'discussion') discussionRunEnded(draft, finished, outcome);
  if (state.closed) return removeWorkspace(draft, whyOver(state));
  goOn(draft);
}

/** A run's workflow was ended from outside: its agent is stopped before anything is read. */
export function runLost(draft: Draft, runId: string, outcome: UnfinishedOutcome): void {
  const { state, effects } = draft;
  if (state.active?.runId !== runId) return;
  if (state.workspace) effects.push({ kind: 'stop_agent', runId, workspace: state.workspace.name });
  effects.push({ kind: 'end_run', runId }, { kind: 'go_on', fact: { kind: 'run_stopped', runId, outcome } });
}

/** Shows the end of a lost run. */
export function* runStopped(draft: Draft, runId: string, outcome: UnfinishedOutcome): Deciding {
  const lost = draft.state.active;
  if (lost?.runId !== runId) return;
  yield* showEnded(draft, lost, outcome);
  runFinished(draft, runId, outcome);
}

/**
 * The label changes at the end of a run. In a repository that cannot be written to there are none: retries would keep the
 * workspace.
 */
function settledLabels({ state }: Draft, finished: PlannedRun, delivered: Delivered | null): Effect[] {
  if (state.gone !== null) return [];
  const { pullRequest } = finished;
  return [
    {
      kind: 'move_labels',
      issue: pullRequest === undefined ? state.issue : { ...state.issue, number: pullRequest },
      remove: labelToRemove(finished, state.queue),
      add: delivered ? STATE_IN_REVIEW : null,
      pullRequest: delivered?.pullRequest?.number ?? null,
      waits: 'until_done',
    },
  ];
}

/** The label to remove from the issue when a run ends; null while a queued run has the same label. */
export function labelToRemove(run: PlannedRun, queue: readonly PlannedRun[]): string | null {
  // The label of a discussion stays on between its runs.
  if (run.withdrawn || run.target.kind === 'discussion') return null;
  const label = run.label ?? triggerLabel(run.target);
  return queue.some((waiting) => waiting.label === label) ? null : label;
}

/** Records the work of a run: the issue continues from there. */
function recordWork(
  draft: Draft,
  { runId, target }: PlannedRun,
  { pullRequest, threadId, headSha, selection, backTo }: Delivered,
): void {
  const { state, now } = draft;
  if (!pullRequest) return;
  state.pullRequest = pullRequest;
  state.last = {
    runId,
    stage: target.stage,
    threadId,
    ...(headSha === undefined ? {} : { headSha }),
    ...(selection === undefined ? {} : { selection }),
  };
  const before = state.done ?? {};
  state.done = { ...before, [target.stage]: { runId, pullRequest: pullRequest.number, at: now } };
  if (target.stage === 'rethink' && backTo && before[backTo]) supersede(draft, backTo, before);
}

/** A rethink supersedes a stage and everything after it; pull requests that hold nothing else are labeled so. */
function supersede(draft: Draft, backTo: Stage, before: DoneStages): void {
  const { state, effects } = draft;
  const given = supersededBy(backTo, before);
  const done = Object.fromEntries(
    Object.entries(state.done ?? {}).filter(([stage]) => !given.includes(stage as Stage)),
  ) as DoneStages;
  state.done = done;
  const kept = new Set([state.pullRequest?.number, ...Object.values(done).map((row) => row.pullRequest)]);
  const pulls = new Set(given.flatMap((stage) => before[stage]?.pullRequest ?? []));
  for (const number of pulls) {
    if (kept.has(number)) continue;
    effects.push({
      kind: 'move_labels',
      issue: { ...state.issue, number },
      remove: null,
      add: STATE_SUPERSEDED,
      pullRequest: null,
      waits: 'in_background',
    });
  }
  record(draft, [{ type: 'stage.superseded', payload: { back_to: backTo, stages: given } }]);
}
