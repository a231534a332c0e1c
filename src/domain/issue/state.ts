/** What an issue's workflow knows, as plain JSON, and what that says of itself. */
import type { Trigger } from '../run/trigger.ts';
import type { RunWait, WaitKind } from '../run/waits.ts';
import { type TriggerTarget } from '../stages/stages.ts';
import type { Account, Fact, GoneReason, IssueRef, ObservedFact } from './facts.ts';
import type { DoneStages, LastWork, PullRequestRef } from './gates.ts';

/** The newest `labeled` event taken up of each person, by account id. GitHub's event ids grow. */
export type TakenEvents = Readonly<Record<string, number>>;

/** A run that is asked for and not started yet. */
export interface PlannedRun {
  readonly runId: string;
  readonly target: TriggerTarget;
  readonly trigger: Trigger;
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

/** The issue's place to work, which it has until a lease runs out. */
export interface Workspace {
  readonly name: string;
  /** The end of the lease, ISO 8601. */
  readonly until: string;
  /** How long a lease is. */
  readonly hours: number;
  /** Whether the name is that of a slot of the project. */
  readonly leased: boolean;
}

/** All that an issue's workflow knows. Plain JSON; carried whole through continue-as-new. */
export interface IssueState {
  readonly version: 1;
  readonly issue: IssueRef;
  /** When this life of the issue began, ISO 8601; a closed issue that is reopened and labelled begins another. */
  readonly startedAt: string;
  title: string;
  url: string;
  /** The last fact of the inbox in Postgres that arrived here. */
  cursor: number;
  unread: ObservedFact[];
  /** The newest `labeled` event taken up, by label and person. */
  takenEvents: Readonly<Record<string, TakenEvents>>;
  /** The newest `labeled` event that the edge has refused, by label and person. */
  refusedEvents: Readonly<Record<string, TakenEvents>>;
  /** Reviews taken up, newest last, bounded. */
  takenReviews: readonly number[];
  active: PlannedRun | null;
  queue: readonly PlannedRun[];
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
  /** Comments that were handed to a run as answers, newest last, bounded: one which two hooks tell of is taken up once. */
  answers: readonly number[];
  /** Why the platform put `need:input` on, while it is unanswered. */
  asked: string | null;
  pullRequest: PullRequestRef | null;
  workspace: Workspace | null;
  closed: boolean;
  /** Set while nothing can be done in the repository. */
  gone: GoneReason | null;
  /** Counts the writes to the read model. */
  revision: number;
  /** Facts that said nothing new and were let go while many were unread; not told of yet. */
  throttled: number;
}

/** The state of an issue nobody knows anything of yet. */
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

/** In one word, what has to happen for the issue to go on. */
export function waitsFor(
  state: Pick<IssueState, 'active' | 'closed' | 'pullRequest' | 'asked'>,
): 'agent' | WaitKind | 'cleanup' | 'input' | 'review' | 'label' {
  if (state.active) return state.active.wait?.kind ?? 'agent';
  if (state.closed) return 'cleanup';
  if (state.asked !== null) return 'input';
  return state.pullRequest ? 'review' : 'label';
}
