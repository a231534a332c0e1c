/** Matches facts about a label with the `labeled` events that GitHub recorded: which of them ask for a run. */
import { normalizeLabel, triggerLabelsIn, triggerOfLabel, type TriggerTarget } from '../stages/stages.ts';
import type { LabelFact } from './facts.ts';
import { gate } from './gates.ts';
import type { GitHubIssueState, LabeledEvent } from './reads.ts';
import type { IssueState, PlannedRun, TakenEvents } from './state.ts';

/** A trigger that starts no run. `labels`: those that conflict with it, or those that would be possible. */
export interface Dropped {
  readonly fact: LabelFact;
  /** The `labeled` event of the fact, if there is one. */
  readonly event?: number;
  readonly reason: string;
  readonly labels?: readonly string[];
}

export interface TriggerDecision {
  readonly planned: readonly PlannedRun[];
  readonly dropped: readonly Dropped[];
  readonly taken: TakenEvents;
  readonly refused: TakenEvents;
}

/**
 * Matches facts from webhooks with GitHub's `labeled` events. Each fact takes one event of its sender: that of the label that
 * is on, or else the oldest recent one that is left. So each event is one trigger, whatever the number and order of the
 * deliveries that report it; a delivery without an event of its own is a duplicate or a replay (docs/decisions.md, 3;
 * docs/reliability.md T10-T13).
 *
 * A webhook does not name its event, so a refusal that is delivered twice may seem to be about the next event. Events of
 * refused deliveries are therefore kept apart, and take no run from an event that stands.
 */
export function decideTriggers(
  taken: TakenEvents,
  facts: readonly LabelFact[],
  github: GitHubIssueState,
  known: GateState = { active: null, queue: [], done: null, asked: null, pullRequest: null },
  refused: TakenEvents = {},
): TriggerDecision {
  const planned: PlannedRun[] = [];
  const dropped: Dropped[] = [];
  const now: Record<string, number> = { ...taken };
  const refusedNow: Record<string, number> = { ...refused };
  for (const fact of facts) {
    const event = eventOf(fact, github, now[fact.by.id] ?? 0, refusedNow[fact.by.id] ?? 0);
    if (event) (fact.kind === 'trigger_refused' ? refusedNow : now)[event.account] = event.id;
    const about = event ? { fact, event: event.id } : { fact };
    const reason = dropReason(fact, event, github);
    if (reason !== undefined || !event || fact.kind !== 'trigger_label_added') {
      dropped.push({ ...about, reason: reason ?? 'trigger_already_taken' });
      continue;
    }
    const refusal =
      gateOf(fact.target, github, known) ?? notCurrent(fact, known) ?? discussionConflict(fact.target, known);
    if (refusal) dropped.push({ ...about, ...refusal });
    else planned.push(planOf(fact, event));
  }
  return { planned, dropped, taken: now, refused: refusedNow };
}

/** The part of an issue's state that decides whether a run may start. */
type GateState = Pick<IssueState, 'done' | 'asked' | 'active' | 'queue' | 'pullRequest'>;

/** A reviewer works on the issue's branch, so the label must be on the issue's open pull request. */
function notCurrent(
  { pullRequest }: LabelFact,
  known: GateState,
): { readonly reason: string; readonly labels: readonly string[] } | undefined {
  const is = pullRequest === undefined || known.pullRequest?.number === pullRequest;
  return is ? undefined : { reason: 'pull_request_not_current', labels: [] };
}

/** A discussion does not start while a run that leaves work is active or queued. */
function discussionConflict(
  { kind }: TriggerTarget,
  { active, queue }: GateState,
): { readonly reason: string; readonly labels: readonly string[] } | undefined {
  const isWork = (run: PlannedRun | null): boolean => run !== null && run.target.kind !== 'discussion';
  const conflicts = kind === 'discussion' && (isWork(active) || queue.some(isWork));
  return conflicts ? { reason: 'discussion_mode_trigger_label_conflict', labels: [] } : undefined;
}

/** Whether the issue's earlier stages and its labels let a run start. */
export function gateOf(
  target: TriggerTarget,
  github: Pick<GitHubIssueState, 'labels' | 'candidates'>,
  { done, asked }: Pick<IssueState, 'done' | 'asked'>,
): ReturnType<typeof gate> {
  const { labels, candidates } = github;
  return gate(target, { labels, done: done ?? {}, candidates, asked: asked !== null });
}

/**
 * An event that is so much older than a delivery was never delivered, or was refused when it was: the delivery is about a newer
 * one.
 */
const LONG_AGO_MS = 3_600_000;

/**
 * The event that a fact is about. A request prefers an event whose label was not taken off, since the delivery of an earlier
 * one may be lost; of those, one whose label is still on, and then one that was not refused.
 */
function eventOf(fact: LabelFact, github: GitHubIssueState, taken: number, refused: number): LabeledEvent | undefined {
  const isRequest = fact.kind === 'trigger_label_added';
  const after = isRequest ? taken : Math.max(taken, refused);
  const left = github.labeled.filter(({ id, account }) => account === fact.by.id && id > after);
  if (fact.event !== undefined) return left.find(({ id }) => id === fact.event);
  const standing = isRequest ? left.filter((event) => !wasTakenOff(event)) : [];
  const choices = [
    standing.filter(({ clearedByPlatform }) => !clearedByPlatform),
    standing.filter(({ id }) => id > refused),
    standing,
  ];
  const candidates = choices.find((choice) => choice.length > 0) ?? left;
  return candidates.find(({ at }) => Date.parse(at) >= Date.parse(fact.at) - LONG_AGO_MS) ?? candidates.at(-1);
}

/** True if a person took the label off again. */
function wasTakenOff({ takenOffBy, clearedByPlatform }: LabeledEvent): boolean {
  return takenOffBy !== null && !clearedByPlatform;
}

function dropReason(fact: LabelFact, event: LabeledEvent | undefined, github: GitHubIssueState): string | undefined {
  if (!github.open) return 'issue_closed';
  // A refusal that is delivered again is a duplicate, not another refusal.
  if (fact.kind === 'trigger_refused') return event ? fact.reason : 'trigger_already_taken';
  if (event && wasTakenOff(event)) return 'label_absent';
  if (!github.labels.map(normalizeLabel).includes(fact.label) && !event?.clearedByPlatform) return 'label_absent';
  if (!event) return 'trigger_already_taken';
  return github.refused?.[fact.by.id] ?? conflictOf(fact, github);
}

function conflictOf(fact: LabelFact, github: GitHubIssueState): string | undefined {
  const conflicts = triggerOfLabel(fact.label) && triggerLabelsIn([...github.labels, fact.label]).length > 1;
  return conflicts ? 'issue_trigger_label_conflict' : undefined;
}

function planOf(fact: Extract<LabelFact, { kind: 'trigger_label_added' }>, event: LabeledEvent): PlannedRun {
  return {
    runId: fact.runId,
    target: fact.target,
    trigger: { kind: 'label', event: event.id },
    label: fact.label,
    by: fact.by,
    delivery: fact.delivery,
    requestedAt: fact.at,
    frozenAt: event.at,
    ...(fact.pullRequest === undefined ? {} : { pullRequest: fact.pullRequest }),
    revision: 0,
  };
}
