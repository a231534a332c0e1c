/** Activity proxies, grouped by how they fail. Each has a summary, so that Temporal Web reads like a report. */
import { ActivityCancellationType, proxyActivities, type ActivityOptions } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { HEARTBEATS } from './heartbeats.ts';

/** A dead worker is noticed within this time; activities heartbeat by themselves. */
const heartbeatTimeout = HEARTBEATS.activity;

/** Quick writes to Postgres, retried until it is back. */
const record: ActivityOptions = {
  startToCloseTimeout: '15 seconds',
  heartbeatTimeout,
  scheduleToCloseTimeout: '7 days',
  retry: { initialInterval: '500 ms', maximumInterval: '30 seconds' },
};

/** Calls to GitHub that the work depends on: outages of hours are waited out. */
const github: ActivityOptions = {
  startToCloseTimeout: '1 minute',
  heartbeatTimeout,
  scheduleToCloseTimeout: '24 hours',
  retry: { initialInterval: '1 second', maximumInterval: '2 minutes' },
};

/**
 * Confirms with GitHub a webhook that ends something. People are promised an end within half a minute, so a GitHub that does
 * not answer is not waited for, and the webhook counts.
 */
const confirmation: ActivityOptions = {
  startToCloseTimeout: '10 seconds',
  heartbeatTimeout,
  scheduleToCloseTimeout: '15 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '2 seconds' },
};

/** Writes to GitHub for people to read: retried for some minutes, and never a reason for a run to fail. */
const courtesy: ActivityOptions = {
  startToCloseTimeout: '1 minute',
  heartbeatTimeout,
  scheduleToCloseTimeout: '15 minutes',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
};

/** Workspaces and processes: a failure that lasts a quarter of an hour ends the run. */
const runtime: ActivityOptions = {
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout,
  scheduleToCloseTimeout: '15 minutes',
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds' },
};

/** An agent may work for hours; a dead worker is noticed within half a minute, and the next one finds the agent by name. */
const agent: ActivityOptions = {
  startToCloseTimeout: '12 hours',
  heartbeatTimeout: HEARTBEATS.agent,
  retry: { initialInterval: '500 ms', maximumInterval: '10 seconds' },
};

function effect<Name extends keyof Activities>(
  name: Name,
  options: ActivityOptions,
  summary: string,
): Pick<Activities, Name>[Name] {
  return proxyActivities<Pick<Activities, Name>>({ ...options, summary })[name] as Pick<Activities, Name>[Name];
}

export const recordIssue = effect('recordIssue', record, 'Show the issue in the read model');
export const recordRun = effect('recordRun', record, 'Show the run in the read model');
export const showRun = effect(
  'showRun',
  { ...record, startToCloseTimeout: '2 minutes' },
  'Show the run in the read model and on GitHub',
);
export const readSettings = effect('readSettings', record, "Read the project's settings");

export const leaseNamespace = effect('leaseNamespace', record, 'Lease a preview slot to the issue');
export const releaseNamespace = effect('releaseNamespace', record, 'Release the preview slot');

export const readIssue = effect('readIssue', github, "Read the issue's labels and their events from GitHub");
export const readTrigger = effect(
  'readTrigger',
  github,
  "Read the issue's labels and their events from GitHub, and the project's settings",
);
export const readReview = effect('readReview', github, 'Read the review from GitHub');
export const readWithdrawals = effect(
  'readWithdrawals',
  confirmation,
  'Confirm with GitHub that the label was removed',
);
export const readPullRequest = effect(
  'readPullRequest',
  confirmation,
  'Confirm with GitHub the state of the pull request',
);
export const readRepository = effect('readRepository', confirmation, 'Confirm with GitHub the state of the repository');
export const moveLabels = effect('moveLabels', github, 'Move the labels on GitHub');
export const moveLabelsAsCourtesy = effect('moveLabels', courtesy, 'Put the label need:input on the issue');
export const openPullRequest = effect(
  'openPullRequest',
  // A cancel waits for the call to GitHub: either the pull request is known then, or there is none.
  { ...github, cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED },
  'Open or update the pull request',
);
export const answerReview = effect('answerReview', github, 'Answer the review comments');
export const prepareAssignment = effect('prepareAssignment', github, 'Prepare the assignment');

export const acknowledge = effect('acknowledge', courtesy, 'React with eyes');
export const writeStatusComment = effect('writeStatusComment', courtesy, 'Write the status comment');
export const catchUpStatusComment = effect(
  'writeStatusComment',
  { ...courtesy, scheduleToCloseTimeout: '24 hours' },
  'Write the status comment when GitHub is back',
);
export const restoreStatusComment = effect('restoreStatusComment', courtesy, 'Restore the status comment');
export const showWorkspaceEnd = effect(
  'showWorkspaceEnd',
  courtesy,
  'Show the end of the workspace in status comments',
);
export const writeRefusal = effect('writeRefusal', courtesy, 'Write why no run was started');

export const launchAgent = effect(
  'launchAgent',
  // A pause or a cancel waits for a launch that is under way, so that the agent it has started is found and stopped.
  { ...runtime, cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED },
  'Acquire a permit, create the workspace and start the agent',
);
export const findEndedRuns = effect(
  'findEndedRuns',
  { ...runtime, scheduleToCloseTimeout: '3 minutes' },
  'Look for runs that ended without releasing their permit',
);
export const stopAgent = effect('stopAgent', runtime, 'Stop the agent');
export const haltAgent = effect('haltAgent', runtime, 'Stop the agent and store its conversation');
export const revokeToken = effect('revokeToken', record, "Revoke the agent's token");
export const releasePermit = effect('releasePermit', record, "Release the run's permit");
export const endRun = effect('endRun', record, "Revoke the run's token and release its permit");
export const recordRequest = effect('recordRequest', record, 'Record the request');
export const writeRequestComment = effect(
  'writeRequestComment',
  { ...courtesy, scheduleToCloseTimeout: '24 hours' },
  'Write the request on GitHub',
);
export const readAnswerComment = effect('readAnswerComment', github, 'Read the answer from GitHub');
export const performCall = effect(
  'performCall',
  { ...runtime, startToCloseTimeout: '5 minutes', scheduleToCloseTimeout: '1 hour' },
  'Perform the approved tool call',
);
export const endCall = effect('endCall', record, 'End the tool call with what people decided');
export const removeWorkspace = effect(
  'removeWorkspace',
  { ...runtime, scheduleToCloseTimeout: '24 hours' },
  'Remove the workspace',
);

export const awaitAgent = effect('awaitAgent', agent, 'Wait for the agent');
