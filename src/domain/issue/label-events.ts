/** Which clicks on a label are runs: what webhooks say is matched with what GitHub recorded. */
import { normalizeLabel, triggerLabelsIn, triggerOfLabel, type TriggerTarget } from '../stages/stages.ts';
import type { LabelFact } from './facts.ts';
import { gate } from './gates.ts';
import type { GitHubIssueState, LabeledEvent } from './reads.ts';
import type { IssueState, PlannedRun, TakenEvents } from './state.ts';

/** A trigger that comes to nothing. `labels`: what stands against it, or what would be possible. */
export interface Dropped {
  readonly fact: LabelFact;
  /** The `labeled` event that it tells of, where there is one. */
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
 * Matches what webhooks said with what GitHub recorded. Each fact takes up one `labeled` event of its sender, that of the label
 * that is there or the oldest that is left and recent: so each click is one trigger, however many deliveries brought it and in
 * whatever order, and a delivery without an event of its own is one that was taken up before, or a replay (design.md, decision 3;
 * requirements.md 9.2 B40; reliability.md T11-T13).
 *
 * A webhook does not name its event, so a refusal that is told twice may seem to be of the next click. What the edge has
 * refused is therefore counted apart, and takes no run from a click that stands.
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

/** What of an issue's state decides whether a run may begin. */
type GateState = Pick<IssueState, 'done' | 'asked' | 'active' | 'queue' | 'pullRequest'>;

/** A reviewer works on the issue's branch: a pull request that is not the one that is open has nothing to do with it. */
function notCurrent(
  { pullRequest }: LabelFact,
  known: GateState,
): { readonly reason: string; readonly labels: readonly string[] } | undefined {
  const is = pullRequest === undefined || known.pullRequest?.number === pullRequest;
  return is ? undefined : { reason: 'pull_request_not_current', labels: [] };
}

/** A conversation does not begin while work is under way (requirements.md 2.3); a turn of it that is left is none. */
function discussionConflict(
  { kind }: TriggerTarget,
  { active, queue }: GateState,
): { readonly reason: string; readonly labels: readonly string[] } | undefined {
  const isWork = (run: PlannedRun | null): boolean => run !== null && run.target.kind !== 'discussion';
  const conflicts = kind === 'discussion' && (isWork(active) || queue.some(isWork));
  return conflicts ? { reason: 'discussion_mode_trigger_label_conflict', labels: [] } : undefined;
}

/** Whether what the issue has done so far, and its labels, let a run begin. */
export function gateOf(
  target: TriggerTarget,
  github: Pick<GitHubIssueState, 'labels' | 'candidates'>,
  { done, asked }: Pick<IssueState, 'done' | 'asked'>,
): ReturnType<typeof gate> {
  const { labels, candidates } = github;
  return gate(target, { labels, done: done ?? {}, candidates, asked: asked !== null });
}

/** An event so much older than a delivery was never told of, or refused at its time: a newer one is meant. */
const LONG_AGO_MS = 3_600_000;

/**
 * A request takes up a click that was not taken back before one that was: the delivery of the former may be lost. Of those it
 * takes the one whose label is there, and else one that nobody refused.
 */
function eventOf(fact: LabelFact, github: GitHubIssueState, taken: number, refused: number): LabeledEvent | undefined {
  const isRequest = fact.kind === 'trigger_label_added';
  const after = isRequest ? taken : Math.max(taken, refused);
  const left = github.labeled.filter(({ id, account }) => account === fact.by.id && id > after);
  if (fact.event !== undefined) return left.find(({ id }) => id === fact.event);
  const standing = isRequest ? left.filter((event) => !wasTakenBack(event)) : [];
  const choices = [
    standing.filter(({ clearedByPlatform }) => !clearedByPlatform),
    standing.filter(({ id }) => id > refused),
    standing,
  ];
  const candidates = choices.find((choice) => choice.length > 0) ?? left;
  return candidates.find(({ at }) => Date.parse(at) >= Date.parse(fact.at) - LONG_AGO_MS) ?? candidates.at(-1);
}

/** Whether a person took the label off again. */
function wasTakenBack({ takenOffBy, clearedByPlatform }: LabeledEvent): boolean {
  return takenOffBy !== null && !clearedByPlatform;
}

function dropReason(fact: LabelFact, event: LabeledEvent | undefined, github: GitHubIssueState): string | undefined {
  if (!github.open) return 'issue_closed';
  // What is told a second time is refused no second time, and for no reason that came up since.
  if (fact.kind === 'trigger_refused') return event ? fact.reason : 'trigger_already_taken';
  if (event && wasTakenBack(event)) return 'label_absent';
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
