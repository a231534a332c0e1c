/** One run, from its assignment to its end, which it reports to the issue's workflow. */
import {
  CancellationScope,
  CancelledFailure,
  isCancellation,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { ModelSelection } from '../../src/domain/stages/model-selection.ts';
import { afterWait, FIRST_ATTEMPT } from '../../src/domain/run/attempts.ts';
import type { Failure, RunOutcome } from '../../src/domain/run/runs.ts';
import { renderTrigger } from '../../src/domain/run/trigger.ts';
import { leavesWork } from '../../src/domain/stages/stages.ts';
import { answerReview, openPullRequest, prepareAssignment, stopAgent } from '../activities.ts';
import { cancelRun, reportBySignal, runProgressQuery, searchAttributes, type RunInput } from '../messages.ts';
import { haltParkedAgents, letAgentWork, type BriefReport } from './agent.ts';
import { endAgents, signalIssue, type RunContext } from './context.ts';
import { logged, messageOf, outcomeOf, RunFailed, typeOf, type Cancel } from './failure.ts';
import { createPermitQueue } from './permit.ts';
import { createProgressReporter } from './progress.ts';
import { createRunWaits, PAUSED, type RunWaits } from './waits.ts';

export async function runWorkflow(input: RunInput): Promise<RunOutcome> {
  let cancel: Cancel | undefined;
  let reports = false;
  const progress = createProgressReporter(input);
  const run: RunContext = {
    input,
    progress,
    permits: createPermitQueue(),
    attempts: FIRST_ATTEMPT,
    atWork: null,
    parked: null,
    goingOn: null,
    baseCommit: null,
  };
  const waits = createRunWaits(run);
  haltParkedAgents(run);
  const scope = new CancellationScope();
  setHandler(runProgressQuery, () => progress.now());
  setHandler(cancelRun, (request) => {
    cancel ??= request;
    scope.cancel();
  });
  setHandler(reportBySignal, () => {
    reports = true;
  });

  const ended = await scope.run(() => carryOut(run, waits)).catch((error: unknown) => outcomeOf(error, cancel, input));
  const outcome: RunOutcome = run.heard === undefined ? ended : { ...ended, heard: run.heard };
  await CancellationScope.nonCancellable(async () => {
    if (outcome.status === 'canceled' || (outcome.status === 'succeeded' && outcome.mergedBy !== undefined))
      await stopAgent({ runId: input.plan.runId, workspace: input.workspace.name }).catch(logged);
    await endAgents(run);
    await progress.finish(outcome);
    upsertSearchAttributes([{ key: searchAttributes.runStatus, value: outcome.status }]);
    setCurrentDetails(progress.details());
    // A comment that GitHub does not take must not delay the issue.
    if (reports || progress.commentIsOwed() || waits.commentIsOwed())
      await signalIssue(input, { kind: 'run_finished', runId: input.plan.runId, outcome });
    await Promise.all([progress.commentShown(), waits.commentsShown()]);
  });
  return outcome;
}

/** Prepares, lets an agent work, waits for people as often as needed, and publishes. */
async function carryOut(run: RunContext, waits: RunWaits): Promise<RunOutcome> {
  const { target } = run.input.plan;
  if ((target.kind === 'revise' || target.kind === 'review') && !run.input.pullRequest) {
    throw new RunFailed('pull_request_not_found', 'The issue has no open pull request of this platform.');
  }
  const selection = await prepare(run);
  for (;;) {
    const report = await waits.unlessPaused(() => letAgentWork(run));
    if (report === PAUSED) {
      run.goingOn = await waits.forResume(run.goingOn);
      const { parked } = run;
      run.parked = null;
      if (parked) run.goingOn = await waits.forDecision(parked);
    } else if (report.outcome === 'asked') run.goingOn = await waits.forAnswer(report.question);
    else if (report.outcome === 'parked') run.goingOn = await waits.forDecision(report.call);
    else if (report.outcome === 'budget_spent') run.goingOn = await waits.forBudget(report.budget);
    else if (report.outcome === 'steered')
      throw new RunFailed('agent_failed', 'the agent reported that its turn was ended, but nothing waits');
    else if (report.outcome === 'failed') throw new RunFailed(report.failure, report.detail);
    else return publish(run, report, selection);
    run.attempts = afterWait(run.attempts);
  }
}

/** Why an assignment cannot be prepared, by the type of the activity's failure. */
const PREPARATION_FAILURES: Readonly<Record<string, Failure>> = {
  FailedPrecondition: 'failed_precondition',
  BranchInTheWay: 'branch_conflict',
  RepositoryEmpty: 'repository_empty',
  EditedSince: 'edited_since',
  NothingToRevise: 'nothing_to_revise',
  PromptUnusable: 'prompt_unusable',
};

/** Prepares the assignment, and shows that the trigger was seen; only the former delays the agent. */
async function prepare(run: RunContext): Promise<ModelSelection> {
  const { input, progress } = run;
  const { plan, issue, settings } = input;
  const assigned = prepareAssignment({
    runId: plan.runId,
    issue,
    target: plan.target,
    settings,
    branch: input.branch,
    since: input.since,
    resume: input.resume,
    pullRequest: input.pullRequest?.number ?? null,
    delivery: plan.delivery,
    requestedAt: plan.frozenAt ?? plan.requestedAt,
    requestedBy: plan.by.id,
    ...(plan.trigger.kind === 'review' ? { review: plan.trigger.review } : {}),
    ...(input.answeredUntil === undefined ? {} : { answeredUntil: input.answeredUntil }),
    ...(input.heard === undefined ? {} : { heard: input.heard }),
    ...(plan.labeledAt === undefined ? {} : { labeledAt: plan.labeledAt }),
  });
  const requested = { type: 'run.requested', payload: { trigger: renderTrigger(plan.trigger), label: plan.label } };
  progress.enter('preparing', [requested]).catch(logged);
  const known = await assigned.catch((error: unknown) => {
    const failure = PREPARATION_FAILURES[typeOf(error) ?? ''];
    throw failure === undefined ? error : new RunFailed(failure, messageOf(error));
  });
  progress.assigned(known);
  run.baseCommit = known.baseCommit;
  if (known.heard !== undefined) run.heard = known.heard;
  return known.selection;
}

/** Publishes the agent's work, if the run leaves work. */
async function publish(
  run: RunContext,
  report: Extract<BriefReport, { outcome: 'finished' }>,
  selection: ModelSelection,
): Promise<RunOutcome> {
  const { input, progress } = run;
  const { plan, issue, settings } = input;
  const { summary, threadId, headSha, backTo, notes } = report;
  if (!leavesWork(plan.target)) return { status: 'succeeded', pullRequest: input.pullRequest, summary, threadId };
  progress.note('publishing');
  const ended = endAgents(run);
  const pullRequest = await openPullRequest({
    issue,
    runId: plan.runId,
    target: plan.target,
    requestedBy: plan.by.login,
    branch: input.branch,
    settings,
    closes: input.closes,
    pullRequest: input.pullRequest?.number ?? null,
  }).catch((error: unknown) => {
    if (isCancellation(error)) throw error;
    if (CancellationScope.current().consideredCancelled)
      throw new CancelledFailure('canceled while GitHub refused the pull request');
    throw new RunFailed(typeOf(error) === 'ScopeViolation' ? 'scope_violation' : 'publish_failed', messageOf(error));
  });
  progress.pullRequest(pullRequest);
  if (plan.target.kind === 'revise') {
    await answerReview({ issue, runId: plan.runId, pullRequest: pullRequest.number, settings }).catch(logged);
  }
  await ended;
  return {
    status: 'succeeded',
    pullRequest: { number: pullRequest.number, url: pullRequest.url },
    summary,
    threadId,
    headSha,
    selection,
    ...(backTo === undefined ? {} : { backTo }),
    ...(notes === undefined ? {} : { notes }),
  };
}
