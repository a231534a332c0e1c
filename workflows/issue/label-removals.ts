/** A trigger label is taken off: the run ends whose very click GitHub says was taken back (reliability.md T15). */
import { isCancellation } from '@temporalio/workflow';
import type { Withdrawal } from '../../src/domain/issue/confirmations.ts';
import type { Fact } from '../../src/domain/issue/facts.ts';
import { isCanceledByRemoval, type PlannedRun } from '../../src/domain/issue/issue-life.ts';
import { MODE_DISCUSSION } from '../../src/domain/stages/stages.ts';
import { readWithdrawals } from '../activities.ts';
import { cancelById } from './canceling.ts';
import type { IssueInHand } from './context.ts';

type LabelRemoval = Extract<Fact, { kind: 'trigger_label_removed' }>;

/** An old `unlabeled` that is sent again takes back nothing: GitHub is asked first (reliability.md T15). */
export async function labelRemoved(here: IssueInHand, fact: LabelRemoval): Promise<void> {
  const { issue, state, show, discussion } = here;
  if (fact.label === MODE_DISCUSSION) return discussion.labelRemoved(fact.by.login);
  const removals = [fact, ...takeRemovals(here, fact)];
  const under = [state.active, ...state.queue].filter(
    (run) => run !== null && !run.withdrawn && isCanceledByRemoval(run, fact.label),
  ) as PlannedRun[];
  if (under.length === 0) return;
  const withdrawals = await readWithdrawals({
    issue: fact.pullRequest === undefined ? issue : { ...issue, number: fact.pullRequest },
    label: fact.label,
    triggers: under.map(({ trigger }) => trigger),
    people: [...new Set(removals.map(({ by }) => by.id))],
  }).catch((error: unknown): Withdrawal[] => {
    if (isCancellation(error)) throw error;
    return under.map(({ trigger }) => ({ trigger, by: fact.by.id }));
  });
  for (const run of under) {
    const withdrawal = withdrawals.find(({ trigger }) => trigger === run.trigger);
    const by = removals.find((removal) => removal.by.id === withdrawal?.by)?.by.login;
    if (by === undefined) continue;
    if (state.active?.runId === run.runId) state.active = { ...state.active, withdrawn: true };
    await cancelById(here, run.runId, by, `the label ${fact.label} was removed`);
  }
  if (withdrawals.length > 0) return;
  await show([
    {
      type: 'trigger.removal_stale',
      payload: { label: fact.label },
      by: fact.by.login,
      correlationId: fact.delivery,
    },
  ]);
}

/** All other unread removals of a label: one look at GitHub answers them all. */
function takeRemovals({ state }: IssueInHand, { label, pullRequest }: LabelRemoval): LabelRemoval[] {
  const taken: LabelRemoval[] = [];
  state.unread = state.unread.filter(({ fact }) => {
    if (fact.kind !== 'trigger_label_removed') return true;
    if (fact.label !== label || fact.pullRequest !== pullRequest) return true;
    taken.push(fact);
    return false;
  });
  return taken;
}
