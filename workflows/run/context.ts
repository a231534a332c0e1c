/** What the parts of a run's workflow share. */
import { CancellationScope, getExternalWorkflowHandle } from '@temporalio/workflow';
import type { GoingOn } from '../../src/domain/agent/going-on.ts';
import { issueKey, type Fact } from '../../src/domain/issue/facts.ts';
import type { Attempts } from '../../src/domain/run/attempts.ts';
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
  /** With what the next agent goes on; null before any wait. */
  goingOn: GoingOn | null;
  /** The commit of the base branch that the work stands on; null where there is none, and before it is known. */
  baseCommit: string | null;
  /** Set as soon as its token is revoked and its permit released, for good. */
  ending?: Promise<void>;
}

/** No agent works for the run any more: its token is revoked and its permit released, once, and also when it is canceled. */
export function endAgents(run: RunContext): Promise<void> {
  run.ending ??= CancellationScope.nonCancellable(() => endRun({ runId: run.input.plan.runId }));
  return run.ending;
}

/** A fact for the issue's workflow, whichever execution of it goes on. */
export async function signalIssue({ issue }: RunInput, fact: Fact): Promise<void> {
  await getExternalWorkflowHandle(issueKey(issue))
    .signal(observed, { facts: [{ seq: null, fact }] })
    .catch(logged);
}
