/** The objects of webhook payloads, read from the API so that both always agree. */
import { linksOf } from '../corrections.ts';
import type { EmulatedApi } from '../emulate.ts';
import type { IssueRow, RepoRow, Rows, UserRow } from '../rows.ts';

export type Json = Record<string, unknown>;

/** As emulate counts them on issues. */
const NO_REACTIONS = {
  total_count: 0,
  '+1': 0,
  '-1': 0,
  laugh: 0,
  hooray: 0,
  confused: 0,
  heart: 0,
  rocket: 0,
  eyes: 0,
};

/** An account as it appears inside other objects. */
function briefUser(user: UserRow, baseUrl: string): Json {
  return {
    login: user.login,
    id: user.id,
    node_id: user.node_id,
    gravatar_id: '',
    ...linksOf(user.login, baseUrl),
    type: user.type,
    site_admin: false,
    user_view_type: 'public',
  };
}

/** Reads issues, pull requests and labels in the API's format. */
export class Presenter {
  readonly baseUrl: string;
  readonly #api: EmulatedApi;
  readonly #rows: Rows;

  constructor(api: EmulatedApi, rows: Rows, baseUrl: string) {
    this.#api = api;
    this.#rows = rows;
    this.baseUrl = baseUrl;
  }

  user(id: number | null): Json | null {
    const user = id === null ? undefined : this.#rows.users.get(id);
    return user ? briefUser(user, this.baseUrl) : null;
  }

  async read(repo: RepoRow, path: string): Promise<Json | undefined> {
    return this.#api.read(repo, path);
  }

  async repository(repo: RepoRow): Promise<Json | undefined> {
    return this.#api.read(repo, '');
  }

  async pull(repo: RepoRow, number: number): Promise<Json | undefined> {
    return this.#api.read(repo, `/pulls/${number}`);
  }

  async label(repo: RepoRow, name: string): Promise<Json | undefined> {
    return this.#api.read(repo, `/labels/${encodeURIComponent(name)}`);
  }

  /** An issue, or a pull request in the format of an issue. */
  async issue(repo: RepoRow, number: number): Promise<Json | undefined> {
    const row = this.#rows.issues.findBy('repo_id', repo.id).find((issue) => issue.number === number);
    if (!row?.is_pull_request) return this.#api.read(repo, `/issues/${number}`);
    const pull = await this.pull(repo, number);
    return pull && this.#pullAsIssue(repo, row, pull);
  }

  #pullAsIssue(repo: RepoRow, row: IssueRow, pull: Json): Json {
    const repoUrl = `${this.baseUrl}/repos/${repo.full_name}`;
    const url = `${repoUrl}/issues/${row.number}`;
    const {
      number,
      title,
      user,
      labels,
      state,
      locked,
      assignee,
      assignees,
      milestone,
      created_at,
      closed_at,
      body,
      draft,
    } = pull;
    const { url: pullUrl, html_url, diff_url, patch_url, merged_at, author_association } = pull;
    const shared = {
      number,
      title,
      user,
      labels,
      state,
      locked,
      assignee,
      assignees,
      milestone,
      created_at,
      closed_at,
      body,
      draft,
    };
    return {
      ...shared,
      id: row.id,
      node_id: row.node_id,
      url,
      repository_url: repoUrl,
      labels_url: `${url}/labels{/name}`,
      comments_url: `${url}/comments`,
      events_url: `${url}/events`,
      timeline_url: `${url}/timeline`,
      html_url,
      author_association,
      comments: row.comments,
      updated_at: row.updated_at,
      state_reason: null,
      active_lock_reason: row.active_lock_reason,
      reactions: { url: `${url}/reactions`, ...NO_REACTIONS },
      closed_by: this.user(row.closed_by_id),
      pull_request: { url: pullUrl, html_url, diff_url, patch_url, merged_at },
    };
  }
}
