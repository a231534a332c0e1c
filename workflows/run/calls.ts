/** Tool calls of a run that people decided on: performed or ended, with the events of it. */
import { isCancellation } from '@temporalio/workflow';
import type { EndedCall } from '../../activities/tools/perform-call.ts';
import type { ParkedCall } from '../../src/domain/approvals/parked-call.ts';
import type { Request, RequestAnswer } from '../../src/domain/run/requests.ts';
import { endCall, performCall } from '../activities.ts';
import { messageOf } from './failure.ts';
import type { RunEvent } from './progress.ts';

/** The event of a request that is opened. */
export function requestedEvent({ id, kind, question, options, call }: Request): RunEvent {
  if (kind !== 'approval' || !call)
    return {
      type: 'request.opened',
      payload: { request: id, kind, question, options, ...(call && { call: call.id }) },
    };
  const { tool, action, digest, mode } = call;
  return { type: 'approval.requested', payload: { request: id, call: call.id, tool, action, digest, mode } };
}

/** The event of its answer. */
export function answeredEvent({ id, call }: Request, { actor, option, surface, decision }: RequestAnswer): RunEvent {
  if (decision === undefined || !call)
    return { type: 'request.answered', payload: { request: id, option, surface }, actor };
  const { tool, digest } = call;
  return { type: `approval.${decision}`, payload: { request: id, call: call.id, tool, digest, surface }, actor };
}

/** Ends a call as people decided: an approved one is performed by the platform. Returns its result and the event of that. */
export async function endAsDecided(
  call: ParkedCall,
  answer: RequestAnswer,
): Promise<{ readonly result: string; readonly events: readonly RunEvent[] }> {
  const { actor, text, option, decision } = answer;
  if (call.asks) {
    const chosen = option === null ? null : (call.asks.optionIds[option] ?? text);
    const answered = await endCall({ call: call.id, end: { status: 'answered', option: chosen, text, by: actor } });
    return { result: answered.result, events: [] };
  }
  if (decision !== 'approved') {
    const denied = await endCall({ call: call.id, end: { status: 'denied', by: actor, reason: text } });
    return { result: denied.result, events: [] };
  }
  const { state, result } = await performed(call);
  const { id, tool, digest } = call;
  return { result, events: [{ type: `approval.${state}`, payload: { call: id, tool, digest } }] };
}

/** A call that cannot be performed is no reason for the run to fail: its agent reads why. */
async function performed({ id, digest }: ParkedCall): Promise<EndedCall> {
  return performCall({ call: id, digest }).catch(async (error: unknown) => {
    if (isCancellation(error)) throw error;
    return endCall({ call: id, end: { status: 'failed', reason: messageOf(error) } });
  });
}
