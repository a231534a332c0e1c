/** The state of an issue's workflow, as plain JSON, and what follows from it. */
import type { Heard } from '../run/runs.ts';
import type { Trigger } from '../run/trigger.ts';
import type { RunWait, WaitKind } from '../run/waits.ts';
import { type TriggerTarget } from '../stages/stages.ts';
import type { Account, Fact, GoneReason, IssueRef, ObservedFact } from './facts.ts';
import type { DoneStages, LastWork, PullRequestRef } from './gates.ts';

/** The newest `labeled` event processed for each person, by account id. GitHub's event ids grow. */
export type TakenEvents = Readonly<Record<string, number>>;

/** A run that is asked for and not started yet. */
export interface PlannedRun {
  readonly runId: string;
  readonly target: TriggerTarget;
  readonly trigger: Trigger;
  /** The label on the issue that asked for it; null when a review did. */
  readonly label: string | null;
  readonly by: Account;
  /** The delivery that asked for it: the correlation id of everything that follows. */
  readonly delivery: string;
  readonly requestedAt: string;
  /** When the trigger happened by GitHub's clock, if known: the snapshot contains nothing that was written later. */
  readonly frozenAt?: string;
  /** Of the run that begins a discussion: when its label was put on, by GitHub's clock. */
  readonly labeledAt?: string;
  /** The pull request that the label is on; missing if it is on the issue. */
  readonly pullRequest?: number;
  /** Counts its writes to the read model; the highest revision wins. */
  readonly revision: number;
  /** Set when somebody took the label off: if the label is on now, it belongs to a newer event. */
  readonly withdrawn?: true;
  /** Set when the issue's workflow has continued as new since the run was started, and learns of the run's end by a signal. */
  readonly reportsBySignal?: true;
  /** Set while the run waits for people. */
  readonly wait?: RunWait;
}

/** Several trigger labels that one person put on at once, and the explanation that they got. */
export interface ExplainedConflict {
  readonly account: number;
  readonly labels: readonly string[];
  /** When the label was put on whose conflict was explained, by GitHub's clock. ISO 8601. */
  readonly at: string;
  /** The subject of the explanation. */
  readonly subject: string;
}

/** A discussion of `mode:discussion`. */
export interface Discussion {
  /** Its last run that answered: the next one resumes that conversation. */
  readonly last: { readonly runId: string; readonly threadId: string } | null;
  /** Everything that was written until then is answered. ISO 8601; of runs that do not say what they have heard. */
  readonly answeredUntil: string | null;
  /** The newest comment that is answered; missing until a run says it. */
  readonly heard?: Heard;
  readonly unanswered: readonly Omit<Extract<Fact, { kind: 'comment_added' }>, 'kind'>[];
  /** Comments that were processed, newest last, bounded. */
  readonly taken: readonly number[];
  /** When the discussion ends unless somebody comments. ISO 8601. */
  readonly idleUntil: string;
}

/** The issue's workspace, which is kept until its lease runs out. */
export interface Workspace {
  readonly name: string;
  /** The end of the lease, ISO 8601. */
  readonly until: string;
  /** The length of a lease. */
  readonly hours: number;
  /** Whether the name is a preview slot of the project. */
  readonly leased: boolean;
}

/** The whole state of an issue's workflow. Plain JSON; carried through continue-as-new. */
export interface IssueState {
  readonly version: 1;
  readonly issue: IssueRef;
  /** When this life of the issue began, ISO 8601; a closed issue that is reopened and labeled begins another. */
  readonly startedAt: string;
  title: string;
  url: string;
  /** The `seq` of the last fact of the inbox that arrived here. */
  cursor: number;
  unread: ObservedFact[];
  /** The newest `labeled` event processed, by label and person. */
  takenEvents: Readonly<Record<string, TakenEvents>>;
  /** The newest `labeled` event that was refused when its delivery was evaluated, by label and person. */
  refusedEvents: Readonly<Record<string, TakenEvents>>;
  /** Reviews that were processed, newest last, bounded. */
  takenReviews: readonly number[];
  /** When runs were asked for by labels and reviews in the last hour, ISO 8601; missing until the breaker counts. */
  triggers?: readonly string[];
  active: PlannedRun | null;
  queue: readonly PlannedRun[];
  /** The last run that left work behind: a revise continues it. */
  last: LastWork | null;
  /** The stages that are done and not superseded; null until GitHub and the read model were read. */
  done: DoneStages | null;
  /**
   * The number of the issue's current branch, from 1: a branch ends with its pull request. Null until GitHub and the read model
   * were read.
   */
  branch: number | null;
  /** The prefix of that branch, if it is not the usual one: a project may change its prefix meanwhile. */
  branchPrefix?: string;
  /** The highest of those numbers so far. */
  branches: number;
  /** Set while there is a discussion. */
  discussion: Discussion | null;
  /** Comments on an issue with `mode:discussion` whose discussion has not begun yet. */
  early: Discussion['unanswered'];
  /** Comments that were passed to a run as answers, newest last, bounded: one that two webhooks report is passed once. */
  answers: readonly number[];
  /** Why the platform put `need:input` on, until that is answered. */
  asked: string | null;
  /** The newest conflict of labels that was explained: its other labels are not explained again. Missing: none yet. */
  conflict?: ExplainedConflict;
  pullRequest: PullRequestRef | null;
  workspace: Workspace | null;
  closed: boolean;
  /** Set while nothing can be done in the repository. */
  gone: GoneReason | null;
  /** Counts the writes to the read model. */
  revision: number;
  /** The number of facts that were dropped as repetitions while many were unread, and are not recorded yet. */
  throttled: number;
}

/** The state of an issue that nothing is known of yet. */
export function newIssueState(issue: IssueRef, title: string, url: string, startedAt: string): IssueState {
  return {
    version: 1,
    issue,
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
    answers: [],
    asked: null,
    pullRequest: null,
    workspace: null,
    closed: false,
    gone: null,
    revision: 0,
    throttled: 0,
  };
}

/** True if the workflow has nothing left to do: the issue is closed, no run is active, and its workspace is gone. */
export function isOver(state: IssueState): boolean {
  return (
    state.closed &&
    state.active === null &&
    state.queue.length === 0 &&
    state.workspace === null &&
    state.unread.length === 0
  );
}

/** A keyword for what the issue waits for. */
export function waitsFor(
  state: Pick<IssueState, 'active' | 'closed' | 'pullRequest' | 'asked'>,
): 'agent' | WaitKind | 'cleanup' | 'input' | 'review' | 'label' {
  if (state.active) return state.active.wait?.kind ?? 'agent';
  if (state.closed) return 'cleanup';
  if (state.asked !== null) return 'input';
  return state.pullRequest ? 'review' : 'label';
}

/** Sets the prefix of the issue's branch; undefined for the usual one. */
export function usePrefix(state: IssueState, prefix: string | undefined): void {
  if (prefix === undefined) delete state.branchPrefix;
  else state.branchPrefix = prefix;
}
