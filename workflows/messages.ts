/** The public API of the workflows: ids, queue, inputs, signals, queries, search attributes. */
import { defineSearchAttributeKey } from '@temporalio/common';
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { PermitAnswer, PermitRequest, PermitState, RunLimits } from '../src/domain/run/permits.ts';
import type { AnswerSurface, Request } from '../src/domain/run/requests.ts';
import type { RunWait } from '../src/domain/run/waits.ts';
import type { Effect } from '../src/domain/issue/effects.ts';
import type { IssueRef, ObservedFact } from '../src/domain/issue/facts.ts';
import type { IssueState, PlannedRun } from '../src/domain/issue/state.ts';
import type { ModelSelection } from '../src/domain/stages/model-selection.ts';
import type { RunSettings } from '../src/domain/stages/settings.ts';
import type { RunProgress } from '../src/domain/messages/status-comment.ts';

export const TASK_QUEUE = 'codex-k8s';

/** `run:<run id>`. The issue's workflow id is its key in the read model, `issue:<repository id>#<number>`. */
export function runWorkflowId(runId: string): string {
  return `run:${runId}`;
}

/** Search attributes of a development server are listed in temporal-dev.yaml; a test keeps the two the same. */
export const searchAttributes = {
  repository: defineSearchAttributeKey('Repository', 'KEYWORD'),
  issue: defineSearchAttributeKey('Issue', 'INT'),
  stage: defineSearchAttributeKey('Stage', 'KEYWORD'),
  runStatus: defineSearchAttributeKey('RunStatus', 'KEYWORD'),
  waitingFor: defineSearchAttributeKey('WaitingFor', 'KEYWORD'),
} as const;

export interface IssueInput {
  readonly issue: IssueRef;
  readonly title: string;
  readonly url: string;
  /** Set by continue-as-new only. */
  readonly state?: IssueState;
  /** Set by continue-as-new only: what was under way in the background, and is begun again. */
  readonly background?: readonly Effect[];
}

export interface RunInput {
  readonly issue: IssueRef;
  readonly issueTitle: string;
  readonly plan: PlannedRun;
  readonly settings: RunSettings;
  readonly workspace: { readonly name: string; readonly until: string };
  /** The conversation that a revise goes on with. */
  readonly resume: { readonly runId: string; readonly threadId: string; readonly selection?: ModelSelection } | null;
  readonly pullRequest: { readonly number: number; readonly url: string } | null;
  readonly branch: string;
  /** The head of the branch after the last run that succeeded on it. */
  readonly since: string | null;
  /** Of a discussion: what was said up to then is answered, ISO 8601. */
  readonly answeredUntil?: string;
  /** Whether merging the pull request closes the issue. */
  readonly closes: boolean;
}

/** Facts for an issue, in the order of its inbox. Safe to repeat. */
export const observed = defineSignal<[{ facts: readonly ObservedFact[] }]>('observed');

/** A pull request as runs know it. */
export interface PullRequestRef {
  readonly number: number;
  readonly url: string;
}

/** Ends a run; `merged` is the pull request that it was for, when that has been merged. The first one counts. */
export const cancelRun = defineSignal<[{ actor: string; reason: string; merged?: PullRequestRef }]>('cancelRun');

/**
 * Tells a run that its issue's workflow goes on under another run id, which does not learn of a child's end by itself: the
 * run then reports its end by `observed`.
 */
export const reportBySignal = defineSignal('reportBySignal');

/** An answer to what a run asks. `requestId` null: to whatever is open. */
export interface AnswerInput {
  readonly requestId: string | null;
  readonly text: string;
  /** The login of who answers. */
  readonly actor: string;
  readonly surface: AnswerSurface;
}

/**
 * Answers what a run asks; the first answer counts. Refused with an ApplicationFailure of type `RequestNotOpen` (nothing is open, or
 * another request), or `AnswerInvalid` (the message names the options).
 */
export const answerRequest = defineUpdate<Request, [AnswerInput]>('answerRequest');

/** Somebody who may answer made a comment on the issue. `comment`: GitHub's id of it; `actor`: a login. */
export const commentAnswers = defineSignal<[{ comment: number; actor: string }]>('commentAnswers');

/** `actor`: the login of who pauses the run. */
export interface PauseInput {
  readonly actor: string;
  readonly reason: string;
}

/** `actor`: the login of who resumes the run. */
export interface ResumeInput {
  readonly actor: string;
  readonly note?: string;
}

/** Stops a run's agent until it is resumed. Refused with `RunNotPausable` unless its agent is being prepared or works. */
export const pauseRun = defineUpdate<RunWait, [PauseInput]>('pauseRun');

/** Lets a paused run go on; the note is read by its agent. Refused with `RunNotPaused`. */
export const resumeRun = defineUpdate<null, [ResumeInput]>('resumeRun');

export const issueStateQuery = defineQuery<IssueState>('issueState');
export const runProgressQuery = defineQuery<RunProgress>('runProgress');

/** The Schedules of the sweeps; each starts the workflow type of its name. */
export const SCHEDULES = {
  redeliverySweep: 'sweep:redelivery',
  reconcileSweep: 'sweep:reconcile',
  workspaceSweep: 'sweep:workspaces',
} as const;

export interface ReconcileInput {
  /** What happened less than so many seconds ago is left to webhooks. */
  readonly graceSeconds: number;
}

export interface WorkspaceSweepInput {
  /** A workspace that was used less than so many seconds ago is let be. */
  readonly ageSeconds: number;
  /** Seconds between the first look and the second. */
  readonly graceSeconds: number;
}

/** The one workflow that hands out permits to work. It is there as soon as a run has asked. */
export const PERMITS_WORKFLOW_ID = 'permits';

export interface PermitsInput {
  /** Seconds between two looks at those that have a permit, while others wait. */
  readonly reviewSeconds?: number;
  /** Set by continue-as-new only. */
  readonly state?: PermitsState;
}

/** What the workflow of permits knows. */
export interface PermitsState {
  readonly version: 1;
  permits: PermitState;
  /** Those of the worker that asked last. */
  limits: RunLimits;
  /** Runs that were granted a permit, and have not received the signal that says so. */
  pendingGrants: string[];
  /** The positions that were last signaled to those that wait, by run id. */
  queuePositions: Record<string, number>;
  /** Milliseconds since 1970. */
  reviewedAt: number;
}

/** Runs ask for permits, and are answered in their order. One that has asked before is answered what holds now. */
export const acquirePermits = defineUpdate<
  PermitAnswer[],
  [{ readonly runs: readonly Omit<PermitRequest, 'at'>[]; readonly limits: RunLimits }]
>('acquirePermits');

/** A run gives back its permit, or its position in the queue. Safe to repeat, also by runs that never asked. */
export const releasePermit = defineSignal<[{ runId: string }]>('releasePermit');

export const permitsQuery = defineQuery<PermitState>('permits');

/** To a run that waits: it has its permit. */
export const permitGranted = defineSignal('permitGranted');

/** To a run that waits: its new position in the queue of its project. */
export const queuePosition = defineSignal<[{ position: number }]>('queuePosition');
