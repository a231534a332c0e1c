/** What an issue's workflow does about what it learned: each fact goes to the file that knows what it is about. */
import { getExternalWorkflowHandle, isCancellation } from '@temporalio/workflow';
import type { IssueRef } from '../../src/domain/issue/facts.ts';
import { type IssueState, nextUnread } from '../../src/domain/issue/issue-life.ts';
import { createCommentRestoring } from './comment-restoring.ts';
import { cancelById } from './canceling.ts';
import { type Happening, showIssue } from './projection.ts';
import { createDiscussion } from './discussion.ts';
import { issueClosed, issueReopened, repositoryGone } from './ending.ts';
import { expire } from './workspace.ts';
import type { IssueInHand } from './context.ts';
import { labelRemoved } from './label-removals.ts';
import { isLabelFact, labelPutOn, showThrottled, takeLabelFacts } from './labels.ts';
import { pullRequestClosed } from './pull-request.ts';
import { startOrQueue } from './queue.ts';
import { changesRequested, reviewRefused } from './reviews.ts';
import { runFinished, runLost, runWaits } from './run-ends.ts';
import { reportBySignal, runWorkflowId } from '../messages.ts';

export interface IssueActs {
  /** Acts on the oldest fact, or on the workspace's lease, when nothing is unread. */
  next(): Promise<void>;
  /**
   * Prepares for continue-as-new, after which a child's end is not told to its parent any more: asks the active run to
   * report by signal. False when the run has ended already and its end is about to be learned; then it is too early.
   */
  letGo(): Promise<boolean>;
  /** When a conversation ends by itself, in milliseconds since the epoch. */
  endsAt(): number | undefined;
}

export function createIssueActs(issue: IssueRef, state: IssueState): IssueActs {
  const show = (happenings: readonly Happening[]): Promise<void> => showIssue(issue, state, happenings);
  const restoring = createCommentRestoring();
  const discussion = createDiscussion(issue, state, {
    show,
    startOrQueue: (planned) => startOrQueue(here, planned),
    cancelById: (runId, by, reason) => cancelById(here, runId, by, reason),
  });
  const here: IssueInHand = { issue, state, discussion, show };

  async function next(): Promise<void> {
    if (state.throttled > 0) await showThrottled(here, state.throttled);
    const index = nextUnread(state);
    const fact = state.unread[index]?.fact;
    if (!fact) return expire(here);
    if (isLabelFact(fact)) return labelPutOn(here, takeLabelFacts(here, fact));
    state.unread.splice(index, 1);
    switch (fact.kind) {
      case 'trigger_label_removed':
        return labelRemoved(here, fact);
      case 'changes_requested':
        return changesRequested(here, fact);
      case 'comment_added':
        return discussion.said(fact);
      case 'status_comment_changed':
        return restoring.changed(fact);
      case 'pull_request_closed':
        return pullRequestClosed(here, fact);
      case 'issue_closed':
        return issueClosed(here, fact);
      case 'issue_reopened':
        return issueReopened(here, fact);
      case 'repository_gone':
        return repositoryGone(here, fact);
      case 'review_refused':
        return reviewRefused(here, fact);
      case 'run_finished':
        return runFinished(here, fact.runId, fact.outcome);
      case 'run_waiting':
        return runWaits(here, fact.runId, fact.wait);
      case 'run_resumed':
        return runWaits(here, fact.runId, null);
      case 'run_lost':
        return runLost(here, fact.runId, fact.outcome);
      case 'cancel_requested':
        return cancelById(here, fact.runId, fact.by, fact.reason);
    }
  }

  async function letGo(): Promise<boolean> {
    state.unread.push(...restoring.underWay().map((fact) => ({ seq: null, fact })));
    const run = state.active;
    if (!run || run.reportsBySignal) return true;
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
