/**
 * The part of GitHub's GraphQL API that its REST API lacks: whether a thread of review comments is resolved, and when the text of an
 * issue was edited. No general GraphQL: a
 * request is recognized by the field that it asks for, and answered with all that GitHub's schema has of these fields.
 */
import { Hono } from 'hono';
import { mayAct } from '../access.ts';
import { GitHubError } from '../errors.ts';
import { jsonBody, requireAccount, type EmulatorEnv } from '../http.ts';
import type { Emulator } from '../emulator.ts';
import type { CommentRow, RepoRow, UserRow } from '../rows.ts';

/** Answers with `data`, or with `errors` and status 200. */
export function graphqlRoutes({ rows }: Emulator): Hono<EmulatorEnv> {
  const app = new Hono<EmulatorEnv>();

  app.post('/graphql', async (c) => {
    const account = requireAccount(c);
    const { query, variables } = await jsonBody(c);
    if (typeof query !== 'string')
      throw new GitHubError(400, 'A query attribute must be specified and must be a string.');
    const given = (typeof variables === 'object' && variables !== null ? variables : {}) as Record<string, unknown>;
    if (/\breviewThreads\s*\(/.test(query)) return c.json(listThreads(given, account));
    if (/\blastEditedAt\b/.test(query)) return c.json(showEdits(given, account));
    const change = /\b(un)?resolveReviewThread\s*\(/.exec(query);
    if (change) return c.json(resolveThread(given, account, change[1] === undefined));
    return c.json(
      problem(
        'undefinedField',
        'The emulator knows lastEditedAt, reviewThreads, resolveReviewThread and unresolveReviewThread',
      ),
    );
  });
  return app;

  function showEdits({ owner, name, number }: Record<string, unknown>, account: UserRow): object {
    const repo = rows.repos.findOneBy('full_name', `${String(owner)}/${String(name)}`);
    const issue = repo && rows.issues.findBy('repo_id', repo.id).find((row) => row.number === number);
    if (!repo || !issue || issue.is_pull_request || !mayAct(rows, account, repo, 'read'))
      return problem('NOT_FOUND', `Could not resolve to an Issue with the number of ${String(number)}.`);
    const nodes = issue.title_edited_at === undefined ? [] : [{ createdAt: inSeconds(issue.title_edited_at) }];
    const lastEditedAt = issue.text_edited_at === undefined ? null : inSeconds(issue.text_edited_at);
    return { data: { repository: { issue: { lastEditedAt, timelineItems: { nodes } } } } };
  }

  function listThreads({ owner, name, number, after }: Record<string, unknown>, account: UserRow): object {
    const repo = rows.repos.findOneBy('full_name', `${String(owner)}/${String(name)}`);
    const pull = repo && rows.pullRequests.findBy('repo_id', repo.id).find((row) => row.number === number);
    if (!repo || !pull || !mayAct(rows, account, repo, 'read'))
      return problem('NOT_FOUND', `Could not resolve to a PullRequest with the number of ${String(number)}.`);
    const roots = commentsOf(repo, pull.number).filter((row) => row.in_reply_to_id === null);
    const from = typeof after === 'string' ? roots.findIndex((row) => cursor(row) === after) + 1 : 0;
    const page = roots.slice(from, from + 100);
    const last = page.at(-1);
    return {
      data: {
        repository: {
          pullRequest: {
            reviewThreads: {
              nodes: page.map(threadOf),
              pageInfo: { hasNextPage: from + page.length < roots.length, endCursor: last ? cursor(last) : null },
            },
          },
        },
      },
    };
  }

  function commentsOf(repo: RepoRow, pull: number): CommentRow[] {
    return rows.comments
      .findBy('repo_id', repo.id)
      .filter((row) => row.comment_type === 'review' && row.pull_number === pull)
      .filter((row) => rows.reviews.get(row.review_id ?? 0)?.state !== 'PENDING')
      .toSorted((one, other) => one.id - other.id);
  }

  function resolveThread({ threadId }: Record<string, unknown>, account: UserRow, resolved: boolean): object {
    const root = rows.comments.get(Number(/^PRRT_(\d+)$/.exec(String(threadId))?.[1]));
    const repo = root && rows.repos.get(root.repo_id);
    if (!root || !repo)
      return problem('NOT_FOUND', `Could not resolve to a node with the global id of '${String(threadId)}'`);
    const author = rows.pullRequests
      .findBy('repo_id', repo.id)
      .find((pull) => pull.number === root.pull_number)?.user_id;
    if (!mayAct(rows, account, repo, 'write') && account.id !== author)
      return problem('FORBIDDEN', `${account.login} does not have the correct permissions to execute this`);
    const row = rows.comments.update(root.id, { resolved }) ?? root;
    return { data: { [resolved ? 'resolveReviewThread' : 'unresolveReviewThread']: { thread: threadOf(row) } } };
  }

  function threadOf(root: CommentRow): object {
    return { id: cursor(root), isResolved: root.resolved ?? false, comments: { nodes: [{ databaseId: root.id }] } };
  }
}

function cursor({ id }: CommentRow): string {
  return `PRRT_${id}`;
}

/** GitHub's times are in whole seconds. */
function inSeconds(at: string): string {
  return `${at.slice(0, 19)}Z`;
}

function problem(type: string, message: string): object {
  return { data: null, errors: [{ type, message }] };
}
