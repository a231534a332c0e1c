/** One run works at a time. Others wait, and begin when GitHub says that they are still wanted (reliability.md, finding 1). */
import { whyLabelIsGone } from '../../src/domain/issue/confirmations.ts';
import { gateOf, type PlannedRun, QUEUE_LIMIT } from '../../src/domain/issue/issue-life.ts';
import type { RunSettings } from '../../src/domain/stages/settings.ts';
import { triggerLabel } from '../../src/domain/stages/stages.ts';
import { readLabelTruth, readTrigger } from '../activities.ts';
import { cancelById } from './canceling.ts';
import { leftOut, showQueue } from './projection.ts';
import type { IssueInHand } from './context.ts';
import { refuse } from './refusals.ts';
import { start } from './starting.ts';
import { readOpenness, staleness } from './github-state.ts';

/** Work ends a conversation (requirements.md 2.3); it begins at once where nothing works or waits. */
export async function startOrQueue(
  here: IssueInHand,
  planned: PlannedRun,
  settings: RunSettings | null = null,
): Promise<void> {
  const { issue, state, show, discussion } = here;
  if (planned.target.kind !== 'discussion')
    await discussion.end(planned.by.login, `${triggerLabel(planned.target)} was asked for`);
  if (!state.active && state.queue.length === 0) return start(here, planned, settings);
  if (state.queue.length >= QUEUE_LIMIT) return refuseForQueue(here, planned);
  state.queue.push(planned);
  await showQueue(issue, state);
  await show([
    {
      type: 'run.queued',
      payload: { place: state.queue.length },
      by: planned.by.login,
      runId: planned.runId,
      correlationId: planned.delivery,
    },
  ]);
}

/** Who asks for more than may wait is told to wait with asking. */
async function refuseForQueue(here: IssueInHand, { trigger, label, by, delivery }: PlannedRun): Promise<void> {
  const { state, show } = here;
  const reason = 'queue_full';
  const subject = trigger.replace(':', '-').replace('label', 'event');
  await refuse(here, by.login, reason, [], subject, label === null ? state.pullRequest?.number : undefined);
  await show([{ type: 'run.not_started', payload: { label, reason }, by: by.login, correlationId: delivery }]);
}

/** Starts the first of those that wait which GitHub says is still wanted; who asked may have thought better of it. */
export async function startNext(here: IssueInHand): Promise<void> {
  const { issue, state } = here;
  while (!state.active) {
    const [first] = state.queue;
    if (!first) return;
    const gone = await whyNoLongerWanted(here, first);
    if (gone) {
      await cancelById(here, first.runId, gone.by, gone.reason);
      continue;
    }
    state.queue.shift();
    await showQueue(issue, state);
    await start(here, first);
  }
}

/** GitHub's refusal to say stops nothing: the run then says itself what is the matter. */
async function whyNoLongerWanted(
  here: IssueInHand,
  { trigger, label, target, by, pullRequest }: PlannedRun,
): Promise<{ by: string; reason: string } | undefined> {
  const { issue, state } = here;
  if (pullRequest !== undefined && !(await readOpenness(here)).open)
    return { by: 'GitHub', reason: 'the issue is closed' };
  if (label !== null) {
    const on = pullRequest === undefined ? issue : { ...issue, number: pullRequest };
    const read = await readTrigger({
      issue: on,
      label,
      facts: [],
      branches: state.branch ?? 1,
      people: [by.id],
    }).catch(leftOut);
    if (!read) return undefined;
    const refused = read.truth.refused?.[by.id];
    if (refused !== undefined)
      return { by: 'codex-k8s', reason: `@${by.login} may not start runs any more (${refused})` };
    const gone = whyLabelIsGone({ trigger, label }, read.truth);
    const refusal = gone ? undefined : gateOf(target, read.truth, state);
    return gone ?? (refusal && { by: 'codex-k8s', reason: `it may not begin (${refusal.reason})` });
  }
  if (trigger.startsWith('comment:')) return undefined;
  const review = Number(/^review:(\d+)$/.exec(trigger)?.[1]);
  if (!state.pullRequest) return { by: 'GitHub', reason: 'there is no open pull request any more' };
  const stale = await staleness(here, state.pullRequest.number, review);
  if (stale !== undefined) return { by: 'GitHub', reason: `the review does not ask for changes any more (${stale})` };
  const truth = await readLabelTruth({ issue, label: '', facts: [] }).catch(leftOut);
  const refusal = truth && gateOf(target, { labels: truth.labels }, state);
  return refusal && { by: 'codex-k8s', reason: `it may not begin (${refusal.reason})` };
}
