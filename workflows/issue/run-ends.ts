/** A run has ended: what it left behind is taken up, its label settled, and the next one begins. */
import { type DoneStages, supersededBy } from '../../src/domain/issue/gates.ts';
import { labelToRemove, type PlannedRun } from '../../src/domain/issue/issue-life.ts';
import type { RunOutcome, UnfinishedOutcome } from '../../src/domain/run/runs.ts';
import type { RunWait } from '../../src/domain/run/waits.ts';
import { leavesWork, type Stage, STATE_IN_REVIEW, STATE_SUPERSEDED } from '../../src/domain/stages/stages.ts';
import { endRun, settleLabels, stopAgent } from '../activities.ts';
import { leftOut, showEnded } from './projection.ts';
import { cleanUp, whyOver } from './workspace.ts';
import { inBackground, type IssueInHand } from './context.ts';
import { startNext } from './queue.ts';

/** Takes its label off, puts `state:in-review` on where there is work to review (requirements.md 9.2 B32), and goes on. */
export async function runFinished(here: IssueInHand, runId: string, outcome: RunOutcome): Promise<void> {
  const { issue, state, show, discussion } = here;
  const finished = state.active;
  if (finished?.runId !== runId) return;
  state.active = null;
  const delivered = outcome.status === 'succeeded' && !outcome.mergedBy && leavesWork(finished.target) ? outcome : null;
  if (delivered) await takeUp(here, finished, delivered);
  // Where nothing can be written, a refusal that may pass would be waited for, and the workspace with it.
  const settling = state.gone === null ? settleLabels : async () => undefined;
  const settled = settling({
    issue: finished.pullRequest === undefined ? issue : { ...issue, number: finished.pullRequest },
    remove: labelToRemove(finished, state.queue),
    add: delivered ? STATE_IN_REVIEW : null,
    pullRequest: delivered?.pullRequest?.number ?? null,
  }).catch(leftOut);
  await Promise.all([show([]), settled]);
  if (finished.target.kind === 'discussion') await discussion.turnOver(finished, outcome);
  if (state.closed) return cleanUp(here, whyOver(state));
  await startNext(here);
}

/** The active run waits for people, or goes on. */
export async function runWaits({ state, show }: IssueInHand, runId: string, wait: RunWait | null): Promise<void> {
  if (state.active?.runId !== runId) return;
  const { wait: _, ...active } = state.active;
  state.active = wait ? { ...active, wait } : active;
  await show([]);
}

/** A run whose workflow was ended from outside: its agent is stopped, and the last word on it is said here. */
export async function runLost(here: IssueInHand, runId: string, outcome: UnfinishedOutcome): Promise<void> {
  const { issue, state } = here;
  const lost = state.active;
  if (lost?.runId !== runId) return;
  if (state.workspace) await stopAgent({ runId, workspace: state.workspace.name }).catch(leftOut);
  await endRun({ runId });
  await showEnded(issue, state, lost, outcome).catch(leftOut);
  await runFinished(here, runId, outcome);
}

/** What a run has left behind: the issue goes on from there. */
async function takeUp(
  here: IssueInHand,
  { runId, target }: PlannedRun,
  { pullRequest, threadId, headSha, profile, backTo }: Extract<RunOutcome, { status: 'succeeded' }>,
): Promise<void> {
  const { state } = here;
  if (!pullRequest) return;
  state.pullRequest = pullRequest;
  state.last = {
    runId,
    stage: target.stage,
    threadId,
    ...(headSha === undefined ? {} : { headSha }),
    ...(profile === undefined ? {} : { profile }),
  };
  const at = new Date().toISOString();
  const before = state.done ?? {};
  state.done = { ...before, [target.stage]: { runId, pullRequest: pullRequest.number, at } };
  if (target.stage === 'rethink' && backTo && before[backTo]) await supersede(here, backTo, before);
}

/** A rethink gives up a stage and all that came after it; pull requests that hold nothing else are marked so. */
async function supersede({ issue, state, show }: IssueInHand, backTo: Stage, before: DoneStages): Promise<void> {
  const given = supersededBy(backTo, before);
  const done = Object.fromEntries(
    Object.entries(state.done ?? {}).filter(([stage]) => !given.includes(stage as Stage)),
  ) as DoneStages;
  state.done = done;
  const kept = new Set([state.pullRequest?.number, ...Object.values(done).map((row) => row.pullRequest)]);
  const pulls = new Set(given.flatMap((stage) => before[stage]?.pullRequest ?? []));
  for (const number of pulls) {
    if (kept.has(number)) continue;
    const on = { ...issue, number };
    inBackground(settleLabels({ issue: on, remove: null, add: STATE_SUPERSEDED, pullRequest: null }));
  }
  await show([{ type: 'stage.superseded', payload: { back_to: backTo, stages: given } }]);
}
