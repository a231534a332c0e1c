/** Answering a run's question, pausing a run and letting it go on: the same for the API and for the dashboard. */
import type { AnswerSurface, Request, Verdict } from '../../src/domain/run/requests.ts';
import { isTerminal } from '../../src/domain/run/runs.ts';
import type { RunWait } from '../../src/domain/run/waits.ts';
import { findRunRecord, type RunRecord } from '../../src/read-model/queries/runs.ts';
import type { ApprovalPolicy } from '../../src/domain/approvals/policy.ts';
import type { Database } from '../../src/store/connection/database.ts';
import { mayEndNow } from '../../src/store/runs/judged-calls.ts';
import { findNewestRequest } from '../../src/store/runs/requests.ts';
import { RequestRefused, type ErrorLog } from '../http/errors.ts';
import type { Refusal, RunUpdates, UpdateResult } from '../relay/run-updates.ts';
import { howItStands, questionText } from './messages/runs.ts';

interface Ports {
  readonly db: Database;
  readonly updates: RunUpdates;
  readonly log: ErrorLog;
}

interface AnswerPorts extends Ports {
  /** The policy as it is now: it says who may decide. */
  readonly policy: ApprovalPolicy;
}

/**
 * Answers a request of a run, or without `requestId` what it asks now; the first answer counts. Throws {@link RequestRefused}; when the
 * run asks something else by now, with that question.
 */
export async function answerRun(
  ports: AnswerPorts,
  answer: {
    readonly runId: string;
    readonly requestId?: string | undefined;
    readonly text: string;
    readonly decision?: Verdict;
    readonly actor: string;
    readonly surface: AnswerSurface;
  },
): Promise<Request> {
  const run = await liveRun(ports.db, answer.runId);
  const newest = await findNewestRequest(ports.db, run.id);
  if (newest?.open) {
    const by = { repositoryId: run.repositoryId, id: null, login: answer.actor };
    const may = await mayEndNow(ports.db, ports.policy, newest.request, by);
    if (!may.allowed) throw new RequestRefused('forbidden', `not_permitted: ${may.reason}`, 'actor');
  }
  const requestId = answer.requestId ?? (newest?.open && newest.request.call ? newest.request.id : null);
  const input = { ...answer, requestId, actor: answer.actor || 'staff' };
  const update = await updated(ports, run, () => ports.updates.answer(input));
  if (update.done) return update.result;
  if (update.refusal === 'RequestNotOpen' && requestId !== null) throw await stale(ports.db, run, requestId);
  throw refused(update.refusal, update.message, run);
}

/** Stops a run's agent until the run is resumed. Throws {@link RequestRefused}. */
export async function pauseRun(
  ports: Ports,
  { runId, actor, reason }: { readonly runId: string; readonly actor: string; readonly reason: string },
): Promise<RunWait> {
  const run = await liveRun(ports.db, runId);
  const input = { runId, actor: actor || 'staff', reason: reason || 'no reason given' };
  return settled(ports, run, () => ports.updates.pause(input));
}

/** Lets a paused run go on; its agent reads the note. Throws {@link RequestRefused}. */
export async function resumeRun(
  ports: Ports,
  { runId, actor, note }: { readonly runId: string; readonly actor: string; readonly note: string },
): Promise<void> {
  const run = await liveRun(ports.db, runId);
  const input = { runId, actor: actor || 'staff', ...(note === '' ? {} : { note }) };
  await settled(ports, run, () => ports.updates.resume(input));
}

async function liveRun(db: Database, runId: string): Promise<RunRecord> {
  const run = await findRunRecord(db, runId);
  if (!run) throw new RequestRefused('not_found', `there is no run ${runId}`, 'id');
  if (isTerminal(run.status)) throw over(run.status);
  return run;
}

async function updated<Result>(
  { log }: Ports,
  run: RunRecord,
  update: () => Promise<UpdateResult<Result>>,
): Promise<UpdateResult<Result>> {
  return update().catch((error: unknown) => {
    log.error({ err: error, runId: run.id }, 'workflow update failed');
    throw new RequestRefused('unavailable', 'Temporal does not answer, so nothing has changed; try again in a moment');
  });
}

async function settled<Result>(
  ports: Ports,
  run: RunRecord,
  update: () => Promise<UpdateResult<Result>>,
): Promise<Result> {
  const outcome = await updated(ports, run, update);
  if (outcome.done) return outcome.result;
  throw refused(outcome.refusal, outcome.message, run);
}

/** The refusal of an answer to a request that is not open any more: what became of it, and what the run asks by now. */
async function stale(db: Database, run: RunRecord, requestId: string): Promise<RequestRefused> {
  const newest = await findNewestRequest(db, run.id);
  const refusal = (why: string) =>
    new RequestRefused('conflict', `request_not_open: request ${requestId} is not open any more; ${why}`, 'requestId');
  if (newest?.open && newest.request.id !== requestId) {
    const { id } = newest.request;
    return refusal(`the run now asks ${questionText(newest.request)}, which is request ${id}: answer that one`);
  }
  if (newest?.request.id === requestId && newest.request.answer) {
    const { actor, text } = newest.request.answer;
    return refusal(`${actor} has answered it: “${text}”`);
  }
  const now = (await findRunRecord(db, run.id)) ?? run;
  return refusal(now.wait?.request === requestId ? 'it was answered or closed just now' : howItStands(now));
}

/** The refusal, with what to do. */
function refused(refusal: Refusal, message: string, run: RunRecord): RequestRefused {
  switch (refusal) {
    case 'RequestNotOpen':
      return new RequestRefused('conflict', `request_not_open: ${message}; ${howItStands(run)}`, 'id');
    case 'AnswerInvalid':
      return new RequestRefused('unprocessable', `answer_invalid: ${message}`, 'text');
    case 'RunNotPausable':
      return new RequestRefused('conflict', `run_not_pausable: ${message}`, 'id');
    case 'RunNotPaused':
      return new RequestRefused('conflict', `run_not_paused: ${message}; ${howItStands(run)}`, 'id');
    case 'gone':
      return over(run.status);
    case 'late':
      return new RequestRefused(
        'unavailable',
        'no worker has answered in time; look at the run before you try again, since it may have been heard',
      );
  }
}

function over(status: string): RequestRefused {
  const how = status === 'waiting' ? '' : `, as ${status}`;
  return new RequestRefused('conflict', `already_terminal: the run has ended already${how}`, 'id');
}
