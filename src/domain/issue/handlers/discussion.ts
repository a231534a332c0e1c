/**
 * `mode:discussion`: a conversation in comments. Each turn is a run of its own that goes on with the same agent conversation, so
 * that no agent waits for people; what is said during a turn is answered by the next one.
 */
import type { RunOutcome } from '../../run/runs.ts';
import { MODE_DISCUSSION, normalizeLabel, type TriggerTarget } from '../../stages/stages.ts';
import type { Fact } from '../facts.ts';
import type { IssueState, PlannedRun } from '../state.ts';
import { endDiscussion, isTurn } from './discussion-end.ts';
import { askLeniently, type Deciding, type Draft } from './draft.ts';
import { startOrQueue } from './queue.ts';

/** A discussion in which nobody says anything for so long is over. */
const IDLE_MS = 8 * 3_600_000;

/** Comments that wait for an answer, at most; all of them are in what the agent reads. */
const UNANSWERED = 50;
/** Comments that are remembered, so that one which two hooks tell of is answered once. */
export const TAKEN = 200;

const TARGET: TriggerTarget = { stage: 'intake', kind: 'discussion' };

type Comment = Extract<Fact, { kind: 'comment_added' }>;

/** Begins, when a turn is planned that the label asks for. Returns that turn, which answers what was said before. */
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
  // A comment that came while nobody lived to hear it is read as well: all that is there now is what the turn is about.
  const said = early.reduce((latest, { saidAt }) => later(latest, saidAt), now);
  return { ...planned, frozenAt: later(said, planned.frozenAt ?? planned.requestedAt) };
}

/** Somebody said something. A comment whose delivery overtook the label's is kept until that arrives, if ever. */
export function* saidInDiscussion(draft: Draft, fact: Comment): Deciding {
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
  yield* nextTurn(draft);
}

/** A turn is over. What a failed one has not answered is answered with the next comment, not by trying again and again. */
export function turnOver({ state, effects, now }: Draft, turn: PlannedRun, outcome: RunOutcome): void {
  const { discussion } = state;
  if (!discussion) return;
  const until = turn.frozenAt ?? turn.requestedAt;
  const answered = discussion.unanswered.filter(({ saidAt }) => Date.parse(saidAt) <= Date.parse(until));
  const succeeded = outcome.status === 'succeeded';
  state.discussion = {
    last: succeeded ? { runId: turn.runId, threadId: outcome.threadId } : discussion.last,
    answeredUntil: succeeded ? later(until, discussion.answeredUntil ?? until) : discussion.answeredUntil,
    unanswered: discussion.unanswered.filter((comment) => !answered.includes(comment)),
    taken: discussion.taken,
    idleUntil: new Date(Date.parse(now) + IDLE_MS).toISOString(),
  };
  if (succeeded) for (const { comment } of answered) effects.push(reaction(comment, '+1'));
}

/** The label is off, by GitHub's own word, when a webhook says so. */
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

/** When it ends by itself, in milliseconds since 1970; undefined while a turn works, or where there is none. */
export function idleEndOf(state: IssueState): number | undefined {
  const inTurn = isTurn(state.active) || state.queue.some(isTurn);
  return state.discussion && !inTurn ? Date.parse(state.discussion.idleUntil) : undefined;
}

/** What nobody has answered is what the next turn is about. */
export function* nextTurn(draft: Draft): Deciding {
  const { state, now } = draft;
  const newest = state.discussion?.unanswered.at(-1);
  if (!newest || isTurn(state.active) || state.queue.some(isTurn)) return;
  yield* startOrQueue(draft, {
    runId: newest.runId,
    target: TARGET,
    trigger: { kind: 'comment', comment: newest.comment },
    label: null,
    by: newest.by,
    delivery: newest.delivery,
    requestedAt: newest.at,
    frozenAt: later(newest.saidAt, now),
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
