/** A trigger label is put on: GitHub's own events say what is meant (design.md, decision 3). */
import { isCancellation, rootCause } from '@temporalio/workflow';
import type { Fact } from '../../src/domain/issue/facts.ts';
import { decideTriggers, type LabelFact, type TriggerDecision } from '../../src/domain/issue/issue-life.ts';
import { triggerLabelsIn } from '../../src/domain/stages/stages.ts';
import { readTrigger, settleLabels } from '../activities.ts';
import type { Happening } from './projection.ts';
import { inBackground, type IssueInHand } from './context.ts';
import { startOrQueue } from './queue.ts';
import { isExplained, refuse } from './refusals.ts';
import { readOpenness, takeIn, takeOpenness } from './github-state.ts';

/** Duplicates that are told one by one, of those that one look at GitHub answers. */
const DUPLICATES_TOLD = 20;

/** All unread facts of one label at once: one look at GitHub answers them all, however many deliveries came. */
export function takeLabelFacts({ state }: IssueInHand, first: LabelFact): LabelFact[] {
  const isAlike = (fact: Fact): fact is LabelFact => isLabelFact(fact) && subjectOf(fact) === subjectOf(first);
  const facts = state.unread.map(({ fact }) => fact).filter(isAlike);
  state.unread = state.unread.filter(({ fact }) => !isAlike(fact));
  return facts;
}

/** Plans the runs that the clicks stand for, and says why of those that stand for none (reliability.md T11-T14, T26). */
export async function labelPutOn(here: IssueInHand, facts: readonly LabelFact[]): Promise<void> {
  const { issue, state, show, discussion } = here;
  const [first] = facts;
  if (!first) return;
  const { label } = first;
  const { pullRequest } = first;
  const subject = subjectOf(first);
  const taken = state.takenEvents[subject] ?? {};
  const refused = state.refusedEvents[subject] ?? {};
  const known = (person: number): number => Math.max(taken[person] ?? 0, refused[person] ?? 0);
  const asked = facts.map(({ by, at }) => ({ by: by.id, at, taken: known(by.id) }));
  const on = pullRequest === undefined ? issue : { ...issue, number: pullRequest };
  const read = await readTrigger({
    issue: on,
    label,
    facts: asked,
    branches: state.branch ?? 1,
    people: asked.map(({ by }) => by),
  }).catch(async (error: unknown) => {
    if (isCancellation(error)) throw error;
    const reason = rootCause(error) ?? String(error);
    await show(
      facts.map(({ by, delivery }) => ({
        type: 'run.not_started',
        payload: { label, reason: 'github_refused', error: reason },
        by: by.login,
        correlationId: delivery,
      })),
    );
    return undefined;
  });
  if (!read) return;
  const { truth, settings } = read;
  if (pullRequest === undefined) {
    state.title = truth.title;
    await takeOpenness(here, truth.open);
  }
  if (pullRequest === undefined) await takeIn(here, truth);
  if (pullRequest !== undefined && !(await readOpenness(here)).open) return;
  const decision = decideTriggers(taken, facts, truth, state, refused);
  state.takenEvents[subject] = decision.taken;
  if (Object.keys(decision.refused).length > 0) state.refusedEvents[subject] = decision.refused;
  await showDropped(here, label, decision.dropped);
  for (const { fact, event, reason, labels } of decision.dropped.filter((drop) => isExplained(drop.reason))) {
    await refuse(
      here,
      fact.by.login,
      reason,
      labels ?? triggerLabelsIn([...truth.labels, label]),
      `event-${event ?? decision.taken[fact.by.id] ?? fact.delivery}`,
      pullRequest,
    );
    if (reason === 'trigger_by_agent') await askOwner(here, fact);
  }
  for (const planned of decision.planned) {
    await startOrQueue(here, planned.target.kind === 'discussion' ? discussion.begin(planned) : planned, settings);
  }
}

/** What an agent asks for, a person has to ask for: its label is taken off, and the request is there to be read. */
async function askOwner({ issue, show }: IssueInHand, { label, by, delivery }: LabelFact): Promise<void> {
  inBackground(settleLabels({ issue, remove: label, add: null, pullRequest: null }));
  await show([{ type: 'approval.requested', payload: { label }, by: by.login, correlationId: delivery }]);
}

/** Of those that say nothing new a few are told one by one, and the others counted: each costs the audit trail a row. */
async function showDropped({ show }: IssueInHand, label: string, dropped: TriggerDecision['dropped']): Promise<void> {
  if (dropped.length === 0) return;
  const repeated = dropped.filter(({ reason }) => reason === 'trigger_already_taken');
  const counted = repeated.slice(DUPLICATES_TOLD);
  const told = dropped
    .filter((drop) => !counted.includes(drop))
    .map(({ fact, reason }): Happening => ({
      type: reason === 'trigger_already_taken' ? 'trigger.duplicate' : 'run.not_started',
      payload: { label, reason },
      by: fact.by.login,
      correlationId: fact.delivery,
    }));
  await show(counted.length === 0 ? told : [...told, throttled(counted.length)]);
}

/** Says how many deliveries said nothing new, in a flood of them. */
export async function showThrottled({ state, show }: IssueInHand, facts: number): Promise<void> {
  state.throttled = 0;
  await show([throttled(facts)]);
}

function throttled(facts: number): Happening {
  return { type: 'issue.throttled', payload: { facts } };
}

/** What one look at GitHub answers: a label on the issue, or on one of its pull requests. */
function subjectOf({ label, pullRequest }: LabelFact): string {
  return pullRequest === undefined ? label : `${label} #${pullRequest}`;
}

/** Whether a fact tells of a label that was put on. */
export function isLabelFact(fact: Fact): fact is LabelFact {
  return fact.kind === 'trigger_label_added' || fact.kind === 'trigger_refused';
}
