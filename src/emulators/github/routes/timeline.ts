/** The history of an issue or pull request: its events, and its timeline with the comments and reviews between them. */
import { Hono } from 'hono';
import { notFound } from '../errors.ts';
import { pageOf, requireIssue, requireRepo, type EmulatorEnv } from '../http.ts';
import type { IssueEventRow, IssueRow, RepoRow } from '../rows.ts';
import type { Emulator } from '../emulator.ts';
import type { Json } from '../webhooks/payload.ts';

/** emulate records these, GitHub does not. */
const UNLISTED = new Set(['opened', 'edited']);

/** Events by ascending id; the timeline by time. */
export function timelineRoutes(emulator: Emulator): Hono<EmulatorEnv> {
  const { rows, show } = emulator;
  const app = new Hono<EmulatorEnv>().basePath('/repos/:owner/:repo/issues');

  const shown = (repo: RepoRow, row: IssueEventRow): Json => {
    const { id, node_id, event, actor_id, commit_id, created_at, label_name, assignee_id, milestone_title } = row;
    const label = rows.labels.findBy('repo_id', repo.id).find(({ name }) => name === label_name);
    return {
      id,
      node_id,
      event,
      commit_id,
      commit_url: row.commit_url,
      created_at,
      performed_via_github_app: null,
      url: `${show.baseUrl}/repos/${repo.full_name}/issues/events/${id}`,
      actor: show.user(actor_id),
      ...(label_name !== null && {
        label: {
          name: label_name,
          color: label?.color ?? 'ededed',
        },
      }),
      ...(assignee_id !== null && {
        assignee: show.user(assignee_id),
        assigner: show.user(actor_id),
      }),
      ...(milestone_title !== null && { milestone: { title: milestone_title } }),
      ...(row.rename !== null && { rename: row.rename }),
    };
  };
  const eventsOf = (repo: RepoRow, issue?: IssueRow): IssueEventRow[] =>
    rows.issueEvents
      .findBy('repo_id', repo.id)
      .filter((row) => !UNLISTED.has(row.event) && (issue === undefined || row.issue_number === issue.number))
      .toSorted((left, right) => left.id - right.id);
  const discussion = async (repo: RepoRow, { number }: IssueRow): Promise<Json[]> => {
    const comments = rows.comments
      .findBy('repo_id', repo.id)
      .filter((row) => row.comment_type === 'issue' && row.issue_number === number);
    const reviews = rows.reviews
      .findBy('repo_id', repo.id)
      .filter((row) => row.pull_number === number && row.submitted_at !== null);
    return Promise.all([
      ...comments.map(async ({ id, user_id }) => ({
        ...(await show.read(repo, `/issues/comments/${id}`)),
        event: 'commented',
        actor: show.user(user_id),
      })),
      ...reviews.map(async ({ id, state, created_at }) => ({
        ...(await show.read(repo, `/pulls/${number}/reviews/${id}`)),
        event: 'reviewed',
        state: state.toLowerCase(),
        created_at,
      })),
    ]);
  };

  app.get('/:number{[0-9]+}/events', (c) => {
    const repo = requireRepo(c, emulator, 'read');
    return c.json(pageOf(c, eventsOf(repo, requireIssue(c, emulator, repo))).map((row) => shown(repo, row)));
  });
  app.get('/:number{[0-9]+}/timeline', async (c) => {
    const repo = requireRepo(c, emulator, 'read');
    const issue = requireIssue(c, emulator, repo);
    const entries = [...eventsOf(repo, issue).map((row) => shown(repo, row)), ...(await discussion(repo, issue))];
    return c.json(
      pageOf(
        c,
        entries.toSorted((left, right) => String(left['created_at']).localeCompare(String(right['created_at']))),
      ),
    );
  });
  app.get('/events', async (c) => {
    const repo = requireRepo(c, emulator, 'read');
    const page = pageOf(c, eventsOf(repo).toReversed());
    return c.json(
      await Promise.all(
        page.map(async (row) => ({ ...shown(repo, row), issue: await show.issue(repo, row.issue_number) })),
      ),
    );
  });
  app.get('/events/:event{[0-9]+}', async (c) => {
    const repo = requireRepo(c, emulator, 'read');
    const row = rows.issueEvents.get(Number(c.req.param('event')));
    if (row?.repo_id !== repo.id) throw notFound();
    return c.json({ ...shown(repo, row), issue: await show.issue(repo, row.issue_number) });
  });
  return app;
}
