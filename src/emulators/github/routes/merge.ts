/** Merges pull requests, and their base branches into them, with real commits made by git. */
import { Hono } from 'hono';
import { GitHubError } from '../errors.ts';
import { commitTree, isAncestor, mergeTrees, rebaseCommits, updateRefs } from '../git/bare.ts';
import { jsonBody, requireAccount, requirePull, requireRepo, type EmulatorEnv } from '../http.ts';
import type { PullRow, RepoRow, UserRow } from '../rows.ts';
import type { Emulator } from '../emulator.ts';

const METHODS = { merge: 'allow_merge_commit', squash: 'allow_squash_merge', rebase: 'allow_rebase_merge' } as const;
type Method = keyof typeof METHODS;

/** `PUT …/merge` with or without a body, and `PUT …/update-branch`. */
export function mergeRoutes(emulator: Emulator): Hono<EmulatorEnv> {
  const { rows, mirror, pulls } = emulator;
  const app = new Hono<EmulatorEnv>().basePath('/repos/:owner/:repo/pulls/:number{[0-9]+}');

  app.put('/merge', async (c) => {
    const repo = requireRepo(c, emulator, 'write');
    const account = requireAccount(c);
    const pull = requirePull(c, emulator, repo);
    const { merge_method = 'merge', sha, commit_title, commit_message } = await jsonBody(c);
    const method = methodOf(merge_method, repo);
    if (pull.state === 'closed' || pull.draft) throw new GitHubError(405, 'Pull Request is not mergeable');
    if (typeof sha === 'string' && sha !== pull.head_sha)
      throw new GitHubError(409, 'Head branch was modified. Review and try the merge again.');
    const message = messageFor(method, repo, pull, commit_title, commit_message);
    const commit = await mergeCommit(emulator, repo, pull, method, message, account);
    if (!commit) throw new GitHubError(405, 'Pull Request is not mergeable');
    await updateRefs(mirror.directory(repo), [{ ref: `refs/heads/${pull.base_ref}`, after: commit }]);
    await pulls.merged(repo, pull, commit, account);
    await pulls.followGit(repo, account);
    if (rows.repos.get(repo.id)?.delete_branch_on_merge) await pulls.moveBranch(repo, pull.head_ref, null, account);
    return c.json({ sha: commit, merged: true, message: 'Pull Request successfully merged' });
  });
  app.put('/update-branch', async (c) => {
    const repo = requireRepo(c, emulator, 'write');
    const account = requireAccount(c);
    const pull = requirePull(c, emulator, repo);
    const { expected_head_sha } = await jsonBody(c);
    if (expected_head_sha !== undefined && expected_head_sha !== pull.head_sha)
      throw new GitHubError(422, 'expected_head_sha does not match');
    const directory = mirror.directory(repo);
    const base = pulls.branchSha(repo, pull.base_ref) ?? pull.base_sha;
    const tree = await mergeTrees(directory, pull.head_sha, base);
    if (!tree) throw new GitHubError(422, 'merge conflict between base and head');
    if (!(await isAncestor(directory, base, pull.head_sha))) {
      const message = `Merge branch '${pull.base_ref}' into ${pull.head_ref}`;
      const commit = await commitTree(directory, tree, [pull.head_sha, base], message, account);
      await pulls.moveBranch(repo, pull.head_ref, commit, account);
    }
    const url = `${emulator.baseUrl}/repos/${repo.full_name}/pulls/${pull.number}`;
    return c.json({ message: 'Updating pull request branch.', url }, 202);
  });
  return app;
}

function methodOf(wanted: unknown, repo: RepoRow): Method {
  const method = wanted as Method;
  if (!(method in METHODS)) throw new GitHubError(422, `${String(wanted)} is not a merge method`);
  if (!repo[METHODS[method]]) throw new GitHubError(405, `${method} merges are not allowed on this repository.`);
  return method;
}

/** The commit to move the base branch to, or `undefined` when there are conflicts. */
async function mergeCommit(
  { mirror, pulls }: Emulator,
  repo: RepoRow,
  pull: PullRow,
  method: Method,
  message: string,
  by: UserRow,
): Promise<string | undefined> {
  const directory = mirror.directory(repo);
  const base = pulls.branchSha(repo, pull.base_ref) ?? pull.base_sha;
  if (method === 'rebase') return rebaseCommits(directory, base, pull.head_sha, by);
  const tree = await mergeTrees(directory, base, pull.head_sha);
  return tree && commitTree(directory, tree, method === 'merge' ? [base, pull.head_sha] : [base], message, by);
}

function messageFor(method: Method, repo: RepoRow, pull: PullRow, title: unknown, text: unknown): string {
  const owner = repo.full_name.split('/')[0];
  const plain =
    method === 'merge'
      ? `Merge pull request #${pull.number} from ${owner}/${pull.head_ref}`
      : `${pull.title} (#${pull.number})`;
  const body = typeof text === 'string' ? text : method === 'merge' ? pull.title : '';
  return `${typeof title === 'string' && title !== '' ? title : plain}${body ? `\n\n${body}` : ''}`;
}
