/** One issue, from its first label until it is closed and its workspace is gone. Handlers record; one loop acts. */
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  log,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { isOver, newIssueState, receive, waitsFor, type IssueState } from '../../src/domain/issue/issue-life.ts';
import { createIssueActs } from './handlers.ts';
import { issueStateQuery, observed, searchAttributes, type IssueInput } from '../messages.ts';

export async function issueWorkflow({ issue, title, url, ...rest }: IssueInput): Promise<void> {
  const state = rest.state ?? newIssueState(title, url, new Date().toISOString());
  setHandler(issueStateQuery, () => state);
  setHandler(observed, ({ facts }) => receive(state, facts));
  const acts = createIssueActs(issue, state);
  let shown = '';

  while (!isOver(state)) {
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      if (await acts.letGo()) await continueAsNew<typeof issueWorkflow>({ issue, title, url, state });
      await condition(() => state.unread.length > 0);
    }
    if (state.unread.length === 0) await untilSomethingHappens(state, acts.endsAt());
    try {
      await acts.next();
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.error('a fact could not be acted on', { error });
    }
    const waitingFor = waitsFor(state);
    if (waitingFor !== shown) {
      shown = waitingFor;
      setCurrentDetails(`**${title}**\n\nwaits for: ${waitingFor}`);
      upsertSearchAttributes([{ key: searchAttributes.waitingFor, value: waitingFor }]);
    }
  }
}

/** Returns when a fact is unread, the workspace's lease or a conversation runs out, or the history has grown long. */
async function untilSomethingHappens(state: IssueState, discussionEndsAt: number | undefined): Promise<void> {
  const woken = (): boolean => state.unread.length > 0 || workflowInfo().continueAsNewSuggested;
  const lease = state.workspace && !state.active ? Date.parse(state.workspace.until) : undefined;
  if (lease === undefined && discussionEndsAt === undefined) return condition(woken);
  const isLease = discussionEndsAt === undefined || (lease !== undefined && lease < discussionEndsAt);
  const left = Math.max(0, Math.min(lease ?? Infinity, discussionEndsAt ?? Infinity) - Date.now());
  await CancellationScope.cancellable(async () => {
    const scope = CancellationScope.current();
    const summary = isLease ? `Lease of ${state.workspace?.name}` : 'The conversation ends by itself';
    const end = sleep(left, { summary }).catch((error: unknown) => {
      if (!isCancellation(error)) throw error;
    });
    await Promise.race([condition(woken), end]);
    scope.cancel();
  });
}
