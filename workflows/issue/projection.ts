/** What an issue's workflow shows of itself, and of runs that wait and have no workflow of their own yet. */
import { isCancellation, log } from '@temporalio/workflow';
import type { FlowEventInput } from '../../activities/records/records.ts';
import { issueKey, type IssueRef } from '../../src/domain/issue/facts.ts';
import { waitsFor, type IssueState, type PlannedRun } from '../../src/domain/issue/issue-life.ts';
import type { IssuePast } from '../../src/domain/issue/gates.ts';
import { branchName } from '../../src/domain/issue/names.ts';
import type { UnfinishedOutcome } from '../../src/domain/run/runs.ts';
import {
  commentPlace,
  newStory,
  pagesOf,
  renderStatusComment,
  withOutcome,
  type RunStory,
} from '../../src/domain/messages/status-comment.ts';
import { readSettings, recordIssue, recordRun, writeStatusComment } from '../activities.ts';
import { runRow } from '../run/row.ts';

/** Something that happened; `by` is the login of the person who caused it. */
export type Happening = Pick<FlowEventInput, 'type' | 'payload'> & {
  readonly by?: string;
  readonly runId?: string;
  readonly correlationId?: string;
};

/** Shows the issue in the read model, with what happened. */
export async function showIssue(issue: IssueRef, state: IssueState, happenings: readonly Happening[]): Promise<void> {
  const key = issueKey(issue);
  const now = new Date().toISOString();
  state.revision += 1;
  const { revision, startedAt } = state;
  await recordIssue({
    row: {
      key,
      repositoryId: issue.repositoryId,
      number: issue.number,
      title: state.title,
      url: state.url,
      state: state.active ? 'working' : state.closed ? 'closed' : 'waiting',
      waitingFor: state.closed ? null : waitsFor(state),
      stage: state.active?.target.stage ?? state.last?.stage ?? null,
      activeRunId: state.active?.runId ?? null,
      queued: state.queue.length,
      pullRequest: state.pullRequest?.number ?? null,
      workspace: state.workspace?.name ?? null,
      past: pastOf(state),
      revision,
      updatedAt: now,
    },
    events: happenings.map(({ type, payload, by, runId, correlationId }, index) => ({
      id: `${key}:${startedAt}:${revision}:${index}`,
      chain: key,
      type,
      actorType: by === undefined ? ('system' as const) : ('human' as const),
      actorId: by ?? 'worker',
      runId: runId ?? null,
      correlationId: correlationId ?? null,
      payload,
      occurredAt: now,
    })),
  });
}

/** Shows every run that waits, with its place. */
export async function showQueue(issue: IssueRef, state: IssueState): Promise<void> {
  for (const [index, planned] of state.queue.entries()) {
    state.queue[index] = await showPlanned(issue, state, planned, index + 1);
  }
}

/** Shows a run that waits; returns it with its revision counted on. */
async function showPlanned(
  issue: IssueRef,
  state: IssueState,
  planned: PlannedRun,
  place: number,
): Promise<PlannedRun> {
  const revision = planned.revision + 1;
  await showForRun(issue, state, planned, revision, (story) => ({ ...story, queuePlace: place }));
  return { ...planned, revision };
}

/** Has the last word on a run whose workflow cannot have it: it never began, or was ended from outside. */
export async function showEnded(
  issue: IssueRef,
  state: IssueState,
  planned: PlannedRun,
  outcome: UnfinishedOutcome,
): Promise<void> {
  await showForRun(issue, state, planned, LAST_WORD, (story) => withOutcome(story, outcome, new Date().toISOString()));
}

/** Greater than any revision that a run's own workflow counts to. */
const LAST_WORD = 2_000_000_000;

async function showForRun(
  issue: IssueRef,
  state: IssueState,
  planned: PlannedRun,
  revision: number,
  change: (story: RunStory) => RunStory,
): Promise<void> {
  const settings = await readSettings({ repositoryId: issue.repositoryId });
  const story = change(
    newStory(planned, {
      branch: branchName(issue.number, state.branch ?? 1),
      model: settings.model,
      reasoningEffort: settings.reasoningEffort,
      pullRequest: state.pullRequest,
    }),
  );
  const comment = await writeStatusComment({
    issue: commentPlace(issue, planned, state.pullRequest),
    runId: planned.runId,
    body: renderStatusComment(story, settings.locale, pagesOf(settings.dashboardUrl, issue, planned.runId)),
    commentId: null,
    revision,
  }).catch(leftOut);
  await recordRun({
    row: runRow(issue, planned, story, { revision, threadId: null, statusCommentUrl: comment?.url ?? null }),
    events: [],
  });
}

/** For what is a courtesy: says that it was left out, and goes on. A cancellation is passed on. */
export function leftOut(error: unknown): undefined {
  if (isCancellation(error)) throw error;
  log.warn('left out', { error: String(error) });
  return undefined;
}

/** What the issue goes on with, should it be closed and live again. */
function pastOf({ done, branch, pullRequest, last, asked, takenEvents, refusedEvents }: IssueState): IssuePast | null {
  if (done === null) return null;
  return {
    done,
    branch: branch ?? 1,
    pullRequest,
    last,
    asked,
    ...onPullRequests('taken', takenEvents),
    ...onPullRequests('refused', refusedEvents),
  };
}

/** What is known of clicks on pull requests, if anything. */
function onPullRequests(
  name: 'taken' | 'refused',
  clicks: IssueState['takenEvents'],
): Pick<IssuePast, 'taken' | 'refused'> {
  const found = Object.entries(clicks).filter(([subject]) => isOnPullRequest(subject));
  return found.length === 0 ? {} : { [name]: Object.fromEntries(found) };
}

/** `need:reviewer #13`: the label and the pull request that it is on. */
function isOnPullRequest(subject: string): boolean {
  return / #\d+$/.test(subject);
}
