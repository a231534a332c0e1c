/** The unread facts of an issue: receiving them, and choosing the next one. */
import { isLabelFact, labelSubject, type Fact, type ObservedFact } from './facts.ts';
import type { IssueState } from './state.ts';

/**
 * Receives facts. Those at or before the cursor are known already, so a fact that is sent twice is received once. While many
 * are unread, one that repeats another unread one is dropped: both would be confirmed with GitHub by the same read, and the
 * state stays small enough for continue-as-new.
 */
export function receive(state: IssueState, facts: readonly ObservedFact[]): void {
  for (const observed of facts) {
    if (observed.seq !== null) {
      if (observed.seq <= state.cursor) continue;
      state.cursor = observed.seq;
    }
    if (state.unread.length >= UNREAD_LIMIT && isRepetition(state, observed.fact)) {
      state.throttled += 1;
      continue;
    }
    state.unread.push(observed);
  }
}

/** With so many unread facts, further ones that repeat an unread one are dropped. */
export const UNREAD_LIMIT = 100;

function isRepetition(state: IssueState, fact: Fact): boolean {
  const subject = subjectOf(fact);
  return subject !== undefined && state.unread.some((unread) => subjectOf(unread.fact) === subject);
}

/** The subject that two facts share if one read of GitHub answers both. Facts from within have none, and always count. */
function subjectOf(fact: Fact): string | undefined {
  switch (fact.kind) {
    case 'trigger_label_removed':
      return `${fact.kind} ${fact.by.id} ${fact.label}`;
    case 'trigger_label_added':
      return `${fact.kind} ${fact.by.id} ${fact.label} ${fact.event}`;
    case 'trigger_refused':
      return `${fact.kind} ${fact.by.id} ${fact.label} ${fact.event} ${fact.reason}`;
    case 'changes_requested':
    case 'review_refused':
      return `${fact.kind} ${fact.review}`;
    case 'comment_added':
      return `${fact.kind} ${fact.comment}`;
    case 'pull_request_closed':
      return `${fact.kind} ${fact.pullRequest}`;
    case 'status_comment_changed':
      return `${fact.kind} ${fact.runId}`;
    case 'issue_closed':
    case 'issue_reopened':
    case 'repository_gone':
      return fact.kind;
    case 'run_finished':
    case 'run_waiting':
    case 'run_resumed':
    case 'run_lost':
    case 'cancel_requested':
      return undefined;
  }
}

/**
 * Takes the next fact out of the unread ones: facts from people and runs come before those from webhooks. Facts that the same
 * read of GitHub answers come with it: all of a label that was put on, and all removals of a label. Empty when nothing is
 * unread.
 */
export function takeNext(state: IssueState): readonly Fact[] {
  const next = Math.max(
    0,
    state.unread.findIndex(({ seq }) => seq === null),
  );
  const first = state.unread[next]?.fact;
  if (!first) return [];
  const alike = (fact: Fact, index: number): boolean => index === next || isAnsweredBySameRead(first, fact);
  const taken = state.unread.filter(({ fact }, index) => alike(fact, index)).map(({ fact }) => fact);
  state.unread = state.unread.filter(({ fact }, index) => !alike(fact, index));
  return taken;
}

function isAnsweredBySameRead(first: Fact, other: Fact): boolean {
  if (isLabelFact(first)) return isLabelFact(other) && labelSubject(other) === labelSubject(first);
  if (first.kind !== 'trigger_label_removed' || other.kind !== 'trigger_label_removed') return false;
  return other.label === first.label && other.pullRequest === first.pullRequest;
}
