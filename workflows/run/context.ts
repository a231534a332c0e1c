/** The state that the parts of a run's workflow share. */
import { CancellationScope, getExternalWorkflowHandle } from '@temporalio/workflow';
import type { GoingOn } from '../../src/domain/agent/going-on.ts';
import type { ParkedCall } from '../../src/domain/approvals/parked-call.ts';
import { issueKey, type Fact } from '../../src/domain/issue/facts.ts';
import type { Attempts } from '../../src/domain/run/attempts.ts';
import type { Heard } from '../../src/domain/run/runs.ts';
import { endRun } from '../activities.ts';
import { observed, type RunInput } from '../messages.ts';
import { logged } from './failure.ts';
import type { PermitQueue } from './permit.ts';
import type { ProgressReporter } from './progress.ts';

export interface RunContext {
  readonly input: RunInput;
  readonly progress: ProgressReporter;
  readonly permits: PermitQueue;
  attempts: Attempts;
  /** The attempt whose agent is at work; null while there is none. */
  atWork: number | null;
  /** A tool call that waits for people, and was found when its agent was paused. */
  parked: ParkedCall | null;
  /** What the next agent resumes with; null before any wait. */
  goingOn: GoingOn | null;
  /** The commit of the base branch that the work is based on; null if there is none, or before it is known. */
  baseCommit: string | null;
  /** Of a discussion: what the run has heard; undefined until its assignment is there. */
  heard?: Heard;
  /** Set when the token has been revoked and the permit released for good. */
  ending?: Promise<void>;
}

/** Revokes the run's tokens and releases its permit, once, and also when the run is canceled. */
export function endAgents(run: RunContext): Promise<void> {
  run.ending ??= CancellationScope.nonCancellable(() => endRun({ runId: run.input.plan.runId }));
  return run.ending;
}

/** Signals a fact to the issue's workflow, whichever execution is current. */
export async function signalIssue({ issue }: RunInput, fact: Fact): Promise<void> {
  await getExternalWorkflowHandle(issueKey(issue))
    .signal(observed, { facts: [{ seq: null, fact }] })
    .catch(logged);
}
