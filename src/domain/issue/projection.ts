/** An issue's row in the read model, and what a closed issue leaves to the one that is reopened. */
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
  branchPrefix,
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
    ...(branchPrefix === undefined ? {} : { branchPrefix }),
    pullRequest,
    last,
    asked,
    ...onPullRequests('taken', takenEvents),
    ...onPullRequests('refused', refusedEvents),
  };
}

/** The events processed for labels on pull requests, if any. */
function onPullRequests(
  name: 'taken' | 'refused',
  events: IssueState['takenEvents'],
): Pick<PriorIssueState, 'taken' | 'refused'> {
  const found = Object.entries(events).filter(([subject]) => isOnPullRequest(subject));
  return found.length === 0 ? {} : { [name]: Object.fromEntries(found) };
}

/** True for a subject such as `need:reviewer #13`: a label on a pull request (facts.ts). */
function isOnPullRequest(subject: string): boolean {
  return / #\d+$/.test(subject);
}
