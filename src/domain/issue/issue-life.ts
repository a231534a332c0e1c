/**
 * The stateful half of the trigger policy: what a fact means for an issue that has a past. Pure functions over the
 * issue workflow's state, so that the whole of it is one table test.
 */
import type { Account, Fact, GoneReason, ObservedFact } from './facts.ts';
import type { RunWait } from '../run/waits.ts';
import { gate, type Candidates, type DoneStages, type IssuePast, type LastWork } from './gates.ts';
import {
  normalizeLabel,
  stageRow,
  STAGES,
  triggerLabel,
  triggerLabelsIn,
  triggerOfLabel,
  type Stage,
  type TriggerTarget,
} from '../stages/stages.ts';

/** A run that is asked for and not started yet. */
export interface PlannedRun {
  readonly runId: string;
  readonly target: TriggerTarget;
  /** `label:<event id>` or `review:<review id>`: GitHub's own record of what asked for it. */
  readonly trigger: string;
  /** The label on the issue that asked for it; null when a review did. */
  readonly label: string | null;
  readonly by: Account;
  /** The delivery that brought it: the correlation id of all that follows. */
  readonly delivery: string;
  readonly requestedAt: string;
  /** When it was asked for by GitHub's clock, where that is known: what was said later does not count. */
  readonly frozenAt?: string;
  /** The pull request under whose label it stands; the issue's, where it is missing. */
  readonly pullRequest?: number;
  /** Counts what was written of it to the read model, so that the newest write wins. */
  readonly revision: number;
  /** Set when somebody took the label off: whatever stands there now belongs to a newer click. */
  readonly withdrawn?: true;
  /** Set when the issue's workflow has continued as new since the run was started, and learns of its end by a signal. */
  readonly reportsBySignal?: true;
  /** Set while the run waits for people. */
  readonly wait?: RunWait;
}

/** A conversation in comments. */
export interface Discussion {
  /** Its last turn that was answered: the next one goes on with that conversation. */
  readonly last: { readonly runId: string; readonly threadId: string } | null;
  /** What was said up to then is answered, ISO 8601 by GitHub's clock. */
  readonly answeredUntil: string | null;
  readonly unanswered: readonly Omit<Extract<Fact, { kind: 'comment_added' }>, 'kind'>[];
  /** Comments that were taken up, newest last, bounded. */
  readonly taken: readonly number[];
  /** When it ends by itself, should nobody say anything, ISO 8601. */
  readonly idleUntil: string;
}

/** All that an issue's workflow knows. Plain JSON; carried whole through continue-as-new. */
export interface IssueState {
  readonly version: 1;
  /** When this life of the issue began, ISO 8601; a closed issue that is reopened and labelled begins another. */
  readonly startedAt: string;
  title: string;
  url: string;
  /** The last fact of the inbox in Postgres that arrived here. */
  cursor: number;
  unread: ObservedFact[];
  /** The newest `labeled` event taken up, by label and person. */
  takenEvents: Record<string, TakenEvents>;
  /** The newest `labeled` event that the edge has refused, by label and person. */
  refusedEvents: Record<string, TakenEvents>;
  /** Reviews taken up, newest last, bounded. */
  takenReviews: number[];
  active: PlannedRun | null;
  queue: PlannedRun[];
  /** The last run that left work behind: what a revise goes on with. */
  last: LastWork | null;
  /** What is done and not superseded; null until GitHub and the read model were asked. */
  done: DoneStages | null;
  /**
   * Counts the issue's branches, from 1: a pull request that is merged or closed takes its branch with it. Null until GitHub
   * and the read model were asked.
   */
  branch: number | null;
  /** The highest of those counts so far. */
  branches: number;
  /** Set while people talk with an agent in comments. */
  discussion: Discussion | null;
  /** What was said where `mode:discussion` is on and no conversation has begun yet. */
  early: Discussion['unanswered'];
  /** Why the platform put `need:input` on, while it is unanswered. */
  asked: string | null;
  pullRequest: { readonly number: number; readonly url: string } | null;
  workspace: {
    readonly name: string;
    /** The end of the lease, ISO 8601, and how long a lease is. */
    readonly until: string;
    readonly hours: number;
    /** Whether the name is that of a slot. */
    readonly leased: boolean;
  } | null;
  closed: boolean;
  /** Set while nothing can be done in the repository. */
  gone: GoneReason | null;
  /** Counts the writes to the read model. */
  revision: number;
  /** Facts that said nothing new and were let go while many were unread; not told of yet. */
  throttled: number;
}

/** The state of an issue nobody knows anything of yet. */
export function newIssueState(title: string, url: string, startedAt: string): IssueState {
  return {
    version: 1,
    startedAt,
    title,
    url,
    cursor: 0,
    unread: [],
    takenEvents: {},
    refusedEvents: {},
    takenReviews: [],
    active: null,
    queue: [],
    last: null,
    done: null,
    branch: null,
    branches: 1,
    discussion: null,
    early: [],
    asked: null,
    pullRequest: null,
    workspace: null,
    closed: false,
    gone: null,
    revision: 0,
    throttled: 0,
  };
}

/**
 * Takes in facts: those at or before the cursor are known already; handed over twice is learned once. While many are unread, one that repeats
 * what another unread one says is let go: GitHub is asked before either is acted on, so that both lead to the same, and the
 * state stays small enough to be carried through continue-as-new.
 */
export function receive(state: IssueState, facts: readonly ObservedFact[]): void {
  for (const observed of facts) {
    if (observed.seq !== null) {
      if (observed.seq <= state.cursor) continue;
      state.cursor = observed.seq;
    }
    if (state.unread.length >= UNREAD_LIMIT && saysNothingNew(state, observed.fact)) {
      state.throttled += 1;
      continue;
    }
    state.unread.push(observed);
  }
}

/** From here on, facts that repeat an unread one are let go. */
export const UNREAD_LIMIT = 100;

function saysNothingNew(state: IssueState, fact: Fact): boolean {
  const subject = subjectOf(fact);
  return subject !== undefined && state.unread.some((unread) => subjectOf(unread.fact) === subject);
}

/** What two facts have in common that one look at GitHub answers alike. What comes from within has none, and always counts. */
function subjectOf(fact: Fact): string | undefined {
  switch (fact.kind) {
    case 'trigger_label_removed':
      return `${fact.kind} ${fact.by.id} ${fact.label}`;
    case 'trigger_label_added':
      return `${fact.kind} ${fact.by.id} ${fact.label} ${fact.event}`;
    case 'trigger_refused':
      return `${fact.kind} ${fact.by.id} ${fact.label} ${fact.event} ${fact.reason}`;
    case 'changes_requested':
    case 'review_refused':
      return `${fact.kind} ${fact.review}`;
    case 'comment_added':
      return `${fact.kind} ${fact.comment}`;
    case 'pull_request_closed':
      return `${fact.kind} ${fact.pullRequest}`;
    case 'status_comment_changed':
      return `${fact.kind} ${fact.runId}`;
    case 'issue_closed':
    case 'issue_reopened':
    case 'repository_gone':
      return fact.kind;
    case 'run_finished':
    case 'run_waiting':
    case 'run_resumed':
    case 'run_lost':
    case 'cancel_requested':
      return undefined;
  }
}

/** Where in the unread the next fact is: what people and runs say directly comes before what webhooks report. */
export function nextUnread(state: Pick<IssueState, 'unread'>): number {
  return Math.max(
    0,
    state.unread.findIndex(({ seq }) => seq === null),
  );
}

/** Whether nothing is left to do for good: the issue is closed, nobody works, and its workspace is gone. */
export function isOver(state: IssueState): boolean {
  return (
    state.closed &&
    state.active === null &&
    state.queue.length === 0 &&
    state.workspace === null &&
    state.unread.length === 0
  );
}

/** A `labeled` event of GitHub. */
export interface LabeledEvent {
  readonly id: number;
  /** The account that put the label on. */
  readonly by: number;
  /** ISO 8601. */
  readonly at: string;
  /** Whether the platform took the label off since: at the end of an earlier run, and not because anybody asked. */
  readonly clearedByPlatform: boolean;
  /** Who took the label off again, the platform included; null while nobody has. */
  readonly takenOffBy: Account | null;
}

/** What GitHub itself says of an issue and a label, read just before a launch. */
export interface LabelTruth {
  readonly open: boolean;
  readonly title: string;
  readonly labels: readonly string[];
  /** What the read model knows of an earlier life of the issue. */
  readonly past?: IssuePast | null;
  /** People who put a label on and may not start runs any more, by account id, with the reason (reliability.md T26). */
  readonly refused?: Readonly<Record<string, string>>;
  /** The issue's pull requests, where the label's stage needs to know. */
  readonly candidates?: Candidates;
  /** All `labeled` events of the label in question since the issue was last closed or reopened, oldest first. */
  readonly labeled: readonly LabeledEvent[];
}

/** The newest `labeled` event taken up of each person, by account id. GitHub's event ids grow. */
export type TakenEvents = Readonly<Record<string, number>>;

/** What webhooks say of a label that was put on: by somebody who may, or refused at the edge for a reason of its own. */
export type LabelFact = Extract<Fact, { kind: 'trigger_label_added' | 'trigger_refused' }>;

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
  truth: LabelTruth,
  known: GateState = { active: null, queue: [], done: null, asked: null, pullRequest: null },
  refused: TakenEvents = {},
): TriggerDecision {
  const planned: PlannedRun[] = [];
  const dropped: Dropped[] = [];
  const now: Record<string, number> = { ...taken };
  const refusedNow: Record<string, number> = { ...refused };
  for (const fact of facts) {
    const event = eventOf(fact, truth, now[fact.by.id] ?? 0, refusedNow[fact.by.id] ?? 0);
    if (event) (fact.kind === 'trigger_refused' ? refusedNow : now)[event.by] = event.id;
    const about = event ? { fact, event: event.id } : { fact };
    const reason = dropReason(fact, event, truth);
    if (reason !== undefined || !event || fact.kind !== 'trigger_label_added') {
      dropped.push({ ...about, reason: reason ?? 'trigger_already_taken' });
      continue;
    }
    const refusal =
      gateOf(fact.target, truth, known) ?? notCurrent(fact, known) ?? discussionConflict(fact.target, known);
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
  truth: Pick<LabelTruth, 'labels' | 'candidates'>,
  { done, asked }: Pick<IssueState, 'done' | 'asked'>,
): ReturnType<typeof gate> {
  const { labels, candidates } = truth;
  return gate(target, { labels, done: done ?? {}, candidates, asked: asked !== null });
}

/** An event so much older than a delivery was never told of, or refused at its time: a newer one is meant. */
const LONG_AGO_MS = 3_600_000;

/**
 * A request takes up a click that was not taken back before one that was: the delivery of the former may be lost. Of those it
 * takes the one whose label is there, and else one that nobody refused.
 */
function eventOf(fact: LabelFact, truth: LabelTruth, taken: number, refused: number): LabeledEvent | undefined {
  const isRequest = fact.kind === 'trigger_label_added';
  const after = isRequest ? taken : Math.max(taken, refused);
  const left = truth.labeled.filter(({ id, by }) => by === fact.by.id && id > after);
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

function dropReason(fact: LabelFact, event: LabeledEvent | undefined, truth: LabelTruth): string | undefined {
  if (!truth.open) return 'issue_closed';
  // What is told a second time is refused no second time, and for no reason that came up since.
  if (fact.kind === 'trigger_refused') return event ? fact.reason : 'trigger_already_taken';
  if (event && wasTakenBack(event)) return 'label_absent';
  if (!truth.labels.map(normalizeLabel).includes(fact.label) && !event?.clearedByPlatform) return 'label_absent';
  if (!event) return 'trigger_already_taken';
  return truth.refused?.[fact.by.id] ?? conflictOf(fact, truth);
}

function conflictOf(fact: LabelFact, truth: LabelTruth): string | undefined {
  const conflicts = triggerOfLabel(fact.label) && triggerLabelsIn([...truth.labels, fact.label]).length > 1;
  return conflicts ? 'issue_trigger_label_conflict' : undefined;
}

function planOf(fact: Extract<LabelFact, { kind: 'trigger_label_added' }>, event: LabeledEvent): PlannedRun {
  return {
    runId: fact.runId,
    target: fact.target,
    trigger: `label:${event.id}`,
    label: fact.label,
    by: fact.by,
    delivery: fact.delivery,
    requestedAt: fact.at,
    frozenAt: event.at,
    ...(fact.pullRequest === undefined ? {} : { pullRequest: fact.pullRequest }),
    revision: 0,
  };
}

/** Where the stage of a review may be read, the strongest first (requirements.md 2.3). */
export interface ReviseSources {
  readonly pullRequestLabels: readonly string[];
  readonly issueLabels: readonly string[];
  /** Of the last run on this pull request. */
  readonly lastStage: Stage | undefined;
  readonly done: DoneStages;
}

/** The stage that a review sends back, or the labels that a person can choose from. */
export function resolveReviseStage({ pullRequestLabels, issueLabels, lastStage, done }: ReviseSources):
  | {
      readonly stage: Stage;
      readonly source: 'pr_labels' | 'issue_labels' | 'last_run_context' | 'issue_history';
    }
  | { readonly problem: 'ambiguous' | 'not_resolved'; readonly labels: readonly string[] } {
  for (const [source, labels] of [
    ['pr_labels', pullRequestLabels],
    ['issue_labels', issueLabels],
  ] as const) {
    const stages = [...new Set(labels.flatMap((label) => triggerOfLabel(label)?.stage ?? []))];
    if (stages.length > 1) return { problem: 'ambiguous', labels: reviseLabels(stages) };
    if (stages[0]) return { stage: stages[0], source };
  }
  if (lastStage) return { stage: lastStage, source: 'last_run_context' };
  const newest = newestOf(Object.keys(done) as Stage[], done);
  if (newest) return { stage: newest, source: 'issue_history' };
  return { problem: 'not_resolved', labels: reviseLabels(STAGES.map(({ stage }) => stage)) };
}

function reviseLabels(stages: readonly Stage[]): string[] {
  return stages.filter((stage) => stageRow(stage).revisable).map((stage) => triggerLabel({ stage, kind: 'revise' }));
}

/** The run that a review asks for, or why there is none. */
export function decideRevise(
  state: Pick<IssueState, 'takenReviews' | 'last' | 'closed' | 'done' | 'asked' | 'pullRequest'>,
  fact: Extract<Fact, { kind: 'changes_requested' }>,
  issueLabels: readonly string[] = [],
):
  | { readonly planned: PlannedRun; readonly source: string }
  | { readonly reason: string; readonly labels?: readonly string[] } {
  if (state.closed) return { reason: 'issue_closed' };
  if (state.takenReviews.includes(fact.review)) return { reason: 'trigger_already_taken' };
  if (fact.outdated) return { reason: 'review_outdated' };
  const done = state.done ?? {};
  const onThis = (Object.keys(done) as Stage[]).filter((stage) => done[stage]?.pullRequest === fact.pullRequest);
  const resolved = resolveReviseStage({
    pullRequestLabels: fact.labels,
    issueLabels,
    lastStage:
      (state.pullRequest?.number ?? fact.pullRequest) === fact.pullRequest ? state.last?.stage : newestOf(onThis, done),
    done,
  });
  if ('problem' in resolved)
    return { reason: `pull_request_review_stage_${resolved.problem}`, labels: resolved.labels };
  const { stage, source } = resolved;
  if (!stageRow(stage).revisable) return { reason: 'pull_request_review_stage_not_resolved' };
  if (state.pullRequest && state.pullRequest.number !== fact.pullRequest) return { reason: 'pull_request_not_current' };
  const refusal = gateOf({ stage, kind: 'revise' }, { labels: issueLabels }, state);
  if (refusal) return refusal;
  return {
    source,
    planned: {
      runId: fact.runId,
      target: { stage, kind: 'revise' },
      trigger: `review:${fact.review}`,
      label: null,
      by: fact.by,
      delivery: fact.delivery,
      requestedAt: fact.at,
      revision: 0,
    },
  };
}

function newestOf(stages: readonly Stage[], done: DoneStages): Stage | undefined {
  return stages.toSorted((a, b) => Date.parse(done[a]?.at ?? '') - Date.parse(done[b]?.at ?? '')).at(-1);
}

/** Runs of one issue that may wait; who asks for more is told to wait with asking. */
export const QUEUE_LIMIT = 10;

/** Whether taking a label off ends a run: only the label that asked for it does. */
export function isCanceledByRemoval(run: PlannedRun, label: string): boolean {
  return run.label !== null && normalizeLabel(label) === run.label;
}

/** In one word, what has to happen for the issue to go on. */
export function waitsFor(
  state: Pick<IssueState, 'active' | 'closed' | 'pullRequest' | 'asked'>,
): 'agent' | 'cleanup' | 'input' | 'review' | 'label' {
  if (state.active) return 'agent';
  if (state.closed) return 'cleanup';
  if (state.asked !== null) return 'input';
  return state.pullRequest ? 'review' : 'label';
}

/** The label to take off the issue when a run ends; none while another run in the queue stands under the same label. */
export function labelToRemove(run: PlannedRun, queue: readonly PlannedRun[]): string | null {
  // A conversation goes on under its label from turn to turn.
  if (run.withdrawn || run.target.kind === 'discussion') return null;
  const label = run.label ?? triggerLabel(run.target);
  return queue.some((waiting) => waiting.label === label) ? null : label;
}
