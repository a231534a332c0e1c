/** What people can do next about a run, by its stage, kind and state: the table at the end of its status comment. */
import type { Locale } from '../locale.ts';
import { nextStepTexts } from './next-step-texts.ts';
import type { RunStatus } from '../run/runs.ts';
import type { RunWait } from '../run/waits.ts';
import {
  leavesWork,
  NEED_REVIEWER,
  TRAJECTORIES,
  stageRow,
  triggerLabel,
  type TrajectoryName,
  type Stage,
  type TriggerTarget,
} from '../stages/stages.ts';

/** What the next steps depend on. */
export interface StepContext {
  readonly runId: string;
  readonly target: TriggerTarget;
  readonly status: RunStatus;
  /** Whether a review asked for the run. */
  readonly byReview: boolean;
  /** Whether whoever asked owns the account that opens the pull requests: they cannot request changes on them. */
  readonly byOwnAccount?: true;
  readonly pullRequest: { readonly number: number; readonly url: string } | null;
  /** Of a rethink that is done: the stage that it goes back to. */
  readonly backTo?: Stage;
  /** While it waits. */
  readonly wait?: RunWait;
}

/** Pages of the dashboard, and the number by which GitHub links to the issue. */
export interface Pages {
  readonly run: string;
  readonly issue: string;
  readonly issueNumber: number;
}

/** A next step. `label` belongs on the issue, unless the step says otherwise. */
export type NextStep =
  | {
      readonly step:
        | 'follow'
        | 'see_queue'
        | 'see_why'
        | 'see_end'
        | 'say_more'
        | 'ask_review_again'
        | 'cancel_by_command'
        | 'answer'
        | 'resume';
    }
  | {
      readonly step: 'cancel_by_label' | 'ask_again' | 'ask_again_on_pull_request' | 'end_discussion';
      readonly label: string;
    }
  | { readonly step: 'review' | 'read_review' | 'have_worked_in' | 'have_worked_in_by_label' }
  | { readonly step: 'review_by_label'; readonly label: string }
  | { readonly step: 'have_reviewed' | 'revise' | 'rethink' | 'go_back'; readonly label: string }
  | { readonly step: 'go_on'; readonly label: string; readonly profiles: readonly TrajectoryName[] };

/** The next steps, in the order in which they are shown. */
export function nextSteps(run: StepContext): readonly NextStep[] {
  switch (run.status) {
    case 'queued':
      return [{ step: 'see_queue' }, cancel(run)];
    case 'preparing':
    case 'working':
      return [{ step: 'follow' }, cancel(run)];
    case 'waiting':
      return [{ step: run.wait?.kind === 'paused' ? 'resume' : 'answer' }, cancel(run)];
    case 'publishing':
      return [{ step: 'follow' }];
    case 'failed':
      return [{ step: 'see_why' }, askAgain(run)];
    case 'canceled':
      return [{ step: 'see_end' }, askAgain(run)];
    case 'succeeded':
      return afterSuccess(run);
  }
}

/** Discussions and runs that a review asked for have no label to take off. */
function cancel({ target, byReview }: StepContext): NextStep {
  if (target.kind === 'discussion') return { step: 'end_discussion', label: triggerLabel(target) };
  return byReview ? { step: 'cancel_by_command' } : { step: 'cancel_by_label', label: triggerLabel(target) };
}

function askAgain({ target, byReview }: StepContext): NextStep {
  if (target.kind === 'discussion') return { step: 'say_more' };
  if (target.kind === 'review') return { step: 'ask_again_on_pull_request', label: NEED_REVIEWER };
  return byReview ? { step: 'ask_review_again' } : { step: 'ask_again', label: triggerLabel(target) };
}

function afterSuccess({ target, backTo, byOwnAccount }: StepContext): NextStep[] {
  const { stage, kind } = target;
  if (kind === 'discussion') return [{ step: 'say_more' }, { step: 'end_discussion', label: triggerLabel(target) }];
  if (kind === 'review')
    return [{ step: 'read_review' }, { step: byOwnAccount ? 'have_worked_in_by_label' : 'have_worked_in' }];
  if (!leavesWork(target)) return [];
  const revise = triggerLabel({ stage, kind: 'revise' });
  const { revisable } = stageRow(stage);
  const steps: NextStep[] = [
    byOwnAccount && revisable ? { step: 'review_by_label', label: revise } : { step: 'review' },
    { step: 'have_reviewed', label: NEED_REVIEWER },
  ];
  if (revisable && !byOwnAccount) steps.push({ step: 'revise', label: revise });
  if (backTo) steps.push({ step: 'go_back', label: triggerLabel({ stage: backTo, kind: 'work' }) });
  const following = stagesAfter(stage);
  for (const { next, profiles } of following)
    steps.push({ step: 'go_on', label: triggerLabel({ stage: next, kind: 'work' }), profiles });
  if (inTrajectory(stage)) steps.push({ step: 'rethink', label: triggerLabel({ stage: 'rethink', kind: 'work' }) });
  return steps;
}

/** The stages that follow a stage, each with the profiles in which it does. */
export function stagesAfter(stage: Stage): { readonly next: Stage; readonly profiles: readonly TrajectoryName[] }[] {
  const found = new Map<Stage, TrajectoryName[]>();
  for (const { name, stages } of TRAJECTORIES) {
    const order: readonly Stage[] = stages;
    const next = order.includes(stage) ? order[order.indexOf(stage) + 1] : undefined;
    if (next) found.set(next, [...(found.get(next) ?? []), name]);
  }
  return [...found].map(([next, profiles]) => ({ next, profiles }));
}

function inTrajectory(stage: Stage): boolean {
  return TRAJECTORIES.some(({ stages }) => (stages as readonly Stage[]).includes(stage));
}

/** The next steps as a Markdown table; empty if there are none. */
export function renderNextSteps(run: StepContext, locale: Locale, pages: Pages): string {
  const texts = nextStepTexts(locale);
  const rows = nextSteps(run).map((step) => {
    const { want, how } = texts.steps(step, {
      runPage: pages.run,
      issuePage: pages.issue,
      issue: `#${pages.issueNumber}`,
      runId: run.runId,
      pullRequest: run.pullRequest ? `[#${run.pullRequest.number}](${run.pullRequest.url})` : null,
    });
    return `| ${want} | ${how} |`;
  });
  if (rows.length === 0) return '';
  return [`**${texts.title}**`, '', `| ${texts.want} | ${texts.how} |`, '|---|---|', ...rows].join('\n');
}
