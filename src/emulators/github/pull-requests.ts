/** Updates pull requests, and the issues that they close, when refs move and when they are merged. */
import type { EmulatedApi } from './emulate.ts';
import { diffSize, isAncestor, keepPullHead, mergeTrees, updateRefs, type RefChange } from './git/bare.ts';
import type { GitMirror } from './git/mirror.ts';
import { describePush } from './git/push-event.ts';
import { recordIssueEvent } from './issue-events.ts';
import type { PullRow, RepoRow, Rows, UserRow } from './rows.ts';
import type { EventQueue } from './webhooks/events.ts';

const HEADS = 'refs/heads/';
const CLOSING =
  /\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+(?:(?:([\w.-]+\/[\w.-]+))?#|GH-|https?:\/\/[^/\s]+\/([\w.-]+\/[\w.-]+)\/issues\/)(\d+)\b/gi;

/** Keeps pull requests in step with their branches. */
export class PullRequests {
  readonly #rows: Rows;
  readonly #mirror: GitMirror;
  readonly #events: EventQueue;
  readonly #api: EmulatedApi;
  readonly #baseUrl: string;

  constructor(rows: Rows, mirror: GitMirror, events: EventQueue, api: EmulatedApi, baseUrl: string) {
    this.#rows = rows;
    this.#mirror = mirror;
    this.#events = events;
    this.#api = api;
    this.#baseUrl = baseUrl;
  }

  /** Emits webhook events for refs that moved, and updates the pull requests of these refs. */
  async refsMoved(changes: readonly RefChange[], by: UserRow): Promise<void> {
    for (const change of changes) {
      const repo = this.#rows.repos.get(change.repoId);
      if (!repo) continue;
      const messages = await this.#announce(repo, change, by);
      if (!change.ref.startsWith(HEADS)) continue;
      const branch = change.ref.slice(HEADS.length);
      if (branch === repo.default_branch && change.before !== null)
        for (const number of closedIssues(repo, messages.join('\n\n'))) await this.#closeIssue(repo, number, by);
      const open = this.#rows.pullRequests.findBy('repo_id', repo.id).filter((pull) => pull.state === 'open');
      for (const pull of open) {
        if (pull.head_ref === branch) await this.#headMoved(repo, pull, change, by);
        else if (pull.base_ref === branch) await this.#baseMoved(repo, pull, change, by);
      }
    }
  }

  /** Reads size and mergeability of a pull request from git again. */
  async refresh(repo: RepoRow, pull: PullRow): Promise<void> {
    const directory = this.#mirror.directory(repo);
    const base = this.branchSha(repo, pull.base_ref);
    if (base === undefined) return;
    const size = await diffSize(directory, base, pull.head_sha);
    const mergeable = (await mergeTrees(directory, base, pull.head_sha)) !== undefined;
    const mergeable_state = pull.draft ? 'draft' : mergeable ? 'clean' : 'dirty';
    this.#rows.pullRequests.update(pull.id, { base_sha: base, ...size, mergeable, mergeable_state });
    await keepPullHead(directory, pull.number, pull.head_sha);
  }

  /** Closes a pull request as merged, with the issues its description says it closes. */
  async merged(repo: RepoRow, pull: PullRow, commit: string, by: UserRow): Promise<void> {
    const now = new Date().toISOString();
    const merge = { merged: true, merged_at: now, merged_by_id: by.id, merge_commit_sha: commit };
    this.#close(repo, pull, by, now, { ...merge, mergeable: null, mergeable_state: 'unknown' });
    recordIssueEvent(this.#rows, repo, pull.number, 'merged', by, { commit_id: commit });
    recordIssueEvent(this.#rows, repo, pull.number, 'closed', by, { commit_id: commit });
    this.#events.emit({ event: 'pull_request', action: 'closed', repo, sender: by, pull: pull.number });
    if (pull.base_ref !== repo.default_branch) return;
    for (const number of closedIssues(repo, pull.body ?? '')) await this.#closeIssue(repo, number, by);
  }

  /** Moves a branch in git, or (with `null`) removes it, and updates what depends on it. */
  async moveBranch(repo: RepoRow, branch: string, after: string | null, by: UserRow): Promise<void> {
    await updateRefs(this.#mirror.directory(repo), [{ ref: HEADS + branch, after }]);
    await this.followGit(repo, by);
  }

  /** Reads the refs that git has now, and updates what depends on them. */
  async followGit(repo: RepoRow, by: UserRow): Promise<void> {
    await this.refsMoved(await this.#mirror.pull(repo), by);
  }

  branchSha(repo: RepoRow, branch: string): string | undefined {
    return this.#rows.refs.findBy('repo_id', repo.id).find((row) => row.ref === HEADS + branch)?.sha;
  }

  /** Returns the messages of the new commits. */
  async #announce(repo: RepoRow, change: RefChange, sender: UserRow): Promise<string[]> {
    const [, kind, name] = /^refs\/(heads|tags)\/(.+)$/.exec(change.ref) ?? [];
    const ref_type = kind === 'heads' ? 'branch' : 'tag';
    const described = {
      ref: name,
      ref_type,
      pusher_type: 'user',
      master_branch: repo.default_branch,
      description: null,
    };
    if (name && change.before === null) this.#events.emit({ event: 'create', repo, sender, extra: described });
    if (name && change.after === null) this.#events.emit({ event: 'delete', repo, sender, extra: described });
    const extra = await describePush(this.#mirror.directory(repo), repo, change, sender, this.#baseUrl);
    this.#events.emit({ event: 'push', repo, sender, extra });
    return (extra['commits'] as { readonly message: string }[]).map(({ message }) => message);
  }

  async #headMoved(repo: RepoRow, pull: PullRow, { before, after }: RefChange, by: UserRow): Promise<void> {
    if (after === null) {
      this.#close(repo, pull, by, new Date().toISOString(), {});
      recordIssueEvent(this.#rows, repo, pull.number, 'closed', by);
      this.#events.emit({ event: 'pull_request', action: 'closed', repo, sender: by, pull: pull.number });
      return;
    }
    if (after === pull.head_sha) return;
    const moved = this.#rows.pullRequests.update(pull.id, { head_sha: after });
    if (moved) await this.refresh(repo, moved);
    this.#events.emit({
      event: 'pull_request',
      action: 'synchronize',
      repo,
      sender: by,
      pull: pull.number,
      extra: { before, after },
    });
  }

  /** Marks a pull request as merged when its base branch contains its head, whoever pushed that. */
  async #baseMoved(repo: RepoRow, pull: PullRow, { after }: RefChange, by: UserRow): Promise<void> {
    if (after === null) return;
    if (await isAncestor(this.#mirror.directory(repo), pull.head_sha, after)) await this.merged(repo, pull, after, by);
    else await this.refresh(repo, pull);
  }

  #close(repo: RepoRow, pull: PullRow, by: UserRow, now: string, more: Partial<PullRow>): void {
    this.#rows.pullRequests.update(pull.id, { state: 'closed', closed_at: now, ...more });
    const issue = this.#rows.issues.findBy('repo_id', repo.id).find((row) => row.number === pull.number);
    if (issue) this.#rows.issues.update(issue.id, { state: 'closed', closed_at: now, closed_by_id: by.id });
    const open_issues_count = Math.max(0, (this.#rows.repos.get(repo.id)?.open_issues_count ?? 1) - 1);
    this.#rows.repos.update(repo.id, { open_issues_count });
  }

  async #closeIssue(repo: RepoRow, number: number, by: UserRow): Promise<void> {
    const issue = this.#rows.issues.findBy('repo_id', repo.id).find((row) => row.number === number);
    if (!issue || issue.is_pull_request || issue.state === 'closed') return;
    await this.#api.send(
      'PATCH',
      `/repos/${repo.full_name}/issues/${number}`,
      { state: 'closed', state_reason: 'completed' },
      by,
    );
  }
}

/** The issues of this repository that a description closes when it is merged, or a message when it is on the default branch. */
function closedIssues(repo: RepoRow, body: string): number[] {
  const named = [...body.matchAll(CLOSING)].filter(
    ([, short, long]) => (short ?? long ?? repo.full_name) === repo.full_name,
  );
  return [...new Set(named.map(([, , , number]) => Number(number)))];
}
