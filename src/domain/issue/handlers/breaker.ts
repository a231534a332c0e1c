/** The breaker: an issue that asks for runs again and again waits for a person (docs/reliability.md T25). */
import type { PlannedRun } from '../state.ts';
import { record, type Deciding, type Draft } from './draft.ts';
import { TOO_MANY_TRIGGERS } from '../gates.ts';
import { refuse, subjectOf } from './refusals.ts';

const HOUR_MS = 3_600_000;

/**
 * Counts the trigger. True if it is refused: there were as many as the installation allows in the hour before it, or the breaker
 * is open already. The first refusal is explained, and puts `need:input` on; the breaker stays open until a person takes that off.
 * Comments are not counted: people talk with an agent.
 */
export function* isTooMuch(draft: Draft, planned: PlannedRun): Deciding<boolean> {
  const { state, settings, now } = draft;
  const limit = settings?.triggersPerHour ?? 0;
  if (limit === 0 || planned.trigger.kind === 'comment') return false;
  const isOpen = state.asked === TOO_MANY_TRIGGERS;
  const recent = (state.triggers ?? []).filter((at) => Date.parse(now) - Date.parse(at) < HOUR_MS);
  if (!isOpen && recent.length < limit) {
    state.triggers = [...recent, now];
    return false;
  }
  const { label, by, delivery, trigger } = planned;
  const pullRequest = label === null ? state.pullRequest?.number : undefined;
  if (!isOpen)
    yield* refuse(draft, {
      actor: by.login,
      reason: TOO_MANY_TRIGGERS,
      labels: [],
      subject: subjectOf(trigger),
      pullRequest,
    });
  const payload = { label, reason: TOO_MANY_TRIGGERS };
  record(draft, [{ type: 'run.not_started', payload, actor: by.login, correlationId: delivery }]);
  return true;
}
