/** The history of an issue or pull request: `labeled`, `closed`, `merged` and the like, each with an id of its own. */
import type { IssueEventRow, RepoRow, Rows, UserRow } from './rows.ts';

/** Adds one entry to an issue's history. */
export function recordIssueEvent(
  rows: Rows,
  repo: RepoRow,
  number: number,
  event: string,
  actor: UserRow,
  more: Partial<IssueEventRow> = {},
): IssueEventRow {
  return rows.issueEvents.insert({
    node_id: Buffer.from(`0:IssueEvent${repo.id}/${number}/${event}`).toString('base64url'),
    repo_id: repo.id,
    issue_number: number,
    event,
    actor_id: actor.id,
    commit_id: null,
    commit_url: null,
    label_name: null,
    assignee_id: null,
    milestone_title: null,
    rename: null,
    ...more,
  });
}
