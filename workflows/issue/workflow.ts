/**
 * One issue, from its first label until it is closed and its workspace is gone. Signal handlers only record facts; one loop
 * takes the next facts, reads what the decision needs, decides, and performs the effects.
 */
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
  type WorkflowInfo,
} from '@temporalio/workflow';
import {
  decide,
  isOver,
  newIssueState,
  receive,
  takeNext,
  waitsFor,
  wakesAt,
  type Decision,
  type IssueState,
  type Reading,
} from '../../src/domain/issue/decide.ts';
import { issueStateQuery, observed, searchAttributes, type IssueInput } from '../messages.ts';
import { createBackground } from './background.ts';
import { askToReportBySignal } from './child-runs.ts';
import { createCommentRestoring } from './comment-restoring.ts';
import { createPerform } from './perform.ts';
import { readAll } from './reads.ts';

/** The end of the workflow waits at most so long for background work. */
const LAST_COURTESIES = '1 minute';

/**
 * Continue-as-new waits for background work until the history is so many times as long as it was when Temporal first suggested
 * it: with Temporal's defaults, until 16,384 events or 16 MB, a third of its limits.
 */
const LONGEST_HISTORY = 4;

export async function issueWorkflow({ issue, title, url, ...rest }: IssueInput): Promise<void> {
  let state = rest.state ?? newIssueState(issue, title, url, now());
  let shown = '';
  let suggestedAt: Pick<WorkflowInfo, 'historyLength' | 'historySize'> | undefined;
  const background = createBackground();
  const restoring = createCommentRestoring();
  const perform = createPerform({
    issue,
    background,
    restoring,
    learn: (fact) => receive(state, [{ seq: null, fact }]),
  });
  setHandler(issueStateQuery, () => state);
  setHandler(observed, ({ facts }) => receive(state, facts));

  /** One decision on these facts, with its reads and effects. */
  async function act(facts: Parameters<typeof decide>[1]): Promise<void> {
    const github: Reading[] = [];
    let decision: Decision;
    for (;;) {
      decision = decide(state, facts, github, now());
      if (!('needs' in decision)) break;
      github.push(...(await readAll(decision.needs)));
    }
    ({ state } = decision);
    for (const effect of decision.effects) {
      const result = await perform(effect);
      if (result) await act([result]);
    }
  }

  /**
   * After continue-as-new the parent does not learn of its child's end: the active run is asked to report it by signal. False
   * if the run has ended already and its end is about to be learned; then it is too early to continue as new.
   */
  async function prepareContinueAsNew(): Promise<boolean> {
    receive(
      state,
      restoring.underWay().map((fact) => ({ seq: null, fact })),
    );
    const run = state.active;
    if (!run || run.reportsBySignal) return true;
    if (!(await askToReportBySignal(run.runId))) return false;
    if (state.active === run) state.active = { ...run, reportsBySignal: true };
    return true;
  }

  /** Waits for background work within bounds; the next execution starts again what is not done by then. */
  function isTimeToContinue(): boolean {
    const { continueAsNewSuggested, historyLength, historySize } = workflowInfo();
    if (!continueAsNewSuggested) return false;
    suggestedAt ??= { historyLength, historySize };
    return (
      background.isDone() ||
      historyLength >= LONGEST_HISTORY * suggestedAt.historyLength ||
      historySize >= LONGEST_HISTORY * suggestedAt.historySize
    );
  }

  /** Waits for background work, until a fact arrives. */
  async function isAtItsEnd(): Promise<boolean> {
    if (!isOver(state)) return false;
    if (!background.isDone()) await condition(() => background.isDone() || !isOver(state), LAST_COURTESIES);
    return isOver(state);
  }

  for (const effect of rest.background ?? []) await perform(effect);
  while (!(await isAtItsEnd())) {
    if (isTimeToContinue()) {
      await condition(allHandlersFinished);
      if (await prepareContinueAsNew())
        await continueAsNew<typeof issueWorkflow>({ issue, title, url, state, background: background.underWay() });
      await condition(() => state.unread.length > 0);
    }
    if (state.unread.length === 0)
      await untilSomethingHappens(state, () => state.unread.length > 0 || isTimeToContinue());
    const facts = takeNext(state);
    try {
      await act(facts.length > 0 ? facts : [{ kind: 'time_passed' }]);
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.error('decision failed', { error });
    }
    const waitingFor = waitsFor(state);
    if (waitingFor !== shown) {
      shown = waitingFor;
      setCurrentDetails(`**${title}**\n\nwaits for: ${waitingFor}`);
      upsertSearchAttributes([{ key: searchAttributes.waitingFor, value: waitingFor }]);
    }
  }
}

/** Returns when `woken` is true, or when time alone changes the state. */
async function untilSomethingHappens(state: IssueState, woken: () => boolean): Promise<void> {
  const wakes = wakesAt(state);
  if (!wakes) return condition(woken);
  const left = Math.max(0, wakes.at - Date.now());
  await CancellationScope.cancellable(async () => {
    const scope = CancellationScope.current();
    const end = sleep(left, { summary: wakes.ends }).catch((error: unknown) => {
      if (!isCancellation(error)) throw error;
    });
    await Promise.race([condition(woken), end]);
    scope.cancel();
  });
}

function now(): string {
  return new Date().toISOString();
}
