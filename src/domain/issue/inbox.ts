/** The unread facts of an issue: how they are taken in, and which one is acted on next. */
import { isLabelFact, labelSubject, type Fact, type ObservedFact } from './facts.ts';
import type { IssueState } from './state.ts';

/**
 * Takes in facts: those at or before the cursor are known already; handed over twice is learned once. While many are unread, one that repeats
 * what another unread one says is let go: GitHub is asked before either is acted on, so that both lead to the same, and the
 * state stays small enough to be carried through continue-as-new.
 */
export function receive(state: IssueState, facts: readonly ObservedFact[]): void {
  for (const observed of facts) {
    if (observed.seq !== null) {
      if (observed.seq <= state.cursor) continue;
      state.cursor = observed.seq;
    }
    if (state.unread.length >= UNREAD_LIMIT && saysNothingNew(state, observed.fact)) {
      state.throttled += 1;
      continue;
    }
    state.unread.push(observed);
  }
}

/** From here on, facts that repeat an unread one are let go. */
export const UNREAD_LIMIT = 100;

function saysNothingNew(state: IssueState, fact: Fact): boolean {
  const subject = subjectOf(fact);
  return subject !== undefined && state.unread.some((unread) => subjectOf(unread.fact) === subject);
}

/** What two facts have in common that one look at GitHub answers alike. What comes from within has none, and always counts. */
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
 * Takes the next fact out of the unread: what people and runs say directly comes before what webhooks report. Others come with it that
 * one look at GitHub answers as well: all of a label that was put on, and all removals of a label. Empty when nothing is unread.
 */
export function takeNext(state: IssueState): readonly Fact[] {
  const next = Math.max(
    0,
    state.unread.findIndex(({ seq }) => seq === null),
  );
  const first = state.unread[next]?.fact;
  if (!first) return [];
  const alike = (fact: Fact, index: number): boolean => index === next || isAnsweredWith(first, fact);
  const taken = state.unread.filter(({ fact }, index) => alike(fact, index)).map(({ fact }) => fact);
  state.unread = state.unread.filter(({ fact }, index) => !alike(fact, index));
  return taken;
}

function isAnsweredWith(first: Fact, other: Fact): boolean {
  if (isLabelFact(first)) return isLabelFact(other) && labelSubject(other) === labelSubject(first);
  if (first.kind !== 'trigger_label_removed' || other.kind !== 'trigger_label_removed') return false;
  return other.label === first.label && other.pullRequest === first.pullRequest;
}
