/** Issues, and pull requests as the issues they also are. */
import { Hono } from 'hono';
import { mayAct } from '../access.ts';
import { GitHubError, notFound } from '../errors.ts';
import {
  jsonBody,
  pageOf,
  requireAccount,
  requireIssue,
  requireRepo,
  type EmulatorContext,
  type EmulatorEnv,
} from '../http.ts';
import { recordIssueEvent } from '../issue-events.ts';
import type { IssueRow, RepoRow, UserRow } from '../rows.ts';
import type { Emulator } from '../emulator.ts';

/** Lists, reads and changes both kinds; emulate's routes support only issues. */
export function issueRoutes(emulator: Emulator): Hono<EmulatorEnv> {
  const { rows, show, api, events } = emulator;
  const app = new Hono<EmulatorEnv>().basePath('/repos/:owner/:repo/issues');

  app.get('/', async (c) => {
    const repo = requireRepo(c, emulator, 'read');
    const page = pageOf(c, sorted(c, rows.issues.findBy('repo_id', repo.id).filter(issueFilter(c, emulator, repo))));
    return c.json(await Promise.all(page.map((issue) => show.issue(repo, issue.number))));
  });
  app.post('/', async (c) => {
    const repo = requireRepo(c, emulator, 'read');
    const account = requireAccount(c);
    const body = await jsonBody(c);
    const assignee = typeof body['assignee'] === 'string' ? { assignees: [body['assignee']] } : {};
    const answer = await api.send(
      'POST',
      `/repos/${repo.full_name}/issues`,
      { ...assignee, ...body, labels: labelNames(body['labels']) },
      account,
    );
    if (!answer.ok) return answer;
    const created = (await answer.json()) as { number: number; labels: { name: string }[] };
    for (const { name } of created.labels) {
      recordIssueEvent(rows, repo, created.number, 'labeled', account, { label_name: name });
      events.emit({ event: 'issues', action: 'labeled', repo, sender: account, issue: created.number, label: name });
    }
    return c.json(created, 201);
  });
  app.get('/:number{[0-9]+}', async (c) => {
    const repo = requireRepo(c, emulator, 'read');
    return c.json(await show.issue(repo, requireIssue(c, emulator, repo).number));
  });
  app.patch('/:number{[0-9]+}', async (c, next) => {
    const repo = requireRepo(c, emulator, 'read');
    const account = requireAccount(c);
    const issue = requireIssue(c, emulator, repo);
    if (account.id !== issue.user_id && !mayAct(rows, account, repo, 'triage'))
      throw new GitHubError(403, 'Must have admin rights to Repository.');
    if (!issue.is_pull_request) {
      const before = { title: issue.title, body: issue.body };
      await next();
      const after = rows.issues.get(issue.id) ?? issue;
      const now = new Date().toISOString();
      if (after.body !== before.body) rows.issues.update(issue.id, { text_edited_at: now });
      if (after.title !== before.title) rows.issues.update(issue.id, { title_edited_at: now });
      return undefined;
    }
    await patchPullAsIssue(emulator, repo, issue, account, await jsonBody(c));
    return c.json(await show.issue(repo, issue.number));
  });
  app.patch('/comments/:comment{[0-9]+}', async (c, next) => {
    const before = rows.comments.get(Number(c.req.param('comment')))?.body;
    await next();
    if (before !== undefined) events.amend('issue_comment', { changes: { body: { from: before } } });
  });
  app.delete('/:number{[0-9]+}/labels', async (c) => {
    const repo = requireRepo(c, emulator, 'read');
    const { number } = requireIssue(c, emulator, repo);
    const answer = await api.send('PUT', `/repos/${repo.full_name}/issues/${number}/labels`, [], requireAccount(c));
    return answer.ok ? c.body(null, 204) : answer;
  });
  app.on(['POST', 'DELETE'], '/:number{[0-9]+}/assignees', async (c, next) => {
    const repo = requireRepo(c, emulator, 'read');
    const issue = requireIssue(c, emulator, repo);
    if (!issue.is_pull_request) return next();
    const ids = accountIds(emulator, (await jsonBody(c))['assignees']);
    const others = issue.assignee_ids.filter((id) => !ids.includes(id));
    assign(emulator, repo, issue, c.req.method === 'POST' ? [...others, ...ids] : others, requireAccount(c));
    return c.json(await show.issue(repo, issue.number), c.req.method === 'POST' ? 201 : 200);
  });
  return app;
}

/** Changes a pull request through the issues API, by means of emulate's routes for pull requests and labels. */
async function patchPullAsIssue(
  { api, ...emulator }: Emulator,
  repo: RepoRow,
  issue: IssueRow,
  account: UserRow,
  body: Record<string, unknown>,
): Promise<void> {
  const { title, body: text, state, labels, assignees } = body;
  const path = `/repos/${repo.full_name}`;
  const fields = Object.fromEntries(
    Object.entries({ title, body: text, state }).filter(([, value]) => value !== undefined),
  );
  if (Object.keys(fields).length > 0) await api.send('PATCH', `${path}/pulls/${issue.number}`, fields, account);
  if (labels !== undefined) await api.send('PUT', `${path}/issues/${issue.number}/labels`, labelNames(labels), account);
  if (assignees !== undefined)
    assign({ api, ...emulator }, repo, issue, accountIds({ api, ...emulator }, assignees), account);
}

function assign({ rows, events, show }: Emulator, repo: RepoRow, issue: IssueRow, ids: number[], by: UserRow): void {
  const pull = rows.pullRequests.findBy('repo_id', repo.id).find((row) => row.number === issue.number);
  if (!pull) throw notFound();
  const emit = (action: string, id: number): void => {
    recordIssueEvent(rows, repo, issue.number, action, by, { assignee_id: id });
    events.emit({
      event: 'pull_request',
      action,
      repo,
      sender: by,
      pull: issue.number,
      extra: { assignee: show.user(id) },
    });
  };
  rows.issues.update(issue.id, { assignee_ids: ids });
  rows.pullRequests.update(pull.id, { assignee_ids: ids });
  for (const id of issue.assignee_ids.filter((before) => !ids.includes(before))) emit('unassigned', id);
  for (const id of ids.filter((after) => !issue.assignee_ids.includes(after))) emit('assigned', id);
}

function accountIds({ rows }: Emulator, logins: unknown): number[] {
  if (!Array.isArray(logins)) return [];
  return [...new Set(logins.flatMap((login) => rows.users.findOneBy('login', login)?.id ?? []))];
}

/** The names of labels that are given as names or as objects with a name. */
function labelNames(labels: unknown): unknown {
  if (!Array.isArray(labels)) return [];
  return labels.map((label: unknown) =>
    typeof label === 'object' && label !== null && 'name' in label ? label.name : label,
  );
}

function issueFilter(c: EmulatorContext, { rows }: Emulator, repo: RepoRow): (issue: IssueRow) => boolean {
  const { state = 'open', labels = '', since, creator, assignee, milestone } = c.req.query();
  const labelIds = labels
    .split(',')
    .filter(Boolean)
    .map((name) => labelId(name.trim()));
  const userId = (login: string): number | undefined => rows.users.findOneBy('login', login)?.id;
  function labelId(name: string): number {
    return rows.labels.findBy('repo_id', repo.id).find((label) => label.name === name)?.id ?? -1;
  }
  const assigned = (issue: IssueRow): boolean => {
    if (assignee === undefined || assignee === '') return true;
    if (assignee === '*' || assignee === 'none') return issue.assignee_ids.length > 0 === (assignee === '*');
    return issue.assignee_ids.includes(userId(assignee) ?? -1);
  };
  const planned = (issue: IssueRow): boolean =>
    milestone === undefined || milestone === '' || (milestone === 'none') === (issue.milestone_id === null);
  return (issue) =>
    (state === 'all' || issue.state === state) &&
    labelIds.every((id) => issue.label_ids.includes(id)) &&
    (since === undefined || Date.parse(issue.updated_at) >= Date.parse(since)) &&
    (creator === undefined || issue.user_id === userId(creator)) &&
    assigned(issue) &&
    planned(issue);
}

function sorted(c: EmulatorContext, issues: readonly IssueRow[]): IssueRow[] {
  const { sort, direction } = c.req.query();
  const key = sort === 'updated' ? 'updated_at' : sort === 'comments' ? 'comments' : 'created_at';
  const sign = direction === 'asc' ? 1 : -1;
  const compare = (left: string | number, right: string | number): number => (left < right ? -1 : left > right ? 1 : 0);
  return issues.toSorted((left, right) => sign * (compare(left[key], right[key]) || left.number - right.number));
}
