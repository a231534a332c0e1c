/**
 * The conditions for a run to begin. The issue's workflow evaluates them just before the launch, with GitHub's state and the
 * issue's own history.
 */
import { profileChoice } from '../stages/labels.ts';
import type { ModelSelection } from '../stages/model-selection.ts';
import {
  NEED_INPUT,
  normalizeLabel,
  TRAJECTORIES,
  stageRow,
  STATE_BLOCKED,
  triggerLabel,
  type Stage,
  type TriggerTarget,
} from '../stages/stages.ts';

/** A stage that is done: its run, and its pull request. */
interface DoneStage {
  readonly runId: string;
  readonly pullRequest: number;
  /** When the run ended, ISO 8601. */
  readonly at: string;
}

/** The stages of an issue that are done and not superseded. */
export type DoneStages = Partial<Record<Stage, DoneStage>>;

/** A pull request of the issue. */
export interface PullRequestRef {
  readonly number: number;
  readonly url: string;
}

/** What a closed issue leaves to the one that is reopened. */
export interface PriorIssueState {
  readonly done: DoneStages;
  /** The number of its branch: a branch ends with its pull request. */
  readonly branch: number;
  /** The prefix of that branch, if it is not the usual one. */
  readonly branchPrefix?: string;
  /** The pull request that was open; GitHub is asked whether it was merged meanwhile. */
  readonly pullRequest: PullRequestRef | null;
  readonly last: LastWork | null;
  /** Why the platform had put `need:input` on; null if it had not. */
  readonly asked: string | null;
  /** The newest `labeled` events processed on its pull requests, whose events do not begin again with the issue's. */
  readonly taken?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** The newest events there that were refused when their delivery was evaluated. */
  readonly refused?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** The last run that left work behind: a revise continues it. */
export interface LastWork {
  readonly runId: string;
  readonly stage: Stage;
  readonly threadId: string;
  readonly headSha?: string;
  readonly selection?: ModelSelection;
}

/** The pull requests of an issue, as far as late stages depend on them. */
export interface Candidates {
  /** Whether one is open. */
  readonly open: boolean;
  /** Whether one was merged. */
  readonly merged: boolean;
  /** Those that are open, with the numbers of their branches, oldest first. */
  readonly openOnes?: readonly (PullRequestRef & { readonly branch: number; readonly branchPrefix?: string })[];
}

export interface GateContext {
  /** The issue's labels now. */
  readonly labels: readonly string[];
  readonly done: DoneStages;
  /** Undefined if GitHub was not asked: a review has a pull request in any case. */
  readonly candidates: Candidates | undefined;
  /**
   * Whether the platform itself put `need:input` on, for a trigger that could not be carried out: the next trigger answers it.
   */
  readonly asked: boolean;
}

/** Why a run may not begin. `labels`: those that would be possible instead, or those that conflict. */
export interface GateRefusal {
  readonly reason:
    | 'state_blocked'
    | 'needs_input'
    | 'profile_label_conflict'
    | 'stage_not_in_profile'
    | 'stage_entry_not_met'
    | 'issue_trigger_candidate_not_found';
  readonly labels: readonly string[];
}

/** The refusal of the breaker: an issue asked for too many runs in an hour. */
export const TOO_MANY_TRIGGERS = 'too_many_triggers';

/** Refusals that a person has to resolve: the platform puts `need:input` on with its comment. */
export const ASKING: ReadonlySet<string> = new Set([
  'issue_trigger_label_conflict',
  'issue_trigger_candidate_not_found',
  TOO_MANY_TRIGGERS,
  'pull_request_review_stage_ambiguous',
  'pull_request_review_stage_not_resolved',
]);

/** Whether a run may begin, or why not. Discussions and reviews have no gate. */
export function gate(target: TriggerTarget, known: GateContext): GateRefusal | undefined {
  if (target.kind === 'discussion' || target.kind === 'review') return undefined;
  const labels = new Set(known.labels.map(normalizeLabel));
  if (labels.has(STATE_BLOCKED)) return { reason: 'state_blocked', labels: [STATE_BLOCKED] };
  if (labels.has(NEED_INPUT) && !known.asked) return { reason: 'needs_input', labels: [NEED_INPUT] };
  return entry(target, known) ?? candidate(target, known);
}

/**
 * A stage begins where its trajectory says so. Stages that the trajectory leaves out are waived; a stage that is done may be
 * repeated.
 */
function entry(target: TriggerTarget, { labels, done }: GateContext): GateRefusal | undefined {
  const chosen = profileChoice(labels);
  if (chosen.conflict) return { reason: 'profile_label_conflict', labels: chosen.conflict };
  if (target.kind === 'revise' || !TRAJECTORIES.some(({ stages }) => includes(stages, target.stage))) return undefined;
  const allowed =
    chosen.chosen === undefined
      ? compatibleTrajectories(done)
      : TRAJECTORIES.filter(({ name }) => name === chosen.chosen);
  const within = allowed.filter(({ stages }) => includes(stages, target.stage));
  if (within.length === 0) return { reason: 'stage_not_in_profile', labels: suggestions(allowed, done) };
  const met = within.some(({ stages }) => isNext(stages, target.stage, done));
  return met ? undefined : { reason: 'stage_entry_not_met', labels: suggestions(allowed, done) };
}

type TrajectoryRow = (typeof TRAJECTORIES)[number];

/** The trajectories that contain every stage done so far: an issue that began with intake cannot skip to dev by itself. */
function compatibleTrajectories(done: DoneStages): readonly TrajectoryRow[] {
  const doneStages = (Object.keys(done) as Stage[]).filter((stage) =>
    TRAJECTORIES.some(({ stages }) => includes(stages, stage)),
  );
  return TRAJECTORIES.filter(({ stages }) => doneStages.every((stage) => includes(stages, stage)));
}

function isNext(trajectory: readonly Stage[], stage: Stage, done: DoneStages): boolean {
  const before = trajectory[trajectory.indexOf(stage) - 1];
  return before === undefined || done[before] !== undefined || done[stage] !== undefined;
}

/** The labels that would be possible now. */
function suggestions(trajectories: readonly TrajectoryRow[], done: DoneStages): string[] {
  const next = trajectories.flatMap(({ stages }) => {
    const order: readonly Stage[] = stages;
    return order.filter((stage) => done[stage] === undefined && isNext(order, stage, done));
  });
  return [...new Set(next)].map((stage) => triggerLabel({ stage, kind: 'work' }));
}

/** Late stages need a pull request of `dev`. */
function candidate(target: TriggerTarget, { candidates }: GateContext): GateRefusal | undefined {
  const wanted = stageRow(target.stage).candidate;
  if (candidates === undefined) return undefined;
  const found = wanted === null || (wanted === 'open_work' ? candidates.open : candidates.merged);
  if (found) return undefined;
  const labels = [triggerLabel({ stage: 'dev', kind: 'work' }), triggerLabel({ stage: 'dev', kind: 'revise' })];
  return { reason: 'issue_trigger_candidate_not_found', labels };
}

/** Whether the pull request of such a run is everything that the issue asks for, so that merging it closes the issue. */
export function isWholeWork({ stage }: TriggerTarget, done: DoneStages): boolean {
  if (stageRow(stage).scope !== 'code') return false;
  return compatibleTrajectories(done).some(({ name }) => name === 'quick-fix');
}

/** All stages of trajectories, in order: the longest trajectory contains every one. */
const ORDER: readonly Stage[] = TRAJECTORIES[2].stages;

/** The stages that a rethink supersedes: the one that it goes back to, and everything done after it. */
export function supersededBy(backTo: Stage, done: DoneStages): readonly Stage[] {
  if (done[backTo] === undefined) return [];
  const from = ORDER.indexOf(backTo);
  return (Object.keys(done) as Stage[]).filter(
    (stage) => stage === backTo || (from !== -1 && ORDER.indexOf(stage) > from),
  );
}

/** The stages that a rethink may go back to: those that are done, in the order of the longest trajectory. */
export function rethinkable(done: DoneStages): readonly Stage[] {
  return ORDER.filter((stage) => done[stage] !== undefined);
}

function includes(trajectory: readonly Stage[], stage: Stage): boolean {
  return trajectory.includes(stage);
}
