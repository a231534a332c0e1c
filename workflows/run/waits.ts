/**
 * A run that waits for people: no agent, no permit, no valid token, and a timer instead of its limits. The answer to a question, a
 * decision on a tool call, or an operator ends it; the next agent then goes on with the conversation.
 */
import {
  ApplicationFailure,
  CancellationScope,
  condition,
  isCancellation,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { worthRepeating, type GoingOn } from '../../src/domain/agent/going-on.ts';
import type { ParkedCall } from '../../src/domain/approvals/parked-call.ts';
import { budgetQuestion, raiseBy, type SpentBudget } from '../../src/domain/money/budget-request.ts';
import { issueKey } from '../../src/domain/issue/facts.ts';
import {
  openCallRequest,
  openRequest,
  readAnswer,
  requestId,
  type Question,
  type Request,
  type RequestAnswer,
} from '../../src/domain/run/requests.ts';
import { waitUntil, type RunWait, type WaitKind } from '../../src/domain/run/waits.ts';
import {
  haltAgent,
  readAnswerComment,
  recordRequest,
  releasePermit,
  revokeToken,
  writeRequestComment,
} from '../activities.ts';
import {
  answerRequest,
  commentAnswers,
  pauseRun,
  resumeRun,
  searchAttributes,
  type AnswerInput,
  type CommentAnswer,
  type PauseInput,
  type ResumeInput,
} from '../messages.ts';
import { answeredEvent, endAsDecided, requestedEvent } from './calls.ts';
import { signalIssue, type RunContext } from './context.ts';
import { logged, RunFailed } from './failure.ts';
import type { RunEvent } from './progress.ts';

/** A comment that came before the deadline is read for so long after it. */
const LATE_READING = '2 minutes';

export const PAUSED = Symbol('paused');

/** What nobody did before the end of a wait. */
const MISSED = { question: 'answered', approval: 'approved or denied the call', paused: 'resumed the run' } as const;

export interface RunWaits {
  /** Lets the agent work until its report, or until somebody pauses the run: then its work is canceled. */
  unlessPaused<Result>(work: () => Promise<Result>): Promise<Result | typeof PAUSED>;
  /** Asks people and waits for their answer. */
  forAnswer(question: Question): Promise<GoingOn>;
  /** Asks people about a tool call, waits for their decision, and has the platform perform what was approved. */
  forDecision(call: ParkedCall): Promise<GoingOn>;
  /** Asks people whether the run may spend more, and waits for their answer. Fails if they stop it. */
  forBudget(budget: SpentBudget): Promise<GoingOn>;
  /** Stops the agent and waits until somebody resumes the run. `before`: what that agent had been told. */
  forResume(before: GoingOn | null): Promise<GoingOn>;
  /** Whether a question's comment is still to be written. */
  commentIsOwed(): boolean;
  /** Resolves when the comments of questions show how they ended, or cannot. */
  commentsShown(): Promise<void>;
}

interface Pause {
  readonly wait: RunWait;
  readonly actor: string;
  readonly reason: string;
  resumed: { readonly actor: string; readonly at: string; readonly note: string | null } | null;
}

export function createRunWaits(run: RunContext): RunWaits {
  const { input, progress } = run;
  const { plan, issue, settings } = input;
  const { runId } = plan;
  let asked = 0;
  let request: Request | null = null;
  let pause: Pause | null = null;
  let agent: CancellationScope | null = null;
  /** Whether the agent has ended by itself, so that there is nothing to pause. */
  let done = false;
  /** Comments on the issue that may be the answer are read one after the other. */
  let reading: { readonly scope: CancellationScope; done: Promise<void> } | null = null;
  let comments = Promise.resolve();
  let commentsOwed = 0;
  /** GitHub's id of the comment with the open question; null until it is written. */
  let questionComment: number | null = null;

  const now = (): string => new Date().toISOString();
  const newWait = (kind: WaitKind, requestId: string | null, people: string, since: string): RunWait => ({
    kind,
    request: requestId,
    for: people,
    since,
    until: waitUntil(kind, since, settings.waitHours),
  });

  function callWait({ asks, mode }: ParkedCall, id: string): RunWait {
    const owner = asks?.owner ?? (asks === undefined && mode === 'owner');
    const whom = asks ? 'an answer' : 'a decision';
    const of = owner ? 'an owner or administrator' : "the project's members";
    const wait = newWait(asks ? 'question' : 'approval', id, `${whom} from ${of}`, now());
    const soonest = Date.parse(wait.since) + (asks?.ttlSeconds ?? Infinity) * 1000;
    const until = new Date(Math.min(soonest, Date.parse(wait.until))).toISOString();
    return { ...wait, until, ...(owner ? { owner } : {}) };
  }

  setHandler(answerRequest, (answer) => take(answer), {
    validator: ({ requestId: id, text, decision }) => {
      const read = readAnswer(openNow(id), { text, decision });
      if ('problem' in read) throw ApplicationFailure.nonRetryable(read.problem, 'AnswerInvalid');
    },
  });
  setHandler(commentAnswers, (comment) => {
    const current = reading;
    if (!current || !request || request.answer) return;
    current.done = current.done.then(() => current.scope.run(() => readComment(comment))).catch(logged);
  });
  setHandler<RunWait, [PauseInput], typeof pauseRun>(
    pauseRun,
    ({ actor, reason }) => {
      pause = { wait: newWait('paused', null, `an operator: paused by ${actor}`, now()), actor, reason, resumed: null };
      agent?.cancel();
      return pause.wait;
    },
    {
      validator: () => {
        const { status } = progress.now();
        if (!pause && !done && (status === 'preparing' || status === 'working')) return;
        throw ApplicationFailure.nonRetryable(
          `a run can be paused while its agent is being prepared or works; this one is ${pause ? 'paused' : status}`,
          'RunNotPausable',
        );
      },
    },
  );
  setHandler<null, [ResumeInput], typeof resumeRun>(
    resumeRun,
    ({ actor, note }) => {
      if (pause) pause.resumed ??= { actor, at: now(), note: note ?? null };
      return null;
    },
    {
      validator: () => {
        if (!pause || pause.resumed) throw ApplicationFailure.nonRetryable('the run is not paused', 'RunNotPaused');
      },
    },
  );

  /** The request that is open; refuses when there is none, or another than is meant. */
  function openNow(id: string | null): Request {
    if (request && !request.answer && (id === null || id === request.id)) return request;
    throw ApplicationFailure.nonRetryable(
      id === null ? 'the run asks nothing now' : `request ${id} is not open`,
      'RequestNotOpen',
    );
  }

  function take({ requestId: id, text, decision, actor, surface }: AnswerInput): Request {
    const open = openNow(id);
    const read = readAnswer(open, { text, decision });
    if ('problem' in read) throw ApplicationFailure.nonRetryable(read.problem, 'AnswerInvalid');
    request = { ...open, answer: { ...read, actor, at: now(), surface } };
    return request;
  }

  async function readComment({ comment, sha256, actor, actorId }: CommentAnswer): Promise<void> {
    const open = request;
    if (!open || open.answer) return;
    await comments;
    const { text, decision } = await readAnswerComment({
      issue,
      comment,
      sha256,
      actor,
      ...(actorId === undefined ? {} : { actorId }),
      request: open,
      after: questionComment,
      locale: settings.locale,
    });
    if (text !== null && request?.id === open.id && !request.answer)
      take({ requestId: open.id, text, actor, surface: 'comment', ...(decision && { decision }) });
  }

  /** One after the other, so that an older text never follows a newer one; nothing waits for them but the run's end. */
  function showRequest(shown: Request, state: 'open' | 'closed'): void {
    commentsOwed += 1;
    comments = comments
      .then(() =>
        CancellationScope.nonCancellable(() =>
          writeRequestComment({ issue, request: shown, state, locale: settings.locale }),
        ),
      )
      .then(({ comment }) => {
        if (request?.id === shown.id) questionComment = comment;
      })
      .catch(logged)
      .finally(() => {
        commentsOwed -= 1;
      });
  }

  /** Opens a request and waits for its answer. However that ends, the request is closed. */
  async function answerTo(opened: Request, wait: RunWait): Promise<RequestAnswer> {
    const scope = new CancellationScope();
    request = opened;
    questionComment = null;
    reading = { scope, done: Promise.resolve() };
    const key = issueKey(issue);
    try {
      await recordRequest({ issueKey: key, request: opened, open: true });
      showRequest(opened, 'open');
      await waitFor(wait, [requestedEvent(opened)], () => Boolean(request?.answer));
      if (!request.answer) throw new RunFailed('platform_error', `request ${opened.id} was closed without an answer`);
      return request.answer;
    } finally {
      scope.cancel();
      const last = request ?? opened;
      request = null;
      reading = null;
      showRequest(last, 'closed');
      await CancellationScope.nonCancellable(() => recordRequest({ issueKey: key, request: last, open: false }));
    }
  }

  /** Waits for `ended` and shows that it does; its token and its permit are given back before. Fails at the wait's end. */
  async function waitFor(
    wait: RunWait,
    events: readonly RunEvent[],
    ended: () => boolean,
    pausedBy?: { actor: string; reason: string },
  ): Promise<void> {
    // In this order: a launch that is under way gives its permit back when it finds its attempt revoked.
    await revokeToken({ runId, attempt: run.attempts.attempt });
    await releasePermit({ runId });
    upsertSearchAttributes([
      { key: searchAttributes.runStatus, value: 'waiting' },
      { key: searchAttributes.waitingFor, value: wait.kind },
    ]);
    const { kind, request: ofWait, until } = wait;
    const reason = pausedBy && { reason: pausedBy.reason };
    const paused = {
      type: 'run.wait.paused',
      payload: { kind, request: ofWait, until, ...reason },
      ...(pausedBy && { actor: pausedBy.actor }),
    };
    const shown = progress.waits(wait, [...events, paused], ofWait === null ? null : request);
    shown.catch(() => undefined);
    setCurrentDetails(progress.details());
    await signalIssue(input, { kind: 'run_waiting', runId, wait });
    await shown;
    try {
      const inTime = await condition(ended, Math.max(1, Date.parse(until) - Date.now()));
      // A comment that came in time may still be being read.
      if (!inTime && reading) await Promise.race([reading.done, condition(ended, LATE_READING)]);
      if (!ended()) {
        const type = kind === 'approval' ? 'approval.expired' : 'request.expired';
        if (ofWait !== null) progress.remember([{ type, payload: { request: ofWait } }]);
        const hours = ((Date.parse(until) - Date.parse(wait.since)) / 3_600_000).toLocaleString('en-US');
        throw new RunFailed('wait_expired', `nobody ${MISSED[kind]} within ${hours} hours`);
      }
    } finally {
      upsertSearchAttributes([{ key: searchAttributes.waitingFor, value: null }]);
    }
  }

  /** Shows that the run goes on. */
  async function goOn({ kind, request: ofWait }: RunWait, events: readonly RunEvent[], actor: string): Promise<void> {
    done = false;
    upsertSearchAttributes([{ key: searchAttributes.runStatus, value: 'preparing' }]);
    const resumed = { type: 'run.wait.resumed', payload: { kind, request: ofWait }, actor };
    await Promise.all([
      progress.enter('preparing', [...events, resumed]),
      signalIssue(input, { kind: 'run_resumed', runId }),
    ]);
  }

  return {
    async unlessPaused(work) {
      if (pause) return PAUSED;
      const scope = new CancellationScope();
      agent = scope;
      try {
        const result = await scope.run(work);
        done = true;
        return result;
      } catch (error) {
        // A pause that came with a report, or with a cancel, is none.
        if (pause && isCancellation(error) && !CancellationScope.current().consideredCancelled) return PAUSED;
        throw error;
      } finally {
        agent = null;
      }
    },

    async forAnswer(question) {
      asked += 1;
      const wait = newWait('question', requestId(runId, asked), "an answer from the project's members", now());
      const opened = openRequest(question, { runId, n: asked, askedAt: wait.since, deadline: wait.until });
      const answer = await answerTo(opened, wait);
      await goOn(wait, [answeredEvent(opened, answer)], answer.actor);
      return { kind: 'answered', question: opened.question, answer };
    },

    async forDecision(call) {
      asked += 1;
      const wait = callWait(call, requestId(runId, asked));
      const requester = { id: plan.by.id, login: plan.by.login };
      const at = { runId, n: asked, askedAt: wait.since, deadline: wait.until };
      const opened = openCallRequest({ ...call, requester }, at);
      const answer = await answerTo(opened, wait);
      progress.remember([answeredEvent(opened, answer)]);
      const { result, events } = await endAsDecided(call, answer);
      await goOn(wait, events, answer.actor);
      return { kind: 'decided', tool: call.tool, result };
    },

    async forBudget(budget) {
      asked += 1;
      const wait = newWait('question', requestId(runId, asked), "the project's members to decide on its budget", now());
      const at = { runId, n: asked, askedAt: wait.since, deadline: wait.until };
      const opened = openRequest(budgetQuestion(budget, settings.locale), at, 'budget');
      const answer = await answerTo(opened, wait);
      const { actor, option, surface } = answer;
      const answered = { type: 'request.answered', payload: { request: opened.id, option, surface }, actor };
      const raise = raiseBy(budget, opened.id, answer);
      if (!raise) {
        progress.remember([answered]);
        throw new RunFailed('budget_spent', `${actor} stopped the run: ${opened.question}`);
      }
      await goOn(wait, [answered], actor);
      return { kind: 'budget', raise, at: answer.at };
    },

    async forResume(before) {
      const current = pause;
      if (!current) throw new Error('the run is not paused');
      try {
        const halted = await haltAgent({ runId, workspace: input.workspace.name }).catch((error: unknown) => {
          if (isCancellation(error)) throw error;
          logged(error); // its token is revoked next, which ends it too
        });
        // In histories of earlier versions the result is null.
        run.parked = halted?.parked ?? null;
        const { wait, actor, reason } = current;
        await waitFor(wait, [], () => current.resumed !== null, { reason, actor });
      } finally {
        pause = null;
      }
      const resumed = current.resumed ?? { actor: '', at: now(), note: null };
      await goOn(current.wait, [], resumed.actor);
      return { kind: 'resumed', ...resumed, before: worthRepeating(before) };
    },

    commentIsOwed: () => commentsOwed > 0,
    commentsShown: () => comments,
  };
}
