/** An issue as it is shown, and what it leaves to the one that is reopened. */
import type { IssueRow } from './effects.ts';
import { issueKey } from './facts.ts';
import type { PriorIssueState } from './gates.ts';
import { waitsFor, type IssueState } from './state.ts';

export function rowOf(state: IssueState, now: string): IssueRow {
  const { issue } = state;
  return {
    key: issueKey(issue),
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
    past: priorOf(state),
    revision: state.revision,
    updatedAt: now,
  };
}

function priorOf({
  done,
  branch,
  pullRequest,
  last,
  asked,
  takenEvents,
  refusedEvents,
}: IssueState): PriorIssueState | null {
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
): Pick<PriorIssueState, 'taken' | 'refused'> {
  const found = Object.entries(clicks).filter(([subject]) => isOnPullRequest(subject));
  return found.length === 0 ? {} : { [name]: Object.fromEntries(found) };
}

/** `need:reviewer #13`: the label and the pull request that it is on (facts.ts). */
function isOnPullRequest(subject: string): boolean {
  return / #\d+$/.test(subject);
}
