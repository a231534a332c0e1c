/** The public API of the workflows: ids, queue, inputs, signals, queries, search attributes. */
import { defineSearchAttributeKey } from '@temporalio/common';
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { PermitAnswer, PermitRequest, PermitState, RunLimits } from '../src/domain/run/permits.ts';
import type { AnswerSurface, Request, Verdict } from '../src/domain/run/requests.ts';
import type { Heard } from '../src/domain/run/runs.ts';
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
  /** The conversation that a revise resumes. */
  readonly resume: { readonly runId: string; readonly threadId: string; readonly selection?: ModelSelection } | null;
  readonly pullRequest: { readonly number: number; readonly url: string } | null;
  readonly branch: string;
  /** The head of the branch after the last run that succeeded on it. */
  readonly since: string | null;
  /** Of a discussion: everything written until then is answered, ISO 8601. */
  readonly answeredUntil?: string;
  /** Of a discussion: the newest comment that is answered; it counts instead of the time. */
  readonly heard?: Heard;
  /** Whether merging the pull request closes the issue. */
  readonly closes: boolean;
}

/** Facts for an issue, in the order of its inbox. Safe to repeat. */
export const observed = defineSignal<[{ facts: readonly ObservedFact[] }]>('observed');

/** A pull request of a run. */
export interface PullRequestRef {
  readonly number: number;
  readonly url: string;
}

/**
 * Cancels a run; `merged`: the pull request that was merged meanwhile, so that the run counts as succeeded. The first signal
 * counts.
 */
export const cancelRun = defineSignal<[{ actor: string; reason: string; merged?: PullRequestRef }]>('cancelRun');

/**
 * Asks a run to report its end by `observed`: its issue's workflow has continued as new, and the new execution does not learn
 * of a child's end by itself.
 */
export const reportBySignal = defineSignal('reportBySignal');

/** An answer to a run's request. `requestId` null: to the open one. */
export interface AnswerInput {
  readonly requestId: string | null;
  /** Of a verdict, its reason. */
  readonly text: string;
  /** Approves or denies the request, if that waits for an approval. */
  readonly decision?: Verdict;
  /** Who answers: a login, or the name given at another surface. */
  readonly actor: string;
  readonly surface: AnswerSurface;
}

/**
 * Answers a run's request; the first answer counts. Refused with an ApplicationFailure of type `RequestNotOpen` (no open
 * request, or another one), or `AnswerInvalid` (the message names the options).
 */
export const answerRequest = defineUpdate<Request, [AnswerInput]>('answerRequest');

/** A comment on the issue. */
export interface CommentAnswer {
  /** GitHub's id. */
  readonly comment: number;
  /** Of the text that its author wrote. */
  readonly sha256: string;
  /** The author's login, and GitHub's id of the account. */
  readonly actor: string;
  readonly actorId?: number;
}

/**
 * A tool call of this attempt waits for people. The agent is expected to end by itself, and is halted if it does not within a
 * minute.
 */
export const callParked = defineSignal<[{ attempt: number }]>('callParked');

/** Somebody who may answer made a comment on the issue. */
export const commentAnswers = defineSignal<[CommentAnswer]>('commentAnswers');

/** `actor`: who pauses the run. */
export interface PauseInput {
  readonly actor: string;
  readonly reason: string;
}

/** `actor`: who resumes the run. */
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
  retentionSweep: 'sweep:retention',
} as const;

export interface ReconcileInput {
  /** Events that are more recent, in seconds, are left to webhooks. */
  readonly graceSeconds: number;
}

export interface WorkspaceSweepInput {
  /** Workspaces that were used more recently, in seconds, are kept. */
  readonly ageSeconds: number;
  /** Seconds between finding an orphaned workspace and removing it. */
  readonly graceSeconds: number;
}

/** The one workflow that grants permits to work. It is started by the first run that asks. */
export const PERMITS_WORKFLOW_ID = 'permits';

export interface PermitsInput {
  /** Seconds between two checks of the runs with a permit, while others wait. */
  readonly reviewSeconds?: number;
  /** Set by continue-as-new only. */
  readonly state?: PermitsState;
}

/** The state of the workflow that grants permits. */
export interface PermitsState {
  readonly version: 1;
  permits: PermitState;
  /** The limits that the last worker sent. */
  limits: RunLimits;
  /** Runs that were granted a permit and have not received the signal yet. */
  pendingGrants: string[];
  /** The last signaled queue positions, by run id. */
  queuePositions: Record<string, number>;
  /** Milliseconds since 1970. */
  reviewedAt: number;
}

/** Asks for permits; the answers are in the order of the runs. Idempotent. */
export const acquirePermits = defineUpdate<
  PermitAnswer[],
  [{ readonly runs: readonly Omit<PermitRequest, 'at'>[]; readonly limits: RunLimits }]
>('acquirePermits');

/** Gives back a run's permit, or its position in the queue. Idempotent, and safe for runs that never asked. */
export const releasePermit = defineSignal<[{ runId: string }]>('releasePermit');

export const permitsQuery = defineQuery<PermitState>('permits');

/** To a waiting run: its permit is granted. */
export const permitGranted = defineSignal('permitGranted');

/** To a waiting run: its new position in the queue of its project. */
export const queuePosition = defineSignal<[{ position: number }]>('queuePosition');
