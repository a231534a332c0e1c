/** The stage that a review which requests changes sends the work back to, or why there is none. */
import { stageRow, STAGES, triggerLabel, triggerOfLabel, type Stage } from '../stages/stages.ts';
import { gateOf } from './label-events.ts';
import type { Fact } from './facts.ts';
import type { DoneStages } from './gates.ts';
import type { IssueState, PlannedRun } from './state.ts';

/** Where the stage of a review is looked for, in this order. */
export interface ReviseSources {
  readonly pullRequestLabels: readonly string[];
  readonly issueLabels: readonly string[];
  /** The stage of the last run on this pull request. */
  readonly lastStage: Stage | undefined;
  readonly done: DoneStages;
}

/** The stage that a review sends the work back to, or the labels that a person can choose from. */
export function resolveReviseStage({ pullRequestLabels, issueLabels, lastStage, done }: ReviseSources):
  | {
      readonly stage: Stage;
      readonly source: 'pr_labels' | 'issue_labels' | 'last_run_context' | 'issue_history';
    }
  | { readonly problem: 'ambiguous' | 'not_resolved'; readonly labels: readonly string[] } {
  for (const [source, labels] of [
    ['pr_labels', pullRequestLabels],
    ['issue_labels', issueLabels],
  ] as const) {
    const stages = [...new Set(labels.flatMap((label) => triggerOfLabel(label)?.stage ?? []))];
    if (stages.length > 1) return { problem: 'ambiguous', labels: reviseLabels(stages) };
    if (stages[0]) return { stage: stages[0], source };
  }
  if (lastStage) return { stage: lastStage, source: 'last_run_context' };
  const newest = newestOf(Object.keys(done) as Stage[], done);
  if (newest) return { stage: newest, source: 'issue_history' };
  return { problem: 'not_resolved', labels: reviseLabels(STAGES.map(({ stage }) => stage)) };
}

function reviseLabels(stages: readonly Stage[]): string[] {
  return stages.filter((stage) => stageRow(stage).revisable).map((stage) => triggerLabel({ stage, kind: 'revise' }));
}

/** The run that a review asks for, or why there is none. */
export function decideRevise(
  state: Pick<IssueState, 'takenReviews' | 'last' | 'closed' | 'done' | 'asked' | 'pullRequest'>,
  fact: Extract<Fact, { kind: 'changes_requested' }>,
  issueLabels: readonly string[] = [],
):
  | { readonly planned: PlannedRun; readonly source: string }
  | { readonly reason: string; readonly labels?: readonly string[] } {
  if (state.closed) return { reason: 'issue_closed' };
  if (state.takenReviews.includes(fact.review)) return { reason: 'trigger_already_taken' };
  if (fact.outdated) return { reason: 'review_outdated' };
  const done = state.done ?? {};
  const onThis = (Object.keys(done) as Stage[]).filter((stage) => done[stage]?.pullRequest === fact.pullRequest);
  const resolved = resolveReviseStage({
    pullRequestLabels: fact.labels,
    issueLabels,
    lastStage:
      (state.pullRequest?.number ?? fact.pullRequest) === fact.pullRequest ? state.last?.stage : newestOf(onThis, done),
    done,
  });
  if ('problem' in resolved)
    return { reason: `pull_request_review_stage_${resolved.problem}`, labels: resolved.labels };
  const { stage, source } = resolved;
  if (!stageRow(stage).revisable) return { reason: 'pull_request_review_stage_not_resolved' };
  if (state.pullRequest && state.pullRequest.number !== fact.pullRequest) return { reason: 'pull_request_not_current' };
  const refusal = gateOf({ stage, kind: 'revise' }, { labels: issueLabels }, state);
  if (refusal) return refusal;
  return {
    source,
    planned: {
      runId: fact.runId,
      target: { stage, kind: 'revise' },
      trigger: { kind: 'review', review: fact.review },
      label: null,
      by: fact.by,
      delivery: fact.delivery,
      requestedAt: fact.at,
      revision: 0,
    },
  };
}

function newestOf(stages: readonly Stage[], done: DoneStages): Stage | undefined {
  return stages.toSorted((a, b) => Date.parse(done[a]?.at ?? '') - Date.parse(done[b]?.at ?? '')).at(-1);
}
