/** One run: an agent is launched, awaited, and its work published. Reports its end to the issue's workflow. */
import {
  ActivityFailure,
  ApplicationFailure,
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
import { issueKey } from '../../src/domain/issue/facts.ts';
import { branchName } from '../../src/domain/issue/names.ts';
import type { AgentEnd, AgentRef } from '../../activities/agents/agents.ts';
import type { Assigned } from '../../activities/agents/assignments.ts';
import { useOf } from '../../src/domain/workspace/workspaces.ts';
import { DISRUPTIONS, LOSSES, type Loss } from '../../src/domain/run/termination-reasons.ts';
import type { Failure, RunOutcome } from '../../src/domain/run/runs.ts';
import { leavesWork, roleOf } from '../../src/domain/stages/stages.ts';
import {
  answerReview,
  acknowledge,
  awaitAgent,
  launchAgent,
  openPullRequest,
  openPullRequestOrCancel,
  prepareAssignment,
  stopAgent,
} from '../activities.ts';
import {
  cancelRun,
  observed,
  reportBySignal,
  runStoryQuery,
  searchAttributes,
  type PullRequestRef,
  type RunInput,
} from '../messages.ts';
import { createRunDiary, type RunDiary } from './progress.ts';
import { createRunTurn, type RunTurn } from './permit.ts';

/** An agent that is lost with its machine is started again with its conversation, this often in all. */
const ATTEMPTS = 3;

/** So often besides when it had to give way, or its node was lost. */
const DISRUPTED_ATTEMPTS = 7;

/** One that could not begin, for a reason that may pass, is launched this often in all (reliability.md T42). */
const LAUNCHES = 2;

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
  const turn = inOneStep ? createRunTurn() : null;
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
    .run(() => work(input, diary, turn))
    .catch((error: unknown) => outcomeOf(error, cancel, input));
  await CancellationScope.nonCancellable(async () => {
    if (outcome.status === 'canceled' || (outcome.status === 'succeeded' && outcome.mergedBy !== undefined))
      await stopAgent({ runId: input.plan.runId, workspace: input.workspace.name }).catch(logged);
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

/** `turn` is null in 0.1.0, which had no limits. */
async function work(input: RunInput, diary: RunDiary, turn: RunTurn | null): Promise<RunOutcome> {
  const inOneStep = turn !== null;
  const { plan, issue, settings } = input;
  const branch = branchOf(input);
  if ((plan.target.kind === 'revise' || plan.target.kind === 'review') && !input.pullRequest) {
    throw new RunFailed('pull_request_not_found', 'The issue has no pull request that a run of this platform opened.');
  }
  const assigned = await prepare(input, diary, inOneStep);

  const report = await agentReport(input, assigned?.baseCommit ?? undefined, diary, turn);
  if (report.outcome === 'failed') throw new RunFailed(report.failure, report.detail);
  if (report.outcome === 'asked') throw new RunFailed('answer_invalid', `the agent asks: ${report.question.text}`);
  if (!leavesWork(plan.target)) {
    const { summary, threadId } = report;
    return { status: 'succeeded', pullRequest: input.pullRequest, summary, threadId };
  }
  diary.note('publishing');

  // A cancel of 0.1.0 did not wait for GitHub's answer.
  const pullRequest = await (inOneStep ? openPullRequest : openPullRequestOrCancel)({
    issue,
    runId: plan.runId,
    target: plan.target,
    requestedBy: plan.by.login,
    branch,
    settings,
    closes: input.closes ?? true,
  }).catch((error: unknown) => {
    if (isCancellation(error)) throw error;
    if (CancellationScope.current().consideredCancelled)
      throw new CancelledFailure('canceled while GitHub refused the pull request');
    throw new RunFailed(typeOf(error) === 'ScopeViolation' ? 'scope_violation' : 'publish_failed', messageOf(error));
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
    headSha: report.headSha,
    ...(assigned?.profile === undefined ? {} : { profile: assigned.profile }),
    ...(report.backTo === undefined ? {} : { backTo: report.backTo }),
  };
}

function branchOf({ branch, issue }: RunInput): string {
  return branch ?? branchName(issue.number);
}

/** Writes down what the agent is to do, and shows people that they were heard: the agent waits for the first only. */
async function prepare(
  { plan, issue, settings, ...input }: RunInput,
  diary: RunDiary,
  inOneStep: boolean,
): Promise<Assigned | undefined> {
  const assigned = prepareAssignment({
    runId: plan.runId,
    issue,
    target: plan.target,
    settings,
    branch: branchOf({ ...input, plan, issue, settings }),
    since: input.since ?? null,
    resume: input.resume,
    pullRequest: input.pullRequest?.number ?? null,
    delivery: plan.delivery,
    requestedAt: plan.frozenAt ?? plan.requestedAt,
    ...(input.answeredUntil === undefined ? {} : { answeredUntil: input.answeredUntil }),
  });
  const requested = [{ type: 'run.requested', payload: { trigger: plan.trigger, label: plan.label } }];
  if (inOneStep) {
    diary.enter('preparing', requested).catch(logged);
    const known = await assigned.catch((error: unknown) => {
      throw typeOf(error) === 'FailedPrecondition' ? new RunFailed('failed_precondition', messageOf(error)) : error;
    });
    diary.assigned(known);
    return known;
  }
  await Promise.all([
    assigned,
    acknowledge({ issue, trigger: plan.trigger, pullRequest: input.pullRequest?.number ?? null }).catch(logged),
    diary.enter('preparing', requested),
  ]);
  return undefined;
}

/** Launches the agent and waits for its report; a lost one is launched again. */
async function agentReport(
  input: RunInput,
  baseCommit: string | undefined,
  diary: RunDiary,
  turn: RunTurn | null,
): Promise<Extract<AgentEnd, { kind: 'reported' }>['report']> {
  const ref = { runId: input.plan.runId, workspace: input.workspace.name };
  let attempt = 1;
  let launches = 1;
  let disrupted = 0;
  let lost: { readonly loss: Loss; readonly detail: string; readonly pod?: string } | undefined;
  for (;;) {
    const namespace = await launch({ ...ref, attempt }, launches, { ...input, baseCommit }, diary, turn);
    diary.worksIn(namespace);
    upsertSearchAttributes([{ key: searchAttributes.runStatus, value: 'working' }]);
    const shown = diary.enter('working', [
      ...(lost ? [{ type: 'run.agent.replaced', payload: { ...lost } }] : []),
      { type: 'run.namespace.prepared', payload: { namespace } },
      {
        type: 'run.agent.started',
        payload: { attempt, branch: branchOf(input), model: diary.story().model ?? input.settings.model },
      },
    ]);
    setCurrentDetails(diary.details());
    const end = await awaitAgent({ ...ref, attempt });
    await shown;
    if (end.kind === 'reported') return end.report;
    const { detail, loss = 'agent_lost', pod } = end;
    if (DISRUPTIONS.has(loss) && disrupted < DISRUPTED_ATTEMPTS) disrupted += 1;
    log.warn('agent lost', { attempt, loss, detail });
    if (LOSSES[loss] === 'launch_again' && launches < LAUNCHES) launches += 1;
    else if (LOSSES[loss] === 'next_attempt' && attempt < ATTEMPTS + disrupted) [attempt, launches] = [attempt + 1, 1];
    else {
      // What could not begin may yet, when nobody wants it any more.
      if (end.loss !== undefined) await stopAgent(ref).catch(logged);
      throw new RunFailed(loss, detail);
    }
    if (end.loss !== undefined) lost = { loss, detail, ...(pod === undefined ? {} : { pod }) };
  }
}

/** Launches an agent when it is the run's turn. Returns the namespace that it is in. */
async function launch(
  agent: AgentRef,
  launches: number,
  { plan, issue, settings, workspace, baseCommit }: RunInput & { baseCommit: string | undefined },
  diary: RunDiary,
  turn: RunTurn | null,
): Promise<string> {
  const owner = issueKey(issue);
  const { project, egress } = settings;
  const asks = { project, role: roleOf(plan.target) };
  const lease = {
    until: workspace.until,
    correlationId: plan.delivery,
    ...(baseCommit === undefined ? {} : { baseCommit }),
  };
  const use = useOf(plan.target, { project, issue, ...lease, ...(egress && { egress }) });
  for (;;) {
    const answer = await launchAgent({ ...agent, owner, launch: launches, use, ...(turn && { asks }) }).catch(
      (error: unknown) => {
        throw isCancellation(error) ? error : new RunFailed(lossOf(error) ?? 'launch_failed', messageOf(error));
      },
    );
    // 0.1.0 had no turns, and its launches answered nothing.
    if (!turn) return workspace.name;
    if (answer.granted) return answer.namespace ?? workspace.name;
    upsertSearchAttributes([{ key: searchAttributes.runStatus, value: 'queued' }]);
    await turn.wait(answer.place, (place) => {
      diary.queued(place).catch(logged);
      setCurrentDetails(diary.details());
    });
  }
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

/** The type that an activity gave its failure. */
function typeOf(error: unknown): string | undefined {
  return error instanceof ActivityFailure && error.cause instanceof ApplicationFailure
    ? (error.cause.type ?? undefined)
    : undefined;
}

/** Why no agent can begin, where a launch found that out by itself. */
function lossOf(error: unknown): Loss | undefined {
  if (typeOf(error) !== 'AgentCannotBegin') return undefined;
  const { details } = (error as ActivityFailure).cause as ApplicationFailure;
  return details?.[0] as Loss | undefined;
}

function logged(error: unknown): void {
  log.warn('left out', { error: messageOf(error) });
}
