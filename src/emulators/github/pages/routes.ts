/** Pages to open in a browser: a repository, an issue, a pull request. */
import { Hono, type Context } from 'hono';
import { html } from 'hono/html';
import { HTTPException } from 'hono/http-exception';
import { mayAct } from '../access.ts';
import { notFound } from '../errors.ts';
import { diffText } from '../git/bare.ts';
import type { EmulatorEnv } from '../http.ts';
import type { CommentRow, IssueRow, LabelRow, RepoRow } from '../rows.ts';
import type { Emulator } from '../emulator.ts';
import { page, type Html } from './layout.ts';

/** Shows an account what the API would show it; a browser is asked for a token where a repository is private. */
export function pageRoutes({ rows, mirror }: Emulator): Hono<EmulatorEnv> {
  const app = new Hono<EmulatorEnv>();

  const login = (id: number): string => rows.users.get(id)?.login ?? 'ghost';
  const repoOf = (c: Context<EmulatorEnv>): RepoRow | undefined => {
    const repo = rows.repos.findOneBy('full_name', `${c.req.param('owner')}/${c.req.param('repo')}`);
    if (repo && !mayAct(rows, c.get('account'), repo, 'read')) throw signIn();
    return repo;
  };
  const issueOf = (c: Context, repo: RepoRow): IssueRow => {
    const issue = rows.issues.findBy('repo_id', repo.id).find((row) => row.number === Number(c.req.param('number')));
    if (!issue) throw notFound();
    return issue;
  };
  const labels = ({ label_ids }: IssueRow): Html[] =>
    label_ids
      .flatMap((id) => rows.labels.get(id) ?? [])
      .map(({ name, color }: LabelRow) => html`<span class="label" style="background:#${color}55">${name}</span> `);
  const conversation = (repo: RepoRow, issue: IssueRow): Html[] => {
    const comments = rows.comments
      .findBy('repo_id', repo.id)
      .filter((row) => row.issue_number === issue.number || row.pull_number === issue.number);
    const reviews = rows.reviews
      .findBy('repo_id', repo.id)
      .filter((row) => row.pull_number === issue.number && row.body);
    const said = [
      ...comments.map((row) => ({ row, where: locationLabel(row), text: row.body, anchor: `issuecomment-${row.id}` })),
      ...reviews.map((row) => ({
        row,
        where: row.state.toLowerCase().replace('_', ' '),
        text: row.body ?? '',
        anchor: `pullrequestreview-${row.id}`,
      })),
    ].toSorted((left, right) => left.row.created_at.localeCompare(right.row.created_at));
    return said.map(({ row, where, text, anchor }) =>
      post(anchor, `${login(row.user_id)} ${where}`, row.created_at, text),
    );
  };
  const heading = (repo: RepoRow, issue: IssueRow): Html => html`
    <p><a href="/${repo.full_name}">${repo.full_name}</a></p>
    <h1>${issue.title} <small>#${issue.number}</small></h1>
    <p>
      <span class="state ${issue.state}">${issue.state}</span>
      <span class="muted">by ${login(issue.user_id)}</span> ${labels(issue)}
    </p>
    ${post('description', login(issue.user_id), issue.created_at, issue.body ?? 'No description.')}
  `;

  app.get('/:owner/:repo', (c, next) => {
    const repo = repoOf(c);
    if (!repo) return next();
    const list = (title: string, issues: IssueRow[]): Html => html`
      <h2>${title}</h2>
      <ul>
        ${issues.toReversed().map((issue) => html`<li><span class="state ${issue.state}">${issue.state}</span> <a href="${path(repo, issue)}">#${issue.number} ${issue.title}</a> ${labels(issue)}</li>`)}
      </ul>
    `;
    const all = rows.issues.findBy('repo_id', repo.id);
    const branches = rows.branches.findBy('repo_id', repo.id);
    return c.html(
      page(
        repo.full_name,
        html`
          <h1>${repo.full_name}</h1>
          <pre>git clone ${new URL(c.req.url).origin}/${repo.full_name}.git</pre>
          ${list(
            'Issues',
            all.filter((issue) => !issue.is_pull_request),
          )}
          ${list(
            'Pull requests',
            all.filter((issue) => issue.is_pull_request),
          )}
          <h2>Branches</h2>
          <ul>
            ${branches.map(({ name, sha }) => html`<li>${name} <span class="muted">${sha.slice(0, 10)}</span></li>`)}
          </ul>
        `,
      ),
    );
  });
  app.get('/:owner/:repo/issues/:number{[0-9]+}', (c, next) => {
    const repo = repoOf(c);
    if (!repo) return next();
    const issue = issueOf(c, repo);
    if (issue.is_pull_request) return c.redirect(path(repo, issue));
    return c.html(page(`${issue.title} #${issue.number}`, [heading(repo, issue), ...conversation(repo, issue)]));
  });
  app.get('/:owner/:repo/pull/:number{[0-9]+(\\.diff)?}', async (c, next) => {
    const repo = repoOf(c);
    if (!repo) return next();
    const number = Number.parseInt(c.req.param('number'), 10);
    const pull = rows.pullRequests.findBy('repo_id', repo.id).find((row) => row.number === number);
    const issue = rows.issues.findBy('repo_id', repo.id).find((row) => row.number === number);
    if (!pull || !issue) throw notFound();
    const diff = await diffText(mirror.directory(repo), pull.base_sha, pull.head_sha);
    if (c.req.param('number').endsWith('.diff')) return c.text(diff);
    const fate = pull.merged ? 'merged' : pull.mergeable === false ? 'has conflicts' : pull.state;
    const branches = html`<p class="muted">
      ${pull.head_ref} into ${pull.base_ref}: ${pull.commits} commits, +${pull.additions} −${pull.deletions}, ${fate}
    </p>`;
    const changes = html`<h2>Changes</h2>
      <article><pre class="diff">${diff.split('\n').map(diffLine)}</pre></article>`;
    return c.html(
      page(`${pull.title} #${pull.number}`, [heading(repo, issue), branches, ...conversation(repo, issue), changes]),
    );
  });
  return app;
}

function signIn(): HTTPException {
  const headers = { 'WWW-Authenticate': 'Basic realm="GitHub"' };
  return new HTTPException(401, {
    res: new Response('Sign in with a token as the password.\n', { status: 401, headers }),
  });
}

function path(repo: RepoRow, issue: IssueRow): string {
  return `/${repo.full_name}/${issue.is_pull_request ? 'pull' : 'issues'}/${issue.number}`;
}

function locationLabel(comment: CommentRow): string {
  return comment.path === null ? 'commented' : `on ${comment.path}${comment.line === null ? '' : `:${comment.line}`}`;
}

function post(anchor: string, who: string, when: string, text: string): Html {
  return html`<article id="${anchor}">
    <header>${who} <span class="muted">${when.slice(0, 16).replace('T', ' ')}</span></header>
    <pre>${text}</pre>
  </article>`;
}

function diffLine(line: string): Html {
  const kind = /^(\+\+\+|---|diff|index|@@)/.test(line)
    ? 'hunk'
    : line.startsWith('+')
      ? 'add'
      : line.startsWith('-')
        ? 'del'
        : '';
  return html`<span class="${kind}">${line} </span>`;
}
