/** What an issue's workflow does about what it learned: asks the policy, and performs its decision. */
import {
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  rootCause,
  startChild,
  type ChildWorkflowHandle,
} from '@temporalio/workflow';
import { whyLabelIsGone, whyReviewIsStale, type Withdrawal } from '../src/domain/confirmations.ts';
import { issueKey, type Fact, type GoneReason, type IssueRef } from '../src/domain/facts.ts';
import {
  decideRevise,
  decideTriggers,
  gateOf,
  isCanceledByRemoval,
  labelToRemove,
  nextUnread,
  QUEUE_LIMIT,
  type IssueState,
  type LabelFact,
  type LabelTruth,
  type PlannedRun,
  type TriggerDecision,
} from '../src/domain/issue-life.ts';
import { branchName, environmentName, nthBranch } from '../src/domain/names.ts';
import { ASKING, isWholeWork, supersededBy, type DoneStages, type IssuePast } from '../src/domain/gates.ts';
import type { RunOutcome, UnfinishedOutcome } from '../src/domain/runs.ts';
import { modeOf } from '../src/domain/environments.ts';
import { environmentHoursOf, type RunSettings } from '../src/domain/settings.ts';
import {
  leavesWork,
  roleOf,
  NEED_INPUT,
  normalizeLabel,
  MODE_DISCUSSION,
  RUN_DEBUG,
  STATE_IN_REVIEW,
  STATE_SUPERSEDED,
  triggerLabel,
  triggerLabelsIn,
  type Stage,
} from '../src/domain/stages.ts';
import {
  leaseNamespace,
  markQuestion,
  readLabelTruth,
  readPullRequest,
  readRepository,
  readReview,
  readSettings,
  readTrigger,
  readWithdrawals,
  releaseNamespace,
  removeEnvironment,
  settleLabels,
  stopAgent,
  writeRefusal,
} from './effects.ts';
import { createDiscussion } from './issue-discussion.ts';
import { createCommentRestoring } from './comment-restoring.ts';
import type { Removal } from '../activities/agents.ts';
import { leftOut, showIssue, showEnded, showQueue, type Happening } from './issue-diary.ts';
import {
  cancelRun,
  reportBySignal,
  runWorkflowId,
  searchAttributes,
  TASK_QUEUE,
  type PullRequestRef,
} from './messages.ts';
import { runWorkflow } from './run.ts';

type LabelRemoval = Extract<Fact, { kind: 'trigger_label_removed' }>;

/** Duplicates that are told one by one, of those that one look at GitHub answers. */
const DUPLICATES_TOLD = 20;

/** Why a run was canceled whose issue GitHub does not show any more (reliability.md T17). */
const ISSUE_GONE = {
  deleted: 'the issue was deleted',
  transferred: 'the issue was transferred to another repository',
  not_shown: 'GitHub does not show the issue any more',
} as const;

/** Why a run was canceled in whose repository nothing can be done any more (reliability.md T21). */
const REPOSITORY_GONE: Readonly<Record<GoneReason, string>> = {
  archived: 'the repository was archived',
  deleted: 'the repository was deleted',
  app_removed: 'codex-k8s was taken out of the repository',
  app_suspended: 'codex-k8s was suspended in the repository',
  not_shown: 'GitHub does not show the repository any more',
};

export interface IssueActs {
  /** Acts on the oldest fact, or on the environment's lease, when nothing is unread. */
  next(): Promise<void>;
  /**
   * Prepares for continue-as-new, after which a child's end is not told to its parent any more: asks the active run to
   * report by signal. False when the run has ended already and its end is about to be learned; then it is too early.
   */
  letGo(): Promise<boolean>;
  /** When a conversation ends by itself, in milliseconds since the epoch. */
  endsAt(): number | undefined;
}

/**
 * `since02`: as issues act since 0.2; otherwise as in 0.1.0, whose histories are replayed. `hearsEarly`: what was said before a
 * conversation began is answered by its first turn; otherwise as in 0.2.0.
 */
export function createIssueActs(
  issue: IssueRef,
  state: IssueState,
  { since02, hearsEarly }: { readonly since02: boolean; readonly hearsEarly: boolean },
): IssueActs {
  const key = issueKey(issue);
  const show = (happenings: readonly Happening[]): Promise<void> => showIssue(issue, state, happenings);
  const restoring = createCommentRestoring();
  const discussion = createDiscussion(issue, state, { show, startOrQueue, cancelById }, hearsEarly);

  async function next(): Promise<void> {
    if (state.throttled) await showThrottled(state.throttled);
    const index = nextUnread(state);
    const place = index > 0 && since02 ? index : 0;
    const fact = state.unread[place]?.fact;
    if (!fact) return expire();
    if (isLabelFact(fact)) return labelPutOn(takeLabelFacts(fact));
    state.unread.splice(place, 1);
    switch (fact.kind) {
      case 'trigger_label_removed':
        return labelRemoved(fact);
      case 'changes_requested':
        return changesRequested(fact);
      case 'comment_added':
        return discussion.said(fact);
      case 'status_comment_changed':
        return restoring.changed(fact);
      case 'pull_request_closed':
        return pullRequestClosed(fact);
      case 'issue_closed':
        return issueClosed(fact);
      case 'issue_reopened':
        return issueReopened(fact);
      case 'repository_gone':
        return repositoryGone(fact);
      case 'review_refused':
        return reviewRefused(fact);
      case 'run_finished':
        return runFinished(fact.runId, fact.outcome);
      case 'run_lost':
        return runLost(fact.runId, fact.outcome);
      case 'cancel_requested':
        return cancelById(fact.runId, fact.by, fact.reason);
    }
  }

  /** All unread facts of one label at once: one look at GitHub answers them all, however many deliveries came. */
  function takeLabelFacts(first: LabelFact): LabelFact[] {
    const isAlike = (fact: Fact): fact is LabelFact => isLabelFact(fact) && subjectOf(fact) === subjectOf(first);
    const facts = state.unread.map(({ fact }) => fact).filter(isAlike);
    state.unread = state.unread.filter(({ fact }) => !isAlike(fact));
    return facts;
  }

  async function labelPutOn(facts: readonly LabelFact[]): Promise<void> {
    const [first] = facts;
    if (!first) return;
    const { label } = first;
    const { pullRequest } = first;
    const taken = state.takenEvents[subjectOf(first)] ?? {};
    const asked = facts.map(({ by, at }) => ({ by: by.id, at, taken: taken[by.id] ?? 0 }));
    const on = pullRequest === undefined ? issue : { ...issue, number: pullRequest };
    const read = await readTriggerTruth({
      issue: on,
      label,
      facts: asked,
      branches: state.branch ?? 1,
      people: asked.map(({ by }) => by),
    }).catch(async (error: unknown) => {
      if (isCancellation(error)) throw error;
      const reason = rootCause(error) ?? String(error);
      await show(
        facts.map(({ by, delivery }) => ({
          type: 'run.not_started',
          payload: { label, reason: 'github_refused', error: reason },
          by: by.login,
          correlationId: delivery,
        })),
      );
      return undefined;
    });
    if (!read) return;
    const { truth, settings } = read;
    if (pullRequest === undefined) {
      state.title = truth.title;
      await takeOpenness(truth.open);
    }
    if (since02 && pullRequest === undefined) await takeIn(truth);
    if (pullRequest !== undefined && !(await readOpenness()).open) return;
    const decision = decideTriggers(taken, facts, truth, since02 ? state : null);
    state.takenEvents[subjectOf(first)] = decision.taken;
    await showDropped(label, decision.dropped);
    for (const { fact, reason, labels } of decision.dropped.filter((drop) => isExplained(drop.reason))) {
      await refuse(
        fact.by.login,
        reason,
        labels ?? triggerLabelsIn([...truth.labels, label]),
        `event-${decision.taken[fact.by.id] ?? fact.delivery}`,
        pullRequest,
      );
      if (reason === 'trigger_by_agent') await askOwner(fact);
    }
    for (const planned of decision.planned) {
      await startOrQueue(planned.target.kind === 'discussion' ? discussion.begin(planned) : planned, settings);
    }
  }

  /** What an agent asks for, a person has to ask for: its label is taken off, and the request is there to be read. */
  async function askOwner({ label, by, delivery }: LabelFact): Promise<void> {
    inBackground(settleLabels({ issue, remove: label, add: null, pullRequest: null }));
    await show([{ type: 'approval.requested', payload: { label }, by: by.login, correlationId: delivery }]);
  }

  /** What GitHub and the read model say before anything is decided: a question that somebody took off is none any more. */
  async function takeIn({ labels, past }: LabelTruth): Promise<void> {
    await rememberPast(past);
    if (!labels.some((label) => normalizeLabel(label) === NEED_INPUT)) delete state.asked;
  }

  /** An issue that was closed and lives again goes on with what it had done; its pull request may be merged meanwhile. */
  async function rememberPast(past: IssuePast | null | undefined): Promise<void> {
    if (state.done !== undefined) return;
    state.done = past?.done ?? {};
    state.branch ??= past?.branch ?? 1;
    if (!past) return;
    state.last ??= past.last ?? null;
    if (past.asked !== undefined) state.asked ??= past.asked;
    state.takenEvents = { ...past.taken, ...state.takenEvents };
    const { pullRequest } = past;
    if (!pullRequest || state.pullRequest) return;
    const truth = await readPullRequest({ issue, pullRequest: pullRequest.number }).catch(leftOut);
    if (truth?.open === false) letGoOfPullRequest();
    else state.pullRequest = pullRequest;
  }

  /** Of those that say nothing new a few are told one by one, and the others counted: each costs the audit trail a row. */
  async function showDropped(label: string, dropped: TriggerDecision['dropped']): Promise<void> {
    if (dropped.length === 0) return;
    const repeated = dropped.filter(({ reason }) => reason === 'trigger_already_taken');
    const counted = since02 ? repeated.slice(DUPLICATES_TOLD) : [];
    const told = dropped
      .filter((drop) => !counted.includes(drop))
      .map(({ fact, reason }): Happening => ({
        type: reason === 'trigger_already_taken' ? 'trigger.duplicate' : 'run.not_started',
        payload: { label, reason },
        by: fact.by.login,
        correlationId: fact.delivery,
      }));
    await show(counted.length === 0 ? told : [...told, throttled(counted.length)]);
  }

  /** What GitHub says, and in the same step how the project's runs are set up: a start waits for both. */
  async function readTriggerTruth(
    asked: Parameters<typeof readTrigger>[0],
  ): Promise<{ truth: LabelTruth; settings: RunSettings | null }> {
    if (since02) return readTrigger(asked);
    return { truth: await readLabelTruth(asked), settings: null };
  }

  async function labelRemoved(fact: Extract<Fact, { kind: 'trigger_label_removed' }>): Promise<void> {
    if (!since02) return labelRemovedAsTold(fact);
    if (fact.label === MODE_DISCUSSION) return discussion.labelRemoved(fact.by.login);
    const removals = [fact, ...takeRemovals(fact)];
    const under = [state.active, ...state.queue].filter(
      (run) => run !== null && !run.withdrawn && isCanceledByRemoval(run, fact.label),
    ) as PlannedRun[];
    if (under.length === 0) return;
    const withdrawals = await readWithdrawals({
      issue: fact.pullRequest === undefined ? issue : { ...issue, number: fact.pullRequest },
      label: fact.label,
      triggers: under.map(({ trigger }) => trigger),
      people: [...new Set(removals.map(({ by }) => by.id))],
    }).catch((error: unknown): Withdrawal[] => {
      if (isCancellation(error)) throw error;
      return under.map(({ trigger }) => ({ trigger, by: fact.by.id }));
    });
    for (const run of under) {
      const withdrawal = withdrawals.find(({ trigger }) => trigger === run.trigger);
      const by = removals.find((removal) => removal.by.id === withdrawal?.by)?.by.login;
      if (by === undefined) continue;
      if (state.active?.runId === run.runId) state.active = { ...state.active, withdrawn: true };
      await cancelById(run.runId, by, `the label ${fact.label} was removed`);
    }
    if (withdrawals.length > 0) return;
    await show([
      {
        type: 'trigger.removal_stale',
        payload: { label: fact.label },
        by: fact.by.login,
        correlationId: fact.delivery,
      },
    ]);
  }

  /** All other unread removals of a label: one look at GitHub answers them all. */
  function takeRemovals({ label, pullRequest }: LabelRemoval): LabelRemoval[] {
    const taken: LabelRemoval[] = [];
    state.unread = state.unread.filter(({ fact }) => {
      if (fact.kind !== 'trigger_label_removed') return true;
      if (fact.label !== label || fact.pullRequest !== pullRequest) return true;
      taken.push(fact);
      return false;
    });
    return taken;
  }

  /** As in 0.1.0. */
  async function labelRemovedAsTold(fact: Extract<Fact, { kind: 'trigger_label_removed' }>): Promise<void> {
    const reason = `the label ${fact.label} was removed`;
    if (state.active && !state.active.withdrawn && isCanceledByRemoval(state.active, fact.label)) {
      state.active = { ...state.active, withdrawn: true };
      return cancelById(state.active.runId, fact.by.login, reason);
    }
    const waiting = state.queue.find((planned) => isCanceledByRemoval(planned, fact.label));
    if (waiting) await cancelById(waiting.runId, fact.by.login, reason);
  }

  /** Says why, once for each subject. */
  async function refuse(
    by: string,
    reason: string,
    labels: readonly string[],
    subject: string,
    pullRequest?: number,
  ): Promise<void> {
    const { locale } = await readSettings({ repositoryId: issue.repositoryId });
    const place = pullRequest === undefined ? issue : { ...issue, number: pullRequest };
    await writeRefusal({ issue: place, refusal: { reason, labels, by, subject }, locale }).catch(leftOut);
    if (!since02 || !ASKING.has(reason)) return;
    state.asked = reason;
    await markQuestion({ issue, remove: null, add: NEED_INPUT, pullRequest: null }).catch(leftOut);
  }

  /** What was asked is answered by the next trigger that can be carried out. */
  function answered(): void {
    if (state.asked === undefined) return;
    delete state.asked;
    inBackground(settleLabels({ issue, remove: NEED_INPUT, add: null, pullRequest: null }));
  }

  async function changesRequested(fact: Extract<Fact, { kind: 'changes_requested' }>): Promise<void> {
    const first = decideRevise(state, fact, [], since02);
    const about = { by: fact.by.login, correlationId: fact.delivery };
    const matters = 'planned' in first || isExplained(first.reason);
    const [stale, read] =
      matters && since02
        ? await Promise.all([
            staleness(fact.pullRequest, fact.review),
            readTrigger({ issue, label: '', facts: [], branches: state.branch ?? 1 }).catch(leftOut),
          ])
        : [];
    if (read) {
      await takeIn(read.truth);
      await takeOpenness(read.truth.open);
    }
    const settings = read?.settings;
    const decision = read ? decideRevise(state, fact, read.truth.labels) : first;
    if (stale !== undefined)
      return show([{ type: 'review.stale', payload: { review: fact.review, reason: stale }, ...about }]);
    if ('reason' in decision) {
      const { reason } = decision;
      if (isExplained(reason)) {
        if (since02) state.takenReviews = [...state.takenReviews, fact.review].slice(-200);
        await refuse(fact.by.login, reason, decision.labels ?? [], `review-${fact.review}`, fact.pullRequest);
      }
      const type = reason === 'review_outdated' ? 'review.stale' : 'run.not_started';
      return show([{ type, payload: { review: fact.review, reason }, ...about }]);
    }
    if (!state.pullRequest) {
      // It is open, as GitHub said just now: it may have been closed and opened again, and its branch is gone on with.
      state.pullRequest = { number: fact.pullRequest, url: fact.pullRequestUrl };
      if (fact.branch !== undefined) state.branch = nthBranch(fact.branch);
    }
    state.takenReviews = [...state.takenReviews, fact.review].slice(-200);
    await show([
      {
        type: 'run.revise.stage_resolved',
        payload: { stage: decision.planned.target.stage, source: decision.source },
        ...about,
      },
    ]);
    await startOrQueue(decision.planned, settings ?? null);
  }

  /** Why a review does not count any more; undefined when it does, or when GitHub refuses to show it. */
  async function staleness(pullRequest: number, review: number): Promise<string | undefined> {
    const truth = await readReview({ issue, pullRequest, review }).catch(leftOut);
    return truth && whyReviewIsStale(truth);
  }

  async function pullRequestClosed(fact: Extract<Fact, { kind: 'pull_request_closed' }>): Promise<void> {
    const ours = state.pullRequest?.number === fact.pullRequest ? state.pullRequest : null;
    const told = { open: false, merged: fact.merged };
    const { open, merged } =
      ours && since02
        ? await readPullRequest({ issue, pullRequest: fact.pullRequest }).catch((error) => asTold(error, told))
        : told;
    const about = { payload: { pr_number: fact.pullRequest }, by: fact.by.login, correlationId: fact.delivery };
    if (open) return show([{ type: 'pull_request.close_stale', ...about }]);
    if (ours) letGoOfPullRequest();
    await show([{ type: merged ? 'pull_request.merged' : 'pull_request.closed', ...about }]);
    if (!ours) return;
    const reason = `pull request #${fact.pullRequest} was ${merged ? 'merged' : 'closed'}`;
    if (since02) await cancelWaitingRevises(fact.by.login, reason);
    if (state.active) await cancelById(state.active.runId, fact.by.login, reason, merged ? ours : null);
  }

  /** Its branch goes with it: whoever works next begins anew from the base branch. */
  function letGoOfPullRequest(): void {
    state.pullRequest = null;
    state.branch = Math.max(state.branch ?? 1, state.branches ?? 1) + 1;
    state.branches = state.branch;
  }

  /** Nothing is left that they could revise. */
  async function cancelWaitingRevises(by: string, reason: string): Promise<void> {
    for (const { runId } of state.queue.filter(({ target }) => target.kind === 'revise'))
      await cancelById(runId, by, reason);
  }

  async function issueClosed(fact: Extract<Fact, { kind: 'issue_closed' }>): Promise<void> {
    const { open, gone } = await readOpenness();
    const how = gone ? (fact.gone ?? 'not_shown') : null;
    const payload = gone ? { gone, ...(fact.gone === undefined ? {} : { how: fact.gone }) } : {};
    const about = { payload, by: fact.by.login, correlationId: fact.delivery };
    if (open) return show([{ type: 'issue.close_stale', ...about }]);
    state.closed = true;
    await show([{ type: 'issue.closed', ...about }, ...(how === null ? [] : orphaned(`issue_${how}`))]);
    await endRuns(fact.by.login, how === null ? 'the issue was closed' : ISSUE_GONE[how]);
  }

  /** GitHub is asked whether it is so, since anybody may send an old delivery again (reliability.md T21, finding 1). */
  async function repositoryGone(fact: Extract<Fact, { kind: 'repository_gone' }>): Promise<void> {
    const reason = await whyRepositoryIsGone(fact.reason);
    const by = fact.by.login || 'GitHub';
    const about = { payload: { reason: reason ?? fact.reason }, by, correlationId: fact.delivery };
    if (reason === undefined) return show([{ type: 'repository.gone_stale', ...about }]);
    state.closed = true;
    state.gone = reason;
    await show([{ type: 'repository.gone', ...about }, ...orphaned(reason)]);
    await endRuns(by, REPOSITORY_GONE[reason]);
  }

  /** Undefined when runs can go on: GitHub shows the repository, and it may be written to. Else as told. */
  async function whyRepositoryIsGone(told: GoneReason): Promise<GoneReason | undefined> {
    const truth = await readRepository({ issue }).catch((error) => asTold(error, null));
    if (truth === null) return told;
    return truth.archived ? 'archived' : undefined;
  }

  /** That runs have lost what they were for, each by itself. */
  function orphaned(reason: string): Happening[] {
    const lost = [...(state.active ? [state.active] : []), ...state.queue];
    return lost.map(({ runId, delivery }) => ({
      type: 'run.orphaned',
      payload: { reason },
      runId,
      correlationId: delivery,
    }));
  }

  /** Nothing more can be done for the issue: whoever waits or works is canceled, and the environment goes with the last. */
  async function endRuns(by: string, reason: string): Promise<void> {
    delete state.discussion;
    for (const planned of state.queue) await cancelById(planned.runId, by, reason);
    if (state.active)
      return cancelById(state.active.runId, by, reason, state.gone === undefined ? await mergedPullRequest() : null);
    await cleanUp(whyOver());
  }

  function whyOver(): string {
    return state.gone === undefined ? 'issue_closed' : 'repository_gone';
  }

  /** Somebody whom the platform knows is told why their review starts nothing, once, as with a label. */
  async function reviewRefused(fact: Extract<Fact, { kind: 'review_refused' }>): Promise<void> {
    const { review, reason, by, delivery } = fact;
    if (state.takenReviews.includes(review)) return;
    state.takenReviews = [...state.takenReviews, review].slice(-200);
    await refuse(by.login, reason, [], `review-${review}`, fact.pullRequest);
    await show([{ type: 'run.not_started', payload: { review, reason }, by: by.login, correlationId: delivery }]);
  }

  /** GitHub says that the issue is closed before anybody told: what waits must not start. Who works is canceled when it is told. */
  async function takeOpenness(open: boolean): Promise<void> {
    state.closed = !open;
    if (open) delete state.gone;
    if (open || !since02) return;
    delete state.discussion;
    for (const { runId } of state.queue) await cancelById(runId, 'GitHub', 'the issue was closed');
  }

  /** Whether the issue is open. One that GitHub does not show any more, deleted or moved, is as good as closed. */
  async function readOpenness(): Promise<{ open: boolean; gone: boolean }> {
    const truth = await readLabelTruth({ issue, label: '', facts: [] }).catch((error: unknown) => {
      if (isCancellation(error)) throw error;
      return undefined;
    });
    return { open: truth?.open ?? false, gone: truth === undefined };
  }

  /** The issue's pull request, when it is merged: GitHub tells of the issue that a merge closes before or after the merge. */
  async function mergedPullRequest(): Promise<PullRequestRef | null> {
    const { pullRequest } = state;
    if (!pullRequest || !since02) return null;
    const truth = await readPullRequest({ issue, pullRequest: pullRequest.number }).catch(leftOut);
    if (!truth?.merged) return null;
    letGoOfPullRequest();
    return pullRequest;
  }

  async function issueReopened(fact: Extract<Fact, { kind: 'issue_reopened' }>): Promise<void> {
    const about = { payload: {}, by: fact.by.login, correlationId: fact.delivery };
    if (state.closed && since02) {
      const { open } = await readOpenness();
      if (!open) return show([{ type: 'issue.reopen_stale', ...about }]);
    }
    state.closed = false;
    delete state.gone;
    await show([{ type: 'issue.reopened', ...about }]);
    if (since02) await startNext();
  }

  async function startOrQueue(planned: PlannedRun, settings: RunSettings | null = null): Promise<void> {
    if (planned.target.kind !== 'discussion')
      await discussion.end(planned.by.login, `${triggerLabel(planned.target)} was asked for`);
    if (!state.active && state.queue.length === 0) return start(planned, settings);
    if (state.queue.length >= QUEUE_LIMIT && since02) return refuseForQueue(planned);
    state.queue.push(planned);
    await showQueue(issue, state);
    await show([
      {
        type: 'run.queued',
        payload: { place: state.queue.length },
        by: planned.by.login,
        runId: planned.runId,
        correlationId: planned.delivery,
      },
    ]);
  }

  async function refuseForQueue({ trigger, label, by, delivery }: PlannedRun): Promise<void> {
    const reason = 'queue_full';
    const subject = trigger.replace(':', '-').replace('label', 'event');
    await refuse(by.login, reason, [], subject, label === null ? state.pullRequest?.number : undefined);
    await show([{ type: 'run.not_started', payload: { label, reason }, by: by.login, correlationId: delivery }]);
  }

  /** A run that cannot even be started must not keep the issue busy for ever. */
  async function start(planned: PlannedRun, settings: RunSettings | null = null): Promise<void> {
    state.active = planned;
    try {
      await startRun(planned, settings ?? (await readSettings({ repositoryId: issue.repositoryId })));
    } catch (error) {
      if (isCancellation(error)) throw error;
      state.active = null;
      const reason = rootCause(error) ?? String(error);
      await show([
        {
          type: 'run.failed',
          payload: { failure: 'launch_failed', reason },
          runId: planned.runId,
          correlationId: planned.delivery,
        },
      ]);
    }
  }

  async function startRun(planned: PlannedRun, settings: RunSettings): Promise<void> {
    const environment = await environmentFor(planned, settings);
    state.environment = environment;
    const label = triggerLabel(planned.target);
    answered();
    const child = await startChild(runWorkflow, {
      workflowId: runWorkflowId(planned.runId),
      taskQueue: TASK_QUEUE,
      parentClosePolicy: ParentClosePolicy.ABANDON,
      args: [
        {
          issue,
          issueTitle: state.title,
          plan: planned,
          settings,
          environment,
          resume: planned.target.kind === 'discussion' ? (state.discussion?.last ?? null) : state.last,
          ...(state.discussion?.answeredUntil ? { answeredUntil: state.discussion.answeredUntil } : {}),
          pullRequest: state.pullRequest,
          branch: branchName(issue.number, state.branch),
          since: state.pullRequest ? (state.last?.headSha ?? null) : null,
          closes: isWholeWork(planned.target, state.done ?? {}),
        },
      ],
      staticSummary: `${label} for ${issue.owner}/${issue.name}#${issue.number}`,
      staticDetails: state.title,
      typedSearchAttributes: [
        { key: searchAttributes.repository, value: `${issue.owner}/${issue.name}` },
        { key: searchAttributes.issue, value: issue.number },
        { key: searchAttributes.stage, value: planned.target.stage },
        { key: searchAttributes.runStatus, value: 'preparing' },
      ],
    });
    watch(planned.runId, child);
    await show([
      {
        type: 'run.started',
        payload: { label, trigger: planned.trigger },
        by: planned.by.login,
        runId: planned.runId,
        correlationId: planned.delivery,
      },
    ]);
  }

  /** The environment that the issue has, with a lease that begins anew; else a new one, named as its project says. */
  async function environmentFor(
    { target }: PlannedRun,
    settings: RunSettings,
  ): Promise<NonNullable<IssueState['environment']>> {
    const until = new Date(Date.now() + environmentHoursOf(settings, roleOf(target)) * 3_600_000).toISOString();
    if (state.environment) return { ...state.environment, until };
    const { project, namespaceTemplate: template } = settings;
    if (template === undefined || modeOf(target) === 'code-only')
      return { name: environmentName(project, issue), until };
    return { name: await leaseNamespace({ issueKey: key, project, template }), until, leased: true };
  }

  /** A run reports its end by itself; this is for one that was ended from outside and could not. */
  function watch(runId: string, child: ChildWorkflowHandle<typeof runWorkflow>): void {
    const reported = (outcome: RunOutcome): void => {
      if (state.active?.runId === runId)
        state.unread.push({ seq: null, fact: { kind: 'run_finished', runId, outcome } });
    };
    void child.result().then(reported, (error: unknown) => {
      if (isCancellation(error) || state.active?.runId !== runId) return;
      const detail = `the run's workflow was ended from outside: ${String(error)}`;
      state.unread.push({
        seq: null,
        fact: { kind: 'run_lost', runId, outcome: { status: 'failed', failure: 'platform_error', detail } },
      });
    });
  }

  async function runLost(runId: string, outcome: UnfinishedOutcome): Promise<void> {
    const lost = state.active;
    if (lost?.runId !== runId) return;
    if (state.environment) await stopAgent({ runId, environment: state.environment.name }).catch(leftOut);
    await showEnded(issue, state, lost, outcome).catch(leftOut);
    await runFinished(runId, outcome);
  }

  async function runFinished(runId: string, outcome: RunOutcome): Promise<void> {
    const finished = state.active;
    if (finished?.runId !== runId) return;
    state.active = null;
    const delivered =
      outcome.status === 'succeeded' && !outcome.mergedBy && leavesWork(finished.target) ? outcome : null;
    if (delivered) await takeUp(finished, delivered);
    // Where nothing can be written, a refusal that may pass would be waited for, and the environment with it.
    const settling = state.gone === undefined ? settleLabels : async () => undefined;
    const settled = settling({
      issue: finished.pullRequest === undefined ? issue : { ...issue, number: finished.pullRequest },
      remove: labelToRemove(finished, state.queue),
      add: delivered ? STATE_IN_REVIEW : null,
      pullRequest: delivered?.pullRequest?.number ?? null,
    }).catch(leftOut);
    if (!since02) await settled;
    await Promise.all([show([]), settled]);
    if (finished.target.kind === 'discussion') await discussion.turnOver(finished, outcome);
    if (state.closed) return cleanUp(whyOver());
    if (since02) return startNext();
    const following = state.queue.shift();
    if (!following) return;
    await showQueue(issue, state);
    await start(following);
  }

  /** What a run has left behind: the issue goes on from there. */
  async function takeUp(
    { runId, target }: PlannedRun,
    { pullRequest, threadId, headSha, profile, backTo }: Extract<RunOutcome, { status: 'succeeded' }>,
  ): Promise<void> {
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
    if (target.stage === 'rethink' && backTo && before[backTo]) await supersede(backTo, before);
  }

  /** A rethink gives up a stage and all that came after it; pull requests that hold nothing else are marked so. */
  async function supersede(backTo: Stage, before: DoneStages): Promise<void> {
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

  /** Starts the first of those that wait which GitHub says is still wanted; who asked may have thought better of it. */
  async function startNext(): Promise<void> {
    while (!state.active) {
      const [first] = state.queue;
      if (!first) return;
      const gone = await whyNoLongerWanted(first);
      if (gone) {
        await cancelById(first.runId, gone.by, gone.reason);
        continue;
      }
      state.queue.shift();
      await showQueue(issue, state);
      await start(first);
    }
  }

  /** GitHub's refusal to say stops nothing: the run then says itself what is the matter. */
  async function whyNoLongerWanted({
    trigger,
    label,
    target,
    by,
    pullRequest,
  }: PlannedRun): Promise<{ by: string; reason: string } | undefined> {
    if (pullRequest !== undefined && !(await readOpenness()).open)
      return { by: 'GitHub', reason: 'the issue is closed' };
    if (label !== null) {
      const on = pullRequest === undefined ? issue : { ...issue, number: pullRequest };
      const read = await readTrigger({
        issue: on,
        label,
        facts: [],
        branches: state.branch ?? 1,
        people: [by.id],
      }).catch(leftOut);
      if (!read) return undefined;
      const refused = read.truth.refused?.[by.id];
      if (refused !== undefined)
        return { by: 'codex-k8s', reason: `@${by.login} may not start runs any more (${refused})` };
      const gone = whyLabelIsGone({ trigger, label }, read.truth);
      const refusal = gone ? undefined : gateOf(target, read.truth, state);
      return gone ?? (refusal && { by: 'codex-k8s', reason: `it may not begin (${refusal.reason})` });
    }
    if (trigger.startsWith('comment:')) return undefined;
    const review = Number(/^review:(\d+)$/.exec(trigger)?.[1]);
    if (!state.pullRequest) return { by: 'GitHub', reason: 'there is no open pull request any more' };
    const stale = await staleness(state.pullRequest.number, review);
    if (stale !== undefined) return { by: 'GitHub', reason: `the review does not ask for changes any more (${stale})` };
    const truth = await readLabelTruth({ issue, label: '', facts: [] }).catch(leftOut);
    const refusal = truth && gateOf(target, { labels: truth.labels }, state);
    return refusal && { by: 'codex-k8s', reason: `it may not begin (${refusal.reason})` };
  }

  /** `merged`: the pull request that was merged meanwhile, so that the run has what it was for. */
  async function cancelById(
    runId: string,
    by: string,
    reason: string,
    merged: PullRequestRef | null = null,
  ): Promise<void> {
    const queued = state.queue.find((planned) => planned.runId === runId);
    if (queued) {
      state.queue = state.queue.filter((planned) => planned !== queued);
      await showEnded(issue, state, queued, { status: 'canceled', by, reason });
      await showQueue(issue, state);
      return show([{ type: 'run.canceled', payload: { by, reason }, by, runId, correlationId: queued.delivery }]);
    }
    if (state.active?.runId !== runId) return;
    await getExternalWorkflowHandle(runWorkflowId(runId))
      .signal(cancelRun, { by, reason, ...(merged ? { merged } : {}) })
      .catch((error: unknown) => {
        if (isCancellation(error)) throw error;
        state.unread.push({
          seq: null,
          fact: { kind: 'run_lost', runId, outcome: { status: 'canceled', by, reason } },
        });
      });
  }

  /** Says how many deliveries said nothing new, in a flood of them. */
  async function showThrottled(facts: number): Promise<void> {
    state.throttled = 0;
    await show([throttled(facts)]);
  }

  async function expire(): Promise<void> {
    const endsAt = discussion.endsAt();
    if (endsAt !== undefined && endsAt <= Date.now())
      return discussion.end('codex-k8s', 'nobody said anything for eight hours');
    if (!state.environment || state.active || Date.parse(state.environment.until) > Date.now()) return;
    if (since02 && (await keptForDebugging(state.environment))) return;
    await cleanUp('ttl_expired');
  }

  /** `run:debug` keeps an environment until its issue is closed (requirements.md R7): its lease begins anew. */
  async function keptForDebugging(environment: NonNullable<IssueState['environment']>): Promise<boolean> {
    const truth = await readLabelTruth({ issue, label: RUN_DEBUG, facts: [] }).catch(leftOut);
    if (!truth?.labels.some((label) => label.trim().toLowerCase() === RUN_DEBUG)) return false;
    const { environmentHours } = await readSettings({ repositoryId: issue.repositoryId });
    const until = new Date(Date.now() + environmentHours * 3_600_000).toISOString();
    state.environment = { ...environment, until };
    const payload = { namespace: environment.name, reason: 'debug_label_present', until };
    await show([{ type: 'run.namespace.cleanup_skipped', payload }]);
    return true;
  }

  async function cleanUp(reason: string): Promise<void> {
    if (!state.environment) return show([]);
    const { name, leased } = state.environment;
    const happened = await removeEnvironment({ environment: name, owner: key }).then(
      // 0.2.0 answered nothing.
      (removal: Removal | null | undefined): Happening =>
        removal?.held === undefined
          ? { type: 'run.namespace.cleaned', payload: { namespace: name, reason } }
          : { type: 'run.namespace.cleanup_blocked', payload: { namespace: name, reason, held: removal.held } },
      (error: unknown): Happening => {
        if (isCancellation(error)) throw error;
        const failed = rootCause(error) ?? String(error);
        return { type: 'run.namespace.cleanup_failed', payload: { namespace: name, reason, error: failed } };
      },
    );
    // What cannot be removed is held by something, is somebody else's, or a person's to look at: the issue goes on without it.
    state.environment = null;
    if (leased) await releaseNamespace({ issueKey: key });
    await show([happened]);
  }

  async function letGo(): Promise<boolean> {
    state.unread.push(...restoring.underWay().map((fact) => ({ seq: null, fact })));
    const run = state.active;
    if (!run || run.reportsBySignal || !since02) return true;
    const told = await getExternalWorkflowHandle(runWorkflowId(run.runId))
      .signal(reportBySignal)
      .then(
        () => true,
        (error: unknown) => {
          if (isCancellation(error)) throw error;
          return false;
        },
      );
    if (told && state.active === run) state.active = { ...run, reportsBySignal: true };
    return told;
  }

  return { next, letGo, endsAt: () => discussion.endsAt() };
}

/** For what nothing waits for: it is tried for as long as it may be, and left out when it cannot be done. */
function inBackground(work: Promise<unknown>): void {
  work.catch(leftOut).catch(() => undefined);
}

function throttled(facts: number): Happening {
  return { type: 'issue.throttled', payload: { facts } };
}

/** What one look at GitHub answers: a label on the issue, or on one of its pull requests. */
function subjectOf({ label, pullRequest }: LabelFact): string {
  return pullRequest === undefined ? label : `${label} #${pullRequest}`;
}

function isLabelFact(fact: Fact): fact is LabelFact {
  return fact.kind === 'trigger_label_added' || fact.kind === 'trigger_refused';
}

/** What people cannot see for themselves is said on GitHub; that a label is gone, or an issue closed, they can. */
function isExplained(reason: string): boolean {
  return !['issue_closed', 'label_absent', 'trigger_already_taken'].includes(reason);
}

/** A webhook is believed when GitHub cannot be asked in time. */
function asTold<Told>(error: unknown, told: Told): Told {
  if (isCancellation(error)) throw error;
  return told;
}
