/**
 * The decision on a fact: state, facts and what was read from GitHub in, the next state and a list of effects out. Pure; one
 * call is one whole decision. What it has to know first it returns as reads, and is then called again with the same state and
 * facts.
 */
import type { Effect, ResultFact } from './effects.ts';
import type { Fact, LabelFact } from './facts.ts';
import { cancelRequested } from './handlers/cancels.ts';
import { commentAdded } from './handlers/comments.ts';
import { discussionIdle, idleEndOf, nextDiscussionRun } from './handlers/discussion.ts';
import { record, type Deciding, type Draft } from './handlers/draft.ts';
import { issueClosed, issueReopened, repositoryGone } from './handlers/ending.ts';
import { labelRemoved } from './handlers/label-removals.ts';
import { labelPutOn, throttled } from './handlers/labels.ts';
import { pullRequestClosed } from './handlers/pull-requests.ts';
import { changesRequested, reviewRefused } from './handlers/reviews.ts';
import { runNotStarted, startGoesOn, startNext } from './handlers/queue.ts';
import { runFinished, runLost, runStopped } from './handlers/run-ends.ts';
import { runStarted, slotLeased } from './handlers/starts.ts';
import { runResumed, runWaiting } from './handlers/waits.ts';
import { leaseEndOf, leaseOver, workspaceRemoved } from './handlers/workspace.ts';
import type { Answer, Read, Reading, ReadValues } from './reads.ts';
import type { IssueState } from './state.ts';

export { receive, takeNext } from './inbox.ts';
export { isOver, newIssueState, waitsFor } from './state.ts';
export type { Effect, IssueState, Read, Reading, ReadValues, ResultFact };

/** The reads that the decision needs first, or the decision. */
export type Decision =
  | { readonly needs: readonly Read[] }
  | { readonly state: IssueState; readonly effects: readonly Effect[] };

/**
 * Decides on the facts that `takeNext` took out of the inbox, on the result of an effect, or on the time that has passed.
 * `github`: what was read for this decision. `now`: ISO 8601.
 */
export function decide(
  state: IssueState,
  facts: readonly (Fact | ResultFact)[],
  github: readonly Reading[],
  now: string,
): Decision {
  const draft: Draft = { state: { ...state }, effects: [], now, settings: null };
  const deciding = handle(draft, facts);
  for (let step = deciding.next([]); ;) {
    if (step.done) return { state: draft.state, effects: draft.effects };
    const answers = step.value.map((read) => answerTo(read, github));
    if (answers.includes(undefined)) return { needs: step.value.filter((read) => !answerTo(read, github)) };
    step = deciding.next(answers as Answer[]);
  }
}

function answerTo(read: Read, github: readonly Reading[]): Answer | undefined {
  const asked = JSON.stringify(read);
  return github.find((known) => JSON.stringify(known.read) === asked)?.answer;
}

function* handle(draft: Draft, facts: readonly (Fact | ResultFact)[]): Deciding {
  const { throttled: dropped } = draft.state;
  draft.state.throttled = 0;
  if (dropped > 0) record(draft, [throttled(dropped)]);
  const [fact] = facts;
  if (!fact) return;
  switch (fact.kind) {
    case 'trigger_label_added':
    case 'trigger_refused':
      return yield* labelPutOn(draft, facts.filter(isLabelPutOn));
    case 'trigger_label_removed':
      return yield* labelRemoved(draft, fact, facts.filter(isRemoval));
    case 'changes_requested':
      return yield* changesRequested(draft, fact);
    case 'review_refused':
      return yield* reviewRefused(draft, fact);
    case 'comment_added':
      return yield* commentAdded(draft, fact);
    case 'status_comment_changed':
      return void draft.effects.push({ kind: 'restore_status_comment', change: fact });
    case 'pull_request_closed':
      return yield* pullRequestClosed(draft, fact);
    case 'issue_closed':
      return yield* issueClosed(draft, fact);
    case 'issue_reopened':
      return yield* issueReopened(draft, fact);
    case 'repository_gone':
      return yield* repositoryGone(draft, fact);
    case 'run_started':
      return runStarted(draft, fact.runId);
    case 'run_not_started':
      return yield* runNotStarted(draft, fact);
    case 'run_waiting':
      return runWaiting(draft, fact);
    case 'run_resumed':
      return runResumed(draft, fact);
    case 'run_finished':
      return runFinished(draft, fact.runId, fact.outcome);
    case 'run_lost':
      return runLost(draft, fact.runId, fact.outcome);
    case 'run_stopped':
      return yield* runStopped(draft, fact.runId, fact.outcome);
    case 'start_next':
      yield* nextDiscussionRun(draft);
      return yield* startNext(draft);
    case 'cancel_requested':
      return yield* cancelRequested(draft, fact);
    case 'slot_leased':
      return slotLeased(draft, fact);
    case 'workspace_removed':
      workspaceRemoved(draft, fact);
      return fact.reason === 'slot_needed' ? yield* startGoesOn(draft) : undefined;
    case 'time_passed':
      return yield* timePassed(draft);
  }
}

/** A discussion ends when it is idle, a workspace when its lease runs out. */
function* timePassed(draft: Draft): Deciding {
  const now = Date.parse(draft.now);
  if ((idleEndOf(draft.state) ?? Infinity) <= now) return yield* discussionIdle(draft);
  if ((leaseEndOf(draft.state) ?? Infinity) <= now) yield* leaseOver(draft);
}

/** When time alone changes the state, in milliseconds since 1970, and what ends then; undefined when nothing does. */
export function wakesAt(state: IssueState): { readonly at: number; readonly ends: string } | undefined {
  const idle = idleEndOf(state);
  const lease = leaseEndOf(state);
  if (idle !== undefined && idle <= (lease ?? Infinity)) return { at: idle, ends: 'The discussion ends by itself' };
  return lease === undefined ? undefined : { at: lease, ends: `Lease of ${state.workspace?.name}` };
}

function isLabelPutOn(fact: Fact | ResultFact): fact is LabelFact {
  return fact.kind === 'trigger_label_added' || fact.kind === 'trigger_refused';
}

function isRemoval(fact: Fact | ResultFact): fact is Extract<Fact, { kind: 'trigger_label_removed' }> {
  return fact.kind === 'trigger_label_removed';
}
