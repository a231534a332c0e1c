/** Activity proxies, grouped by how they fail. Each has a summary, so that Temporal Web reads like a report. */
import { ActivityCancellationType, proxyActivities, type ActivityOptions } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { HEARTBEATS } from './heartbeats.ts';

/** A worker that dies is noticed within this time: activities beat by themselves while they run. */
const heartbeatTimeout = HEARTBEATS.activity;

/** Quick writes to Postgres: it comes back, and nothing is worth losing before that. */
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
 * Asking GitHub whether a webhook is right that ends something: people are promised an end within half a minute, so a GitHub
 * that does not answer is not waited for, and the webhook is believed.
 */
const confirmation: ActivityOptions = {
  startToCloseTimeout: '10 seconds',
  heartbeatTimeout,
  scheduleToCloseTimeout: '15 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '2 seconds' },
};

/** What people read on GitHub: worth some minutes, never worth a run. */
const courtesy: ActivityOptions = {
  startToCloseTimeout: '1 minute',
  heartbeatTimeout,
  scheduleToCloseTimeout: '15 minutes',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
};

/** Workspaces and processes: a quarter of an hour of trouble is the runtime's fault, and said so. */
const runtime: ActivityOptions = {
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout,
  scheduleToCloseTimeout: '15 minutes',
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds' },
};

/** An agent may work for hours; a worker that died is noticed within half a minute, and the next one finds the agent by name. */
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

export const leaseNamespace = effect('leaseNamespace', record, 'Find the issue a slot of its project');
export const releaseNamespace = effect('releaseNamespace', record, 'Give the slot back');

export const readIssue = effect('readIssue', github, "Read the issue's labels and their events from GitHub");
export const readTrigger = effect(
  'readTrigger',
  github,
  "Read the issue's labels and their events from GitHub, and the project's settings",
);
export const readReview = effect('readReview', github, 'Read the review from GitHub');
export const readWithdrawals = effect('readWithdrawals', confirmation, 'Ask GitHub whether the label was taken off');
export const readPullRequest = effect('readPullRequest', confirmation, 'Ask GitHub what became of the pull request');
export const readRepository = effect('readRepository', confirmation, 'Ask GitHub what became of the repository');
export const moveLabels = effect('moveLabels', github, 'Move the labels on GitHub');
export const moveLabelsAsCourtesy = effect('moveLabels', courtesy, 'Put the question on the issue');
export const openPullRequest = effect(
  'openPullRequest',
  // A cancel waits for what GitHub is being asked already: so either the pull request is known, or there is none.
  { ...github, cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED },
  'Open or update the pull request',
);
export const answerReview = effect('answerReview', github, 'Answer the review comments');
export const prepareAssignment = effect('prepareAssignment', github, 'Write down what the agent is to do');

export const acknowledge = effect('acknowledge', courtesy, 'React with eyes');
export const writeStatusComment = effect('writeStatusComment', courtesy, 'Write the status comment');
export const catchUpStatusComment = effect(
  'writeStatusComment',
  { ...courtesy, scheduleToCloseTimeout: '24 hours' },
  'Write the status comment when GitHub is back',
);
export const restoreStatusComment = effect('restoreStatusComment', courtesy, 'Make the status comment right again');
export const showWorkspaceEnd = effect(
  'showWorkspaceEnd',
  courtesy,
  'Say in status comments what became of the workspace',
);
export const writeRefusal = effect('writeRefusal', courtesy, 'Say why no run was started');

export const launchAgent = effect(
  'launchAgent',
  // A pause or a cancel waits for a launch that is under way: so what it has started is found and stopped.
  { ...runtime, cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED },
  'Acquire the permit, make the workspace and start the agent in it',
);
export const findEndedRuns = effect(
  'findEndedRuns',
  { ...runtime, scheduleToCloseTimeout: '3 minutes' },
  'Look for runs that ended without releasing their permit',
);
export const stopAgent = effect('stopAgent', runtime, 'Stop the agent');
export const haltAgent = effect('haltAgent', runtime, 'Stop the agent, and keep its conversation');
export const revokeToken = effect('revokeToken', record, "Revoke the agent's token");
export const releasePermit = effect('releasePermit', record, "Release the run's permit");
export const endRun = effect('endRun', record, "Revoke the run's token and release its permit");
export const recordRequest = effect('recordRequest', record, 'Write down what is asked of people');
export const writeRequestComment = effect(
  'writeRequestComment',
  { ...courtesy, scheduleToCloseTimeout: '24 hours' },
  'Write the comment with the question',
);
export const readAnswerComment = effect('readAnswerComment', github, 'Read the answer from GitHub');
export const removeWorkspace = effect(
  'removeWorkspace',
  { ...runtime, scheduleToCloseTimeout: '24 hours' },
  'Remove the workspace',
);

export const awaitAgent = effect('awaitAgent', agent, 'The agent works');
