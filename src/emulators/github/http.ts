/** Request handling that the emulator's routes share: account, repository, body and pages. */
import type { Context } from 'hono';
import { mayAct, type Role } from './access.ts';
import { GitHubError, notFound } from './errors.ts';
import type { IssueRow, PullRow, RepoRow, UserRow } from './rows.ts';
import type { Emulator } from './emulator.ts';

export interface EmulatorEnv {
  Variables: { account: UserRow | undefined };
}

export type EmulatorContext = Context<EmulatorEnv>;

/** The account of a request; 401 without one. */
export function requireAccount(c: EmulatorContext): UserRow {
  const account = c.get('account');
  if (!account) throw new GitHubError(401, 'Requires authentication');
  return account;
}

/** The repository of the path, if the account may act on it in a role; 404 for one that it may not see. */
export function requireRepo(c: EmulatorContext, { rows }: Emulator, role: Role): RepoRow {
  const repo = rows.repos.findOneBy('full_name', `${c.req.param('owner')}/${c.req.param('repo')}`);
  const account = c.get('account');
  if (!repo || !mayAct(rows, account, repo, 'read')) throw notFound();
  if (mayAct(rows, account, repo, role)) return repo;
  if (!account) throw new GitHubError(401, 'Requires authentication');
  throw new GitHubError(403, 'Resource not accessible: a higher permission is required');
}

export function requirePull(c: EmulatorContext, { rows }: Emulator, repo: RepoRow): PullRow {
  const number = Number(c.req.param('number'));
  const pull = rows.pullRequests.findBy('repo_id', repo.id).find((row) => row.number === number);
  if (!pull) throw notFound();
  return pull;
}

export function requireIssue(c: EmulatorContext, { rows }: Emulator, repo: RepoRow): IssueRow {
  const number = Number(c.req.param('number'));
  const issue = rows.issues.findBy('repo_id', repo.id).find((row) => row.number === number);
  if (!issue) throw notFound();
  return issue;
}

/** The JSON object of a request; an absent body is an empty one. */
export async function jsonBody(c: EmulatorContext): Promise<Record<string, unknown>> {
  const text = await c.req.text();
  if (text.trim() === '') return {};
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Record<string, unknown>) : {};
  } catch {
    throw new GitHubError(400, 'Problems parsing JSON');
  }
}

/** One page of a list, with GitHub's Link header set. */
export function pageOf<T>(c: EmulatorContext, list: readonly T[]): T[] {
  const count = (name: string, otherwise: number): number =>
    Math.max(1, Number.parseInt(c.req.query(name) ?? '', 10) || otherwise);
  const [page, perPage] = [count('page', 1), Math.min(100, count('per_page', 30))];
  const last = Math.max(1, Math.ceil(list.length / perPage));
  const link = (target: number, rel: string): string => {
    const url = new URL(c.req.url);
    url.searchParams.set('page', String(target));
    url.searchParams.set('per_page', String(perPage));
    return `<${url.href}>; rel="${rel}"`;
  };
  const links = [
    ...(page > 1 ? [link(page - 1, 'prev'), link(1, 'first')] : []),
    ...(page < last ? [link(page + 1, 'next'), link(last, 'last')] : []),
  ];
  if (links.length > 0) c.header('Link', links.join(', '));
  return list.slice((page - 1) * perPage, page * perPage);
}
