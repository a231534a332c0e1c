/** One run: an agent is launched, awaited, and its work published. Reports its end to the issue's workflow. */
import {
  CancellationScope,
  CancelledFailure,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  patched,
  rootCause,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { issueKey } from '../src/domain/facts.ts';
import { branchName } from '../src/domain/names.ts';
import type { AgentEnd } from '../activities/agents.ts';
import type { Failure, RunOutcome } from '../src/domain/runs.ts';
import {
  answerReview,
  acknowledge,
  awaitAgent,
  launchAgent,
  openPullRequest,
  openPullRequestOrCancel,
  prepareAssignment,
  stopAgent,
} from './effects.ts';
import {
  cancelRun,
  observed,
  reportBySignal,
  runStoryQuery,
  searchAttributes,
  type PullRequestRef,
  type RunInput,
} from './messages.ts';
import { createRunDiary, type RunDiary } from './run-diary.ts';

/** An agent that is lost with its machine is started again with its conversation, this often in all. */
const ATTEMPTS = 3;

/** Ends a run for a reason of {@link Failure}; thrown and caught in this file only. */
class RunFailed extends Error {
  readonly failure: Failure;
  constructor(failure: Failure, detail: string) {
    super(detail);
    this.failure = failure;
  }
}

interface Cancel {
  readonly by: string;
  readonly reason: string;
  readonly merged?: PullRequestRef;
}

export async function runWorkflow(input: RunInput): Promise<RunOutcome> {
  let cancel: Cancel | undefined;
  /** Since 0.2: fewer steps, and the issue's workflow learns of the end as a parent does, unless it cannot. */
  const inOneStep = patched('run-shown-in-one-step');
  let reports = !inOneStep;
  const diary = createRunDiary(input, inOneStep);
  const scope = new CancellationScope();
  setHandler(runStoryQuery, () => diary.story());
  setHandler(cancelRun, (request) => {
    cancel ??= request;
    scope.cancel();
  });
  setHandler(reportBySignal, () => {
    reports = true;
  });

  const outcome = await scope
    .run(() => work(input, diary, inOneStep))
    .catch((error: unknown) => outcomeOf(error, cancel, input));
  await CancellationScope.nonCancellable(async () => {
    if (outcome.status === 'canceled' || (outcome.status === 'succeeded' && outcome.mergedBy !== undefined))
      await stopAgent({ runId: input.plan.runId, environment: input.environment.name }).catch(logged);
    await diary.finish(outcome);
    upsertSearchAttributes([{ key: searchAttributes.runStatus, value: outcome.status }]);
    setCurrentDetails(diary.details());
    // A comment that GitHub does not take must not keep the issue from going on.
    if (reports || diary.commentIsOwed()) await report(input, outcome);
    await diary.commentShown();
  });
  return outcome;
}

async function report({ issue, plan }: RunInput, outcome: RunOutcome): Promise<void> {
  await getExternalWorkflowHandle(issueKey(issue))
    .signal(observed, { facts: [{ seq: null, fact: { kind: 'run_finished', runId: plan.runId, outcome } }] })
    .catch(logged);
}

async function work(input: RunInput, diary: RunDiary, inOneStep: boolean): Promise<RunOutcome> {
  const { plan, issue, settings } = input;
  if (plan.target.kind === 'revise' && !input.pullRequest) {
    throw new RunFailed('pull_request_not_found', 'The issue has no pull request that a run of this platform opened.');
  }
  await prepare(input, diary, inOneStep);

  const report = await agentReport(input, diary);
  if (report.outcome === 'failed') throw new RunFailed(report.failure, report.detail);
  diary.note('publishing');

  // A cancel of 0.1.0 did not wait for GitHub's answer.
  const pullRequest = await (inOneStep ? openPullRequest : openPullRequestOrCancel)({
    issue,
    runId: plan.runId,
    target: plan.target,
    requestedBy: plan.by.login,
    branch: branchName(issue.number),
    settings,
  }).catch((error: unknown) => {
    if (isCancellation(error)) throw error;
    throw CancellationScope.current().consideredCancelled
      ? new CancelledFailure('canceled while GitHub refused the pull request')
      : new RunFailed('publish_failed', messageOf(error));
  });
  diary.pullRequest(pullRequest);
  if (plan.target.kind === 'revise') {
    await answerReview({ issue, runId: plan.runId, pullRequest: pullRequest.number, settings }).catch(logged);
  }
  return {
    status: 'succeeded',
    pullRequest: { number: pullRequest.number, url: pullRequest.url },
    summary: report.summary,
    threadId: report.threadId,
  };
}

/** Writes down what the agent is to do, and shows people that they were heard: the agent waits for the first only. */
async function prepare(
  { plan, issue, settings, ...input }: RunInput,
  diary: RunDiary,
  inOneStep: boolean,
): Promise<void> {
  const assigned = prepareAssignment({
    runId: plan.runId,
    issue,
    target: plan.target,
    settings,
    branch: branchName(issue.number),
    resume: input.resume,
    pullRequest: input.pullRequest?.number ?? null,
    requestedAt: plan.requestedAt,
  });
  const requested = [{ type: 'run.requested', payload: { trigger: plan.trigger, label: plan.label } }];
  if (inOneStep) {
    diary.enter('preparing', requested).catch(logged);
    await assigned;
    return;
  }
  await Promise.all([
    assigned,
    acknowledge({ issue, trigger: plan.trigger, pullRequest: input.pullRequest?.number ?? null }).catch(logged),
    diary.enter('preparing', requested),
  ]);
}

/** Launches the agent and waits for its report; a lost one is launched again. */
async function agentReport(
  input: RunInput,
  diary: RunDiary,
): Promise<Extract<AgentEnd, { kind: 'reported' }>['report']> {
  const ref = { runId: input.plan.runId, environment: input.environment.name };
  let lost = '';
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    await launchAgent({ ...ref, attempt, owner: issueKey(input.issue) }).catch((error: unknown) => {
      throw isCancellation(error) ? error : new RunFailed('launch_failed', messageOf(error));
    });
    upsertSearchAttributes([{ key: searchAttributes.runStatus, value: 'running' }]);
    const shown = diary.enter('running', [
      { type: 'run.namespace.prepared', payload: { namespace: input.environment.name } },
      {
        type: 'run.agent.started',
        payload: { attempt, branch: branchName(input.issue.number), model: input.settings.model },
      },
    ]);
    setCurrentDetails(diary.details());
    const end = await awaitAgent({ ...ref, attempt });
    await shown;
    if (end.kind === 'reported') return end.report;
    lost = end.detail;
    log.warn('agent lost', { attempt, detail: lost });
  }
  throw new RunFailed('agent_lost', lost);
}

function outcomeOf(error: unknown, cancel: Cancel | undefined, { resume }: RunInput): RunOutcome {
  if (cancel && isCancellation(error)) {
    const { by, reason, merged } = cancel;
    if (!merged) return { status: 'canceled', by, reason };
    return { status: 'succeeded', pullRequest: merged, summary: '', threadId: resume?.threadId ?? '', mergedBy: by };
  }
  if (error instanceof RunFailed) return { status: 'failed', failure: error.failure, detail: error.message };
  if (isCancellation(error)) return { status: 'canceled', by: 'an operator', reason: 'canceled in Temporal' };
  log.error('run failed', { error });
  return { status: 'failed', failure: 'platform_error', detail: messageOf(error) };
}

function messageOf(error: unknown): string {
  return rootCause(error) ?? String(error);
}

function logged(error: unknown): void {
  log.warn('left out', { error: messageOf(error) });
}
