/** The queue of an issue: one run is active at a time, and the others start when GitHub confirms that they are still wanted. */
import { triggerLabel } from '../../stages/stages.ts';
import { gateOf } from '../label-events.ts';
import { whyLabelIsGone } from '../confirmations.ts';
import type { ResultFact } from '../effects.ts';
import type { PlannedRun } from '../state.ts';
import { cancel, showQueue } from './cancels.ts';
import { askLeniently, record, type Deciding, type Draft } from './draft.ts';
import { endDiscussion } from './discussion-end.ts';
import { askOpenness, askStaleness, continueReopened } from './github-state.ts';
import { isTooMuch } from './breaker.ts';
import { refuse, subjectOf } from './refusals.ts';
import { couldNotStart, notStarted, start } from './starts.ts';

/** The most queued runs of an issue; a further request is refused. */
const QUEUE_LIMIT = 10;

/** Starts the run if nothing is active or queued, else queues it. A run that leaves work ends a discussion. */
export function* startOrQueue(draft: Draft, planned: PlannedRun): Deciding {
  const { state } = draft;
  if (yield* isTooMuch(draft, planned)) return;
  if (planned.target.kind !== 'discussion')
    yield* endDiscussion(draft, planned.by.login, `${triggerLabel(planned.target)} was asked for`);
  if (!state.active && state.queue.length === 0) return yield* start(draft, planned);
  if (state.queue.length >= QUEUE_LIMIT) return yield* refuseForQueue(draft, planned);
  state.queue = [...state.queue, planned];
  yield* showQueue(draft);
  record(draft, [
    {
      type: 'run.queued',
      payload: { position: state.queue.length },
      actor: planned.by.login,
      runId: planned.runId,
      correlationId: planned.delivery,
    },
  ]);
}

/** Refuses a request because the queue is full. */
function* refuseForQueue(draft: Draft, { trigger, label, by, delivery }: PlannedRun): Deciding {
  const reason = 'queue_full';
  const pullRequest = label === null ? draft.state.pullRequest?.number : undefined;
  yield* refuse(draft, { actor: by.login, reason, labels: [], subject: subjectOf(trigger), pullRequest });
  record(draft, [{ type: 'run.not_started', payload: { label, reason }, actor: by.login, correlationId: delivery }]);
}

/**
 * Starting the next run is a decision of its own, after everything that was decided so far: it asks GitHub, which may take up
 * to a day to answer.
 */
export function goOn({ state, effects }: Draft): void {
  if (state.active) return;
  if (state.queue.length > 0 || state.discussion?.unanswered.length)
    effects.push({ kind: 'go_on', fact: { kind: 'start_next' } });
}

/** Starts the first queued run if GitHub confirms that it is still wanted. */
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

/** Starts the active run again: the workspace that was in its way is gone. */
export function* startGoesOn(draft: Draft): Deciding {
  const { active } = draft.state;
  if (active) yield* start(draft, active);
  goOn(draft);
}

interface Unwanted {
  readonly actor: string;
  readonly reason: string;
}

/** An error of GitHub does not stop the run: it fails by itself if something is wrong. */
function* whyNoLongerWanted(draft: Draft, planned: PlannedRun): Deciding<Unwanted | undefined> {
  switch (planned.trigger.kind) {
    case 'label':
      return yield* whyLabelIsUnwanted(draft, planned);
    case 'review':
      return yield* whyReviewIsUnwanted(draft, planned, planned.trigger.review);
    case 'comment':
      return undefined;
  }
}

function* whyLabelIsUnwanted(
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
  continueReopened(draft, read.issue);
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
