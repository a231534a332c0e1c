/** A trigger label is put on: GitHub's `labeled` events decide what is meant. */
import { triggerLabel, triggerLabelsIn } from '../../stages/stages.ts';
import { decideTriggers, type Dropped, type TriggerDecision } from '../label-events.ts';
import type { FlowEvent } from '../effects.ts';
import { labelSubject, type LabelFact } from '../facts.ts';
import type { GitHubIssueState } from '../reads.ts';
import type { IssueState } from '../state.ts';
import { beginDiscussion } from './discussion.ts';
import { ask, askLeniently, record, type Deciding, type Draft } from './draft.ts';
import { apply, applyOpenness, askOpenness, continueReopened } from './github-state.ts';
import { startOrQueue } from './queue.ts';
import { isExplained, refuse } from './refusals.ts';

const CONFLICT = 'issue_trigger_label_conflict';

/** The most duplicates that are recorded one by one. */
const DUPLICATES_RECORDED = 20;

/**
 * Plans the runs that the `labeled` events ask for, and explains those that start none. `facts`: all unread facts of one label.
 */
export function* labelPutOn(draft: Draft, facts: readonly LabelFact[]): Deciding {
  const { state } = draft;
  const [first] = facts;
  if (!first) return;
  const { pullRequest } = first;
  const shown = yield* askLabelEvents(draft, first, facts);
  if (!shown) return;
  if (pullRequest === undefined) {
    state.title = shown.title;
    yield* applyOpenness(draft, shown.open);
    yield* apply(draft, shown);
    continueReopened(draft, shown);
  } else if (!(yield* isPullRequestOfOpenIssue(draft, shown))) return;
  const decision = decideLabelEvents(draft, first, facts, shown);
  recordDropped(draft, first.label, decision.dropped);
  for (const dropped of decision.dropped.filter(({ reason }) => isExplained(reason)))
    yield* explain(draft, dropped, shown, decision);
  for (const planned of decision.planned)
    yield* startOrQueue(draft, planned.target.kind === 'discussion' ? beginDiscussion(draft, planned) : planned);
}

/**
 * Of a label on a pull request: false if its issue is closed. The issue, or the pull request, may have been reopened, and no webhook
 * has said so.
 */
function* isPullRequestOfOpenIssue(draft: Draft, shown: GitHubIssueState): Deciding<boolean> {
  const { state } = draft;
  if (!(yield* askOpenness(draft)).open) return false;
  yield* applyOpenness(draft, true);
  if (state.pullRequest || !shown.open) return true;
  const { issue, branch } = state;
  const label = triggerLabel({ stage: 'dev', kind: 'revise' });
  const read = yield* askLeniently({ kind: 'trigger', issue, label, facts: [], branches: branch ?? 1, people: [] });
  if (read) continueReopened(draft, read.issue);
  return true;
}

/** GitHub's state of the label and its events; undefined after an error of GitHub, which is recorded. */
function* askLabelEvents(
  draft: Draft,
  first: LabelFact,
  facts: readonly LabelFact[],
): Deciding<GitHubIssueState | undefined> {
  const { state } = draft;
  const { label, pullRequest } = first;
  const { taken, refused } = processedEvents(draft, first);
  const known = (person: number): number => Math.max(taken[person] ?? 0, refused[person] ?? 0);
  const answer = yield* ask({
    kind: 'trigger',
    issue: pullRequest === undefined ? state.issue : { ...state.issue, number: pullRequest },
    label,
    facts: facts.map(({ by, at }) => ({ account: by.id, at, taken: known(by.id) })),
    branches: state.branch ?? 1,
    people: facts.map(({ by }) => by.id),
  });
  if ('value' in answer) {
    draft.settings ??= answer.value.settings;
    return answer.value.issue;
  }
  const payload = { label, reason: 'github_refused', error: answer.failed };
  record(
    draft,
    facts.map(({ by, delivery }) => ({ type: 'run.not_started', payload, actor: by.login, correlationId: delivery })),
  );
  return undefined;
}

function processedEvents({ state }: Draft, fact: LabelFact): Pick<TriggerDecision, 'taken' | 'refused'> {
  const subject = labelSubject(fact);
  return { taken: state.takenEvents[subject] ?? {}, refused: state.refusedEvents[subject] ?? {} };
}

function decideLabelEvents(
  draft: Draft,
  first: LabelFact,
  facts: readonly LabelFact[],
  shown: GitHubIssueState,
): TriggerDecision {
  const { state } = draft;
  const subject = labelSubject(first);
  const { taken, refused } = processedEvents(draft, first);
  const decision = decideTriggers(taken, facts, shown, state, refused);
  state.takenEvents = { ...state.takenEvents, [subject]: decision.taken };
  if (Object.keys(decision.refused).length > 0)
    state.refusedEvents = { ...state.refusedEvents, [subject]: decision.refused };
  return decision;
}

function* explain(
  draft: Draft,
  { fact, event, reason, labels }: Dropped,
  shown: GitHubIssueState,
  decision: TriggerDecision,
): Deciding {
  const about = {
    labels: labels ?? triggerLabelsIn([...shown.labels, fact.label]),
    subject: `event-${event ?? decision.taken[fact.by.id] ?? fact.delivery}`,
  };
  const at = shown.labeled.find(({ id }) => id === event)?.at;
  yield* refuse(draft, {
    actor: fact.by.login,
    reason,
    ...(reason === CONFLICT && at !== undefined ? oneConflict(draft.state, fact, at, about) : about),
    pullRequest: fact.pullRequest,
  });
  if (reason === 'trigger_by_agent') askPerson(draft, fact);
}

/** Labels that one person puts on within this time, in milliseconds, are put on at once. */
const AT_ONCE_MS = 10_000;

/**
 * The subject and the labels of a conflict's explanation: those of the explanation that names this label already, if the same
 * person put it on at the same time, since one comment explains all of them.
 */
function oneConflict(
  state: IssueState,
  { label, by }: LabelFact,
  at: string,
  about: { readonly labels: readonly string[]; readonly subject: string },
): { readonly labels: readonly string[]; readonly subject: string } {
  const { conflict } = state;
  const isSame =
    conflict?.account === by.id &&
    conflict.labels.includes(label) &&
    Math.abs(Date.parse(conflict.at) - Date.parse(at)) <= AT_ONCE_MS;
  if (isSame) return { labels: conflict.labels, subject: conflict.subject };
  state.conflict = { account: by.id, at, ...about };
  return about;
}

/** A trigger by an agent needs a person: its label is removed, and the request is recorded. */
function askPerson(draft: Draft, { label, by, delivery }: LabelFact): void {
  draft.effects.push({
    kind: 'move_labels',
    issue: draft.state.issue,
    remove: label,
    add: null,
    pullRequest: null,
    waits: 'in_background',
  });
  record(draft, [{ type: 'approval.requested', payload: { label }, actor: by.login, correlationId: delivery }]);
}

/**
 * Records the dropped facts. Of many duplicates only some are recorded one by one, and the others counted: each is a row of the
 * audit trail.
 */
function recordDropped(draft: Draft, label: string, dropped: readonly Dropped[]): void {
  if (dropped.length === 0) return;
  const repeated = dropped.filter(({ reason }) => reason === 'trigger_already_taken');
  const counted = repeated.slice(DUPLICATES_RECORDED);
  const recorded = dropped
    .filter((drop) => !counted.includes(drop))
    .map(({ fact, reason }): FlowEvent => ({
      type: reason === 'trigger_already_taken' ? 'trigger.duplicate' : 'run.not_started',
      payload: { label, reason },
      actor: fact.by.login,
      correlationId: fact.delivery,
    }));
  record(draft, counted.length === 0 ? recorded : [...recorded, throttled(counted.length)]);
}

/** The event that records how many facts were dropped as repetitions. */
export function throttled(facts: number): FlowEvent {
  return { type: 'issue.throttled', payload: { facts } };
}
