/** Pull requests, computed from the real contents of their branches. */
import { Hono } from 'hono';
import { mayAct } from '../access.ts';
import { GitHubError, invalid } from '../errors.ts';
import { diffText } from '../git/bare.ts';
import {
  jsonBody,
  pageOf,
  requireAccount,
  requirePull,
  requireRepo,
  type EmulatorContext,
  type EmulatorEnv,
} from '../http.ts';
import { recordIssueEvent } from '../issue-events.ts';
import type { NewRow } from '../store/collection.ts';
import type { IssueRow, PullRow, RepoRow, UserRow } from '../rows.ts';
import type { Emulator } from '../emulator.ts';

/** Create, change, files, commits and the diff; emulate lists and shows them. */
export function pullRoutes(emulator: Emulator): Hono<EmulatorEnv> {
  const { rows, show, pulls, events, mirror, api } = emulator;
  const app = new Hono<EmulatorEnv>().basePath('/repos/:owner/:repo/pulls');

  app.post('/', async (c) => {
    const repo = requireRepo(c, emulator, 'read');
    const account = requireAccount(c);
    const wanted = await pullFrom(c, emulator, repo);
    if (!mayAct(rows, account, repo, 'write'))
      throw new GitHubError(403, 'Resource not accessible: write permission is required');
    const row = insertPull(emulator, repo, account, wanted);
    await pulls.refresh(repo, row);
    if (rows.pullRequests.get(row.id)?.commits === 0) {
      rows.pullRequests.delete(row.id);
      rows.issues.delete(rows.issues.findBy('repo_id', repo.id).find((issue) => issue.number === row.number)?.id ?? 0);
      throw invalid('PullRequest', 'base', 'custom', `No commits between ${wanted.base_ref} and ${wanted.head_ref}`);
    }
    rows.repos.update(repo.id, { open_issues_count: repo.open_issues_count + 1 });
    events.emit({ event: 'pull_request', action: 'opened', repo, sender: account, pull: row.number });
    return c.json(await show.pull(repo, row.number), 201);
  });
  app.patch('/:number{[0-9]+}', async (c) => {
    const repo = requireRepo(c, emulator, 'read');
    const account = requireAccount(c);
    const before = requirePull(c, emulator, repo);
    if (account.id !== before.user_id && !mayAct(rows, account, repo, 'write'))
      throw new GitHubError(403, 'Must have write access');
    const body = await jsonBody(c);
    if (before.merged && body['state'] === 'open')
      throw invalid('PullRequest', 'state', 'invalid', 'state cannot be changed. The pull request is merged.');
    const answer = await api.send('PATCH', `/repos/${repo.full_name}/pulls/${before.number}`, body, account);
    if (!answer.ok) return answer;
    const after = rows.pullRequests.get(before.id) ?? before;
    if (after.state !== before.state)
      recordIssueEvent(rows, repo, after.number, after.state === 'open' ? 'reopened' : 'closed', account);
    if (after.state === 'open') {
      const head_sha = pulls.branchSha(repo, after.head_ref) ?? after.head_sha;
      await pulls.refresh(repo, rows.pullRequests.update(after.id, { head_sha }) ?? after);
    }
    return c.json(await show.pull(repo, after.number));
  });
  app.get('/:number{[0-9]+}', async (c, next) => {
    if (!/\b(diff|patch)\b/.test(c.req.header('accept') ?? '')) return next();
    const repo = requireRepo(c, emulator, 'read');
    const pull = requirePull(c, emulator, repo);
    return c.text(await diffText(mirror.directory(repo), pull.base_sha, pull.head_sha));
  });
  app.get('/:number{[0-9]+}/merge', (c) => {
    const { merged } = requirePull(c, emulator, requireRepo(c, emulator, 'read'));
    return c.body(null, merged ? 204 : 404);
  });
  app.get('/:number{[0-9]+}/:part{files|commits}', async (c) => {
    const repo = requireRepo(c, emulator, 'read');
    const pull = requirePull(c, emulator, repo);
    const compared = await show.read(repo, `/compare/${pull.base_sha}...${pull.head_sha}`);
    return c.json(pageOf(c, (compared?.[c.req.param('part')] ?? []) as unknown[]));
  });
  return app;
}

type WantedPull = Pick<PullRow, 'title' | 'body' | 'draft' | 'head_ref' | 'head_sha' | 'base_ref' | 'base_sha'>;

/** Validates the request to create a pull request. */
async function pullFrom(c: EmulatorContext, { rows, pulls }: Emulator, repo: RepoRow): Promise<WantedPull> {
  const { title, body, draft, head, base } = await jsonBody(c);
  if (typeof title !== 'string' || title.trim() === '') throw invalid('PullRequest', 'title', 'missing_field');
  if (typeof head !== 'string' || typeof base !== 'string') throw invalid('PullRequest', 'head', 'missing_field');
  const [owner] = repo.full_name.split('/');
  const head_ref = head.startsWith(`${owner}:`) ? head.slice(`${owner}:`.length) : head;
  const head_sha = pulls.branchSha(repo, head_ref);
  const base_sha = pulls.branchSha(repo, base);
  if (!head_sha) throw invalid('PullRequest', 'head');
  if (!base_sha) throw invalid('PullRequest', 'base');
  const open = rows.pullRequests.findBy('repo_id', repo.id).filter((pull) => pull.state === 'open');
  if (open.some((pull) => pull.head_ref === head_ref && pull.base_ref === base)) {
    throw invalid('PullRequest', 'head', 'custom', `A pull request already exists for ${owner}:${head_ref}.`);
  }
  const text = typeof body === 'string' ? body : null;
  return { title: title.trim(), body: text, draft: draft === true, head_ref, head_sha, base_ref: base, base_sha };
}

function insertPull({ rows }: Emulator, repo: RepoRow, by: UserRow, wanted: WantedPull): PullRow {
  const numbers = [...rows.issues.findBy('repo_id', repo.id), ...rows.pullRequests.findBy('repo_id', repo.id)].map(
    (row) => row.number,
  );
  const number = Math.max(0, ...numbers) + 1;
  const shared = {
    number,
    repo_id: repo.id,
    state: 'open',
    locked: false,
    user_id: by.id,
    assignee_ids: [],
    label_ids: [],
  } as const;
  const unset = { milestone_id: null, comments: 0, closed_at: null };
  const issue: NewRow<IssueRow> = {
    ...shared,
    ...unset,
    assignee_ids: [],
    label_ids: [],
    node_id: Buffer.from(`0:Issue${repo.id}/${number}`).toString('base64url'),
    title: wanted.title,
    body: wanted.body,
    state_reason: null,
    active_lock_reason: null,
    closed_by_id: null,
    is_pull_request: true,
  };
  rows.issues.insert(issue);
  return rows.pullRequests.insert({
    ...shared,
    ...unset,
    ...wanted,
    assignee_ids: [],
    label_ids: [],
    node_id: Buffer.from(`0:PullRequest${repo.id}/${number}`).toString('base64url'),
    head_repo_id: repo.id,
    base_repo_id: repo.id,
    merged: false,
    merged_at: null,
    merged_by_id: null,
    merge_commit_sha: null,
    mergeable: null,
    mergeable_state: 'unknown',
    review_comments: 0,
    commits: 0,
    additions: 0,
    deletions: 0,
    changed_files: 0,
    requested_reviewer_ids: [],
    requested_team_ids: [],
    auto_merge: null,
  });
}
