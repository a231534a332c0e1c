/**
 * `mode:discussion`: a conversation in comments (requirements.md T18). Each turn is a run of its own that goes on with the
 * same agent conversation, so that no agent waits for people; what is said during a turn is answered by the next one.
 */
import type { Fact, IssueRef } from '../../src/domain/issue/facts.ts';
import type { Discussion, IssueState, PlannedRun } from '../../src/domain/issue/issue-life.ts';
import type { RunOutcome } from '../../src/domain/run/runs.ts';
import { MODE_DISCUSSION, type TriggerTarget } from '../../src/domain/stages/stages.ts';
import { acknowledge, readLabelTruth, settleLabels } from '../activities.ts';
import { leftOut, type Happening } from './projection.ts';

/** A conversation in which nobody says anything for so long is over. */
const IDLE_MS = 8 * 3_600_000;

const TARGET: TriggerTarget = { stage: 'intake', kind: 'discussion' };

/** What a conversation asks of the issue. */
export interface DiscussionActs {
  show(happenings: readonly Happening[]): Promise<void>;
  startOrQueue(planned: PlannedRun): Promise<void>;
  cancelById(runId: string, by: string, reason: string): Promise<void>;
}

export interface IssueDiscussion {
  /** Begins, when a turn is planned that the label asks for. Returns that turn, which answers what was said before. */
  begin(planned: PlannedRun): PlannedRun;
  /** Somebody said something. */
  said(fact: Extract<Fact, { kind: 'comment_added' }>): Promise<void>;
  /** A turn is over. */
  turnOver(turn: PlannedRun, outcome: RunOutcome): Promise<void>;
  /** The label is off, by GitHub's own word, when a webhook says so. */
  labelRemoved(by: string): Promise<void>;
  /** Ends it, with whatever turn works or waits. */
  end(by: string, reason: string): Promise<void>;
  /** When it ends by itself, in milliseconds since the epoch; undefined while a turn works, or where there is none. */
  endsAt(): number | undefined;
}

export function createDiscussion(issue: IssueRef, state: IssueState, acts: DiscussionActs): IssueDiscussion {
  const isTurn = (run: PlannedRun | null): run is PlannedRun => run?.target.kind === 'discussion';
  const inTurn = (): boolean => isTurn(state.active) || state.queue.some(isTurn);

  /** Nothing waits for it. */
  function react(comment: number, content: 'eyes' | '+1'): void {
    acknowledge({ issue, trigger: `comment:${comment}`, pullRequest: null, content })
      .catch(leftOut)
      .catch(() => undefined);
  }

  async function nextTurn(discussion: Discussion): Promise<void> {
    const newest = discussion.unanswered.at(-1);
    if (!newest || inTurn()) return;
    await acts.startOrQueue({
      runId: newest.runId,
      target: TARGET,
      trigger: `comment:${newest.comment}`,
      label: null,
      by: newest.by,
      delivery: newest.delivery,
      requestedAt: newest.at,
      frozenAt: later(newest.saidAt, new Date().toISOString()),
      revision: 0,
    });
  }

  async function end(by: string, reason: string): Promise<void> {
    if (!state.discussion) return;
    state.discussion = null;
    for (const { runId } of [...state.queue, ...(state.active ? [state.active] : [])].filter(isTurn))
      await acts.cancelById(runId, by, reason);
    settleLabels({ issue, remove: MODE_DISCUSSION, add: null, pullRequest: null })
      .catch(leftOut)
      .catch(() => undefined);
    await acts.show([{ type: 'discussion.ended', payload: { by, reason } }]);
  }

  /** A comment whose delivery overtook the label's is kept until that arrives, if ever. */
  function hearEarly(comment: Discussion['unanswered'][number]): void {
    const early = state.early.filter((other) => other.comment !== comment.comment);
    state.early = [...early, comment].slice(-UNANSWERED);
  }

  return {
    begin(planned) {
      const { early } = state;
      state.early = [];
      state.discussion = {
        last: null,
        answeredUntil: null,
        unanswered: early,
        taken: early.map(({ comment }) => comment),
        idleUntil: new Date(Date.parse(planned.requestedAt) + IDLE_MS).toISOString(),
      };
      for (const { comment } of early) react(comment, 'eyes');
      // A comment that came while nobody lived to hear it is read as well: all that is there now is what the turn is about.
      const said = early.reduce((latest, { saidAt }) => later(latest, saidAt), new Date().toISOString());
      return { ...planned, frozenAt: later(said, planned.frozenAt ?? planned.requestedAt) };
    },

    async said({ runId, comment: id, saidAt, delivery, by, at }) {
      const comment = { runId, comment: id, saidAt, delivery, by, at };
      const { discussion } = state;
      if (!discussion) return hearEarly(comment);
      if (state.closed || discussion.taken.includes(id)) return;
      state.discussion = {
        ...discussion,
        unanswered: [...discussion.unanswered, comment].slice(-UNANSWERED),
        taken: [...discussion.taken, id].slice(-TAKEN),
      };
      react(comment.comment, 'eyes');
      if (state.discussion) await nextTurn(state.discussion);
    },

    async turnOver(turn, outcome) {
      const { discussion } = state;
      if (!discussion) return;
      const until = turn.frozenAt ?? turn.requestedAt;
      const answered = discussion.unanswered.filter(({ saidAt }) => Date.parse(saidAt) <= Date.parse(until));
      const succeeded = outcome.status === 'succeeded';
      state.discussion = {
        last: succeeded ? { runId: turn.runId, threadId: outcome.threadId } : discussion.last,
        answeredUntil: succeeded ? later(until, discussion.answeredUntil ?? until) : discussion.answeredUntil,
        // What a failed turn has not answered is answered with the next comment, not by trying again and again.
        unanswered: discussion.unanswered.filter((comment) => !answered.includes(comment)),
        taken: discussion.taken,
        idleUntil: new Date(Date.now() + IDLE_MS).toISOString(),
      };
      if (succeeded) for (const { comment } of answered) react(comment, '+1');
      if (state.discussion) await nextTurn(state.discussion);
    },

    async labelRemoved(by) {
      if (!state.discussion) return;
      const truth = await readLabelTruth({ issue, label: MODE_DISCUSSION, facts: [] }).catch(leftOut);
      const stands = truth?.labels.some((label) => label.trim().toLowerCase() === MODE_DISCUSSION) ?? false;
      if (!stands) await end(by, `the label ${MODE_DISCUSSION} was removed`);
    },

    end,

    endsAt() {
      return state.discussion && !inTurn() ? Date.parse(state.discussion.idleUntil) : undefined;
    },
  };
}

/** The later of two instants, ISO 8601. */
function later(one: string, other: string): string {
  return Date.parse(one) >= Date.parse(other) ? one : other;
}

/** Comments that wait for an answer, at most; all of them are in what the agent reads. */
const UNANSWERED = 50;
/** Comments that are remembered, so that one which two hooks tell of is answered once. */
const TAKEN = 200;
