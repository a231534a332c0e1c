/**
 * `mode:discussion`: questions and answers in comments. Each answer is a run of its own that resumes the same agent
 * conversation, so that no agent waits for people; comments made during a run are answered by the next one.
 */
import type { RunOutcome } from '../../run/runs.ts';
import { MODE_DISCUSSION, normalizeLabel, type TriggerTarget } from '../../stages/stages.ts';
import type { Fact } from '../facts.ts';
import type { IssueState, PlannedRun } from '../state.ts';
import { endDiscussion, isDiscussionRun } from './discussion-end.ts';
import { askLeniently, type Deciding, type Draft } from './draft.ts';
import { startOrQueue } from './queue.ts';

/** A discussion without comments for so long ends. */
const IDLE_MS = 8 * 3_600_000;

/** The most unanswered comments that are remembered; the agent reads all comments in any case. */
const UNANSWERED = 50;
/** The most comments that are remembered, so that one which two webhooks report is answered once. */
export const TAKEN = 200;

const TARGET: TriggerTarget = { stage: 'intake', kind: 'discussion' };

type Comment = Extract<Fact, { kind: 'comment_added' }>;

/** Begins a discussion with its first planned run, and returns that run, which also answers earlier comments. */
export function beginDiscussion({ state, effects, now }: Draft, planned: PlannedRun): PlannedRun {
  const { early } = state;
  state.early = [];
  state.discussion = {
    last: null,
    answeredUntil: null,
    unanswered: early,
    taken: early.map(({ comment }) => comment),
    idleUntil: new Date(Date.parse(planned.requestedAt) + IDLE_MS).toISOString(),
  };
  for (const { comment } of early) effects.push(reaction(comment, 'eyes'));
  // Comments that were made while the issue had no workflow are read as well: the run is about everything written until now.
  const said = early.reduce((latest, { createdAt }) => later(latest, createdAt), now);
  const { frozenAt } = planned;
  return {
    ...planned,
    ...(frozenAt !== undefined && { labeledAt: frozenAt }),
    frozenAt: later(said, frozenAt ?? planned.requestedAt),
  };
}

/** A comment was made. If its delivery arrives before that of the label, it is kept until the label's arrives. */
export function* discussionComment(draft: Draft, fact: Comment): Deciding {
  const { kind: _, ...comment } = fact;
  const { state, effects } = draft;
  const { discussion } = state;
  if (!discussion) {
    const early = state.early.filter((other) => other.comment !== comment.comment);
    state.early = [...early, comment].slice(-UNANSWERED);
    return;
  }
  if (state.closed || discussion.taken.includes(comment.comment)) return;
  state.discussion = {
    ...discussion,
    unanswered: [...discussion.unanswered, comment].slice(-UNANSWERED),
    taken: [...discussion.taken, comment.comment].slice(-TAKEN),
  };
  effects.push(reaction(comment.comment, 'eyes'));
  yield* nextDiscussionRun(draft);
}

/**
 * A run of the discussion has ended. Comments that a failed run has not answered are answered with the next comment, not by a
 * retry.
 */
export function discussionRunEnded({ state, effects, now }: Draft, run: PlannedRun, outcome: RunOutcome): void {
  const { discussion } = state;
  if (!discussion) return;
  const { heard } = outcome;
  // A run of an older build, or one that has read nothing, does not say what it has heard.
  const until = run.frozenAt ?? run.requestedAt;
  const answered = discussion.unanswered.filter(({ comment, createdAt }) =>
    heard === undefined ? Date.parse(createdAt) <= Date.parse(until) : comment <= heard,
  );
  const succeeded = outcome.status === 'succeeded';
  state.discussion = {
    ...(heard !== undefined && succeeded ? { heard } : discussion.heard !== undefined && { heard: discussion.heard }),
    last: succeeded ? { runId: run.runId, threadId: outcome.threadId } : discussion.last,
    answeredUntil: succeeded ? later(until, discussion.answeredUntil ?? until) : discussion.answeredUntil,
    unanswered: discussion.unanswered.filter((comment) => !answered.includes(comment)),
    taken: discussion.taken,
    idleUntil: new Date(Date.parse(now) + IDLE_MS).toISOString(),
  };
  if (succeeded) for (const { comment } of answered) effects.push(reaction(comment, '+1'));
}

/** Ends the discussion if GitHub confirms that its label is off. */
export function* discussionLabelRemoved(draft: Draft, actor: string): Deciding {
  const { state } = draft;
  if (!state.discussion) return;
  const shown = yield* askLeniently({ kind: 'issue', issue: state.issue, label: MODE_DISCUSSION });
  const stands = shown?.labels.some((label) => normalizeLabel(label) === MODE_DISCUSSION) ?? false;
  if (!stands) yield* endDiscussion(draft, actor, `the label ${MODE_DISCUSSION} was removed`);
}

export function* discussionIdle(draft: Draft): Deciding {
  yield* endDiscussion(draft, 'codex-k8s', 'nobody said anything for eight hours');
}

/**
 * When the discussion ends by itself, in milliseconds since 1970; undefined during one of its runs, or without a discussion.
 */
export function idleEndOf(state: IssueState): number | undefined {
  const hasRun = isDiscussionRun(state.active) || state.queue.some(isDiscussionRun);
  return state.discussion && !hasRun ? Date.parse(state.discussion.idleUntil) : undefined;
}

/** Starts or queues a run that answers the unanswered comments. */
export function* nextDiscussionRun(draft: Draft): Deciding {
  const { state, now } = draft;
  const newest = state.discussion?.unanswered.at(-1);
  if (!newest || isDiscussionRun(state.active) || state.queue.some(isDiscussionRun)) return;
  yield* startOrQueue(draft, {
    runId: newest.runId,
    target: TARGET,
    trigger: { kind: 'comment', comment: newest.comment },
    label: null,
    by: newest.by,
    delivery: newest.delivery,
    requestedAt: newest.at,
    frozenAt: later(newest.createdAt, now),
    revision: 0,
  });
}

function reaction(comment: number, content: 'eyes' | '+1') {
  return { kind: 'react', trigger: { kind: 'comment', comment }, content } as const;
}

/** The later of two instants, ISO 8601. */
function later(one: string, other: string): string {
  return Date.parse(one) >= Date.parse(other) ? one : other;
}
