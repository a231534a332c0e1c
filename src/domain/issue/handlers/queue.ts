/** One run works at a time. Others wait, and begin when GitHub says that they are still wanted. */
import { triggerLabel } from '../../stages/stages.ts';
import type { Trigger } from '../../run/trigger.ts';
import { gateOf } from '../label-events.ts';
import { whyLabelIsGone } from '../confirmations.ts';
import type { ResultFact } from '../effects.ts';
import type { PlannedRun } from '../state.ts';
import { cancel, showQueue } from './cancels.ts';
import { askLeniently, record, type Deciding, type Draft } from './draft.ts';
import { endDiscussion } from './discussion-end.ts';
import { askOpenness, askStaleness } from './github-state.ts';
import { refuse } from './refusals.ts';
import { couldNotStart, notStarted, start } from './starts.ts';

/** Runs of one issue that may wait; who asks for more is told to wait with asking. */
const QUEUE_LIMIT = 10;

/** Work ends a discussion; it begins at once where nothing works or waits. */
export function* startOrQueue(draft: Draft, planned: PlannedRun): Deciding {
  const { state } = draft;
  if (planned.target.kind !== 'discussion')
    yield* endDiscussion(draft, planned.by.login, `${triggerLabel(planned.target)} was asked for`);
  if (!state.active && state.queue.length === 0) return yield* start(draft, planned);
  if (state.queue.length >= QUEUE_LIMIT) return yield* refuseForQueue(draft, planned);
  state.queue = [...state.queue, planned];
  yield* showQueue(draft);
  record(draft, [
    {
      type: 'run.queued',
      payload: { place: state.queue.length },
      actor: planned.by.login,
      runId: planned.runId,
      correlationId: planned.delivery,
    },
  ]);
}

/** Who asks for more than may wait is told to wait with asking. */
function* refuseForQueue(draft: Draft, { trigger, label, by, delivery }: PlannedRun): Deciding {
  const reason = 'queue_full';
  const pullRequest = label === null ? draft.state.pullRequest?.number : undefined;
  yield* refuse(draft, { actor: by.login, reason, labels: [], subject: subjectOf(trigger), pullRequest });
  record(draft, [{ type: 'run.not_started', payload: { label, reason }, actor: by.login, correlationId: delivery }]);
}

function subjectOf(trigger: Trigger): string {
  switch (trigger.kind) {
    case 'label':
      return `event-${trigger.event}`;
    case 'review':
      return `review-${trigger.review}`;
    case 'comment':
      return `comment-${trigger.comment}`;
  }
}

/**
 * Who comes next is decided by itself, when all that was decided so far is done: GitHub is asked then, which may not answer for
 * a day.
 */
export function goOn({ state, effects }: Draft): void {
  if (state.active) return;
  if (state.queue.length > 0 || state.discussion?.unanswered.length)
    effects.push({ kind: 'go_on', fact: { kind: 'start_next' } });
}

/** Starts the first of those that wait, if GitHub says that it is still wanted; who asked may have thought better of it. */
export function* startNext(draft: Draft): Deciding {
  const { state } = draft;
  const [first, ...rest] = state.queue;
  if (state.active || !first) return;
  const unwanted = yield* whyNoLongerWanted(draft, first);
  if (unwanted) {
    yield* cancel(draft, first.runId, unwanted.actor, unwanted.reason);
    return goOn(draft);
  }
  state.queue = rest;
  yield* showQueue(draft);
  yield* start(draft, first);
  goOn(draft);
}

export function* runNotStarted(
  draft: Draft,
  { runId, reason, exists }: Extract<ResultFact, { kind: 'run_not_started' }>,
): Deciding {
  const { active } = draft.state;
  if (active?.runId !== runId) return;
  if (exists) notStarted(draft, active, reason);
  else yield* couldNotStart(draft, active, reason);
  goOn(draft);
}

/** The workspace is gone that was in the way of the active run. */
export function* startGoesOn(draft: Draft): Deciding {
  const { active } = draft.state;
  if (active) yield* start(draft, active);
  goOn(draft);
}

interface Unwanted {
  readonly actor: string;
  readonly reason: string;
}

/** GitHub's refusal to say stops nothing: the run then says itself what is the matter. */
function* whyNoLongerWanted(draft: Draft, planned: PlannedRun): Deciding<Unwanted | undefined> {
  switch (planned.trigger.kind) {
    case 'label':
      return yield* whyClickIsUnwanted(draft, planned);
    case 'review':
      return yield* whyReviewIsUnwanted(draft, planned, planned.trigger.review);
    case 'comment':
      return undefined;
  }
}

function* whyClickIsUnwanted(
  draft: Draft,
  { trigger, label, target, by, pullRequest }: PlannedRun,
): Deciding<Unwanted | undefined> {
  const { state } = draft;
  if (pullRequest !== undefined && !(yield* askOpenness(draft)).open)
    return { actor: 'GitHub', reason: 'the issue is closed' };
  if (label === null) return undefined;
  const issue = pullRequest === undefined ? state.issue : { ...state.issue, number: pullRequest };
  const branches = state.branch ?? 1;
  const read = yield* askLeniently({ kind: 'trigger', issue, label, facts: [], branches, people: [by.id] });
  if (!read) return undefined;
  draft.settings ??= read.settings;
  const refused = read.issue.refused?.[by.id];
  if (refused !== undefined)
    return { actor: 'codex-k8s', reason: `@${by.login} may not start runs any more (${refused})` };
  const gone = whyLabelIsGone({ trigger, label }, read.issue);
  const refusal = gone ? undefined : gateOf(target, read.issue, state);
  return gone ?? (refusal && { actor: 'codex-k8s', reason: `it may not begin (${refusal.reason})` });
}

function* whyReviewIsUnwanted(draft: Draft, { target }: PlannedRun, review: number): Deciding<Unwanted | undefined> {
  const { state } = draft;
  if (!state.pullRequest) return { actor: 'GitHub', reason: 'there is no open pull request any more' };
  const stale = yield* askStaleness(draft, state.pullRequest.number, review);
  if (stale !== undefined)
    return { actor: 'GitHub', reason: `the review does not ask for changes any more (${stale})` };
  const shown = yield* askLeniently({ kind: 'issue', issue: state.issue, label: '' });
  const refusal = shown && gateOf(target, { labels: shown.labels }, state);
  return refusal && { actor: 'codex-k8s', reason: `it may not begin (${refusal.reason})` };
}
