/** A trigger label is taken off: the run whose `labeled` event GitHub shows as withdrawn is canceled. */
import { MODE_DISCUSSION, normalizeLabel } from '../../stages/stages.ts';
import type { Fact } from '../facts.ts';
import type { Withdrawal } from '../reads.ts';
import type { PlannedRun } from '../state.ts';
import { cancel } from './cancels.ts';
import { discussionLabelRemoved } from './discussion.ts';
import { ask, record, type Deciding, type Draft } from './draft.ts';

type LabelRemoval = Extract<Fact, { kind: 'trigger_label_removed' }>;

/** A run and the `labeled` event that asked for it. */
interface Under {
  readonly run: PlannedRun;
  readonly event: number;
}

/**
 * Cancels the runs under a label that was taken off, if GitHub confirms it: an old `unlabeled` delivery may be sent again.
 * `removals`: all unread removals of this label, the fact included, which one read answers.
 */
export function* labelRemoved(draft: Draft, fact: LabelRemoval, removals: readonly LabelRemoval[]): Deciding {
  const { state } = draft;
  if (fact.label === MODE_DISCUSSION) return yield* discussionLabelRemoved(draft, fact.by.login);
  const under = runsUnder(draft, fact.label);
  if (under.length === 0) return;
  const withdrawals = yield* askWithdrawals(draft, fact, under, removals);
  for (const { run, event } of under) {
    const withdrawal = withdrawals.find((each) => each.event === event);
    const actor = removals.find((removal) => removal.by.id === withdrawal?.account)?.by.login;
    if (actor === undefined) continue;
    if (state.active?.runId === run.runId) state.active = { ...state.active, withdrawn: true };
    yield* cancel(draft, run.runId, actor, `the label ${fact.label} was removed`);
  }
  if (withdrawals.length > 0) return;
  const payload = { label: fact.label };
  record(draft, [{ type: 'trigger.removal_stale', payload, actor: fact.by.login, correlationId: fact.delivery }]);
}

function runsUnder({ state }: Draft, label: string): Under[] {
  return [...(state.active ? [state.active] : []), ...state.queue].flatMap((run) =>
    run.trigger.kind === 'label' && !run.withdrawn && isCanceledByRemoval(run, label)
      ? [{ run, event: run.trigger.event }]
      : [],
  );
}

/** Whether removing a label ends a run: only the label that asked for it does. */
export function isCanceledByRemoval(run: PlannedRun, label: string): boolean {
  return run.label !== null && normalizeLabel(label) === run.label;
}

/** The webhook counts when GitHub does not answer in time. */
function* askWithdrawals(
  { state }: Draft,
  fact: LabelRemoval,
  under: readonly Under[],
  removals: readonly LabelRemoval[],
): Deciding<readonly Withdrawal[]> {
  const answer = yield* ask({
    kind: 'withdrawals',
    issue: fact.pullRequest === undefined ? state.issue : { ...state.issue, number: fact.pullRequest },
    label: fact.label,
    events: under.map(({ event }) => event),
    people: [...new Set(removals.map(({ by }) => by.id))],
  });
  return 'value' in answer ? answer.value : under.map(({ event }) => ({ event, account: fact.by.id }));
}
