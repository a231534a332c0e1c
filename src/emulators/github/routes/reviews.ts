/** Reviews of pull requests and the comments on their lines. */
import { Hono } from 'hono';
import { GitHubError, invalid, notFound } from '../errors.ts';
import { jsonBody, requireAccount, requirePull, requireRepo, type EmulatorContext, type EmulatorEnv } from '../http.ts';
import type { CommentRow, PullRow, RepoRow, ReviewRow, UserRow } from '../rows.ts';
import type { Emulator } from '../emulator.ts';
import type { NewRow } from '../store/collection.ts';

const STATE = { APPROVE: 'APPROVED', REQUEST_CHANGES: 'CHANGES_REQUESTED', COMMENT: 'COMMENTED' } as const;
type ReviewEvent = keyof typeof STATE;

/** Creates and submits reviews; emulate lists and shows them. */
export function reviewRoutes(emulator: Emulator): Hono<EmulatorEnv> {
  const { rows, show, events } = emulator;
  const app = new Hono<EmulatorEnv>().basePath('/repos/:owner/:repo/pulls/:number{[0-9]+}');

  const submit = (repo: RepoRow, pull: PullRow, review: ReviewRow, by: UserRow): void => {
    const path = `/pulls/${pull.number}/reviews/${review.id}`;
    events.emit({
      event: 'pull_request_review',
      action: 'submitted',
      repo,
      sender: by,
      pull: pull.number,
      read: { review: path },
    });
    const comments = rows.comments.findBy('repo_id', repo.id).filter((comment) => comment.review_id === review.id);
    for (const comment of comments) announce(repo, comment, by);
  };
  const announce = (repo: RepoRow, { id, pull_number }: CommentRow, by: UserRow): void => {
    const read = { comment: `/pulls/comments/${id}` };
    events.emit({
      event: 'pull_request_review_comment',
      action: 'created',
      repo,
      sender: by,
      pull: Number(pull_number),
      read,
    });
  };
  /** Creates a review with a single comment; both events are emitted. */
  const single = (repo: RepoRow, pull: PullRow, draft: CommentDraft, by: UserRow): CommentRow => {
    const review = rows.reviews.insert(newReview(repo, pull, by, 'COMMENT', null, draft.commit_sha ?? pull.head_sha));
    const comment = insertComment(emulator, pull, { ...draft, review_id: review.id });
    submit(repo, pull, review, by);
    return comment;
  };
  const target = (c: EmulatorContext): { repo: RepoRow; pull: PullRow; account: UserRow } => {
    const repo = requireRepo(c, emulator, 'read');
    return { repo, pull: requirePull(c, emulator, repo), account: requireAccount(c) };
  };

  app.post('/reviews', async (c) => {
    const { repo, pull, account } = target(c);
    const body = await jsonBody(c);
    const event = reviewEventFrom(body, pull, account);
    const inline = Array.isArray(body['comments']) ? (body['comments'] as Record<string, unknown>[]) : [];
    const drafts = inline.map((comment) => commentFrom(comment, repo, pull, account));
    const text = typeof body['body'] === 'string' ? body['body'] : null;
    const commit = typeof body['commit_id'] === 'string' ? body['commit_id'] : pull.head_sha;
    const review = rows.reviews.insert(newReview(repo, pull, account, event, text, commit));
    for (const draft of drafts) insertComment(emulator, pull, { ...draft, review_id: review.id });
    if (event) submit(repo, pull, review, account);
    return c.json(await show.read(repo, `/pulls/${pull.number}/reviews/${review.id}`));
  });
  app.post('/reviews/:review/events', async (c) => {
    const { repo, pull, account } = target(c);
    const review = rows.reviews.get(Number(c.req.param('review')));
    if (review?.repo_id !== repo.id || review.pull_number !== pull.number) throw notFound();
    if (review.state !== 'PENDING') throw new GitHubError(422, 'The review was already submitted');
    const body = await jsonBody(c);
    const event = reviewEventFrom({ body: review.body, ...body }, pull, account);
    if (!event) throw invalid('PullRequestReview', 'event', 'missing_field');
    const text = typeof body['body'] === 'string' ? body['body'] : review.body;
    const submitted = rows.reviews.update(review.id, {
      state: STATE[event],
      submitted_at: new Date().toISOString(),
      body: text,
    });
    submit(repo, pull, submitted ?? review, account);
    return c.json(await show.read(repo, `/pulls/${pull.number}/reviews/${review.id}`));
  });
  app.post('/comments', async (c) => {
    const { repo, pull, account } = target(c);
    const body = await jsonBody(c);
    const parent = body['in_reply_to'] ?? body['in_reply_to_id'];
    const draft =
      parent === undefined
        ? commentFrom(body, repo, pull, account)
        : replyTo(emulator, repo, pull, Number(parent), body, account);
    const comment = single(repo, pull, draft, account);
    return c.json(await show.read(repo, `/pulls/comments/${comment.id}`), 201);
  });
  app.post('/comments/:comment/replies', async (c) => {
    const { repo, pull, account } = target(c);
    const draft = replyTo(emulator, repo, pull, Number(c.req.param('comment')), await jsonBody(c), account);
    const comment = single(repo, pull, draft, account);
    return c.json(await show.read(repo, `/pulls/comments/${comment.id}`), 201);
  });
  return app;
}

type CommentDraft = NewRow<CommentRow>;

function newReview(
  repo: RepoRow,
  pull: PullRow,
  by: UserRow,
  event: ReviewEvent | undefined,
  body: string | null,
  commit: string,
): NewRow<ReviewRow> {
  return {
    node_id: Buffer.from(`0:PullRequestReview${repo.id}/${pull.number}`).toString('base64url'),
    repo_id: repo.id,
    pull_number: pull.number,
    user_id: by.id,
    body,
    state: event ? STATE[event] : 'PENDING',
    commit_id: commit,
    submitted_at: event ? new Date().toISOString() : null,
  };
}

/** Checks GitHub's rules: no approval or request for changes of one's own pull request, and no request for changes without a body. */
function reviewEventFrom(body: Record<string, unknown>, pull: PullRow, by: UserRow): ReviewEvent | undefined {
  const { event, body: text } = body;
  if (event === undefined || event === null) return undefined;
  if (!isReviewEvent(event)) throw invalid('PullRequestReview', 'event');
  if (event !== 'COMMENT' && pull.user_id === by.id) {
    throw new GitHubError(
      422,
      `Can not ${event === 'APPROVE' ? 'approve' : 'request changes on'} your own pull request`,
    );
  }
  if (event === 'REQUEST_CHANGES' && !text) throw new GitHubError(422, 'Body is required to request changes');
  return event;
}

function isReviewEvent(event: unknown): event is ReviewEvent {
  return typeof event === 'string' && event in STATE;
}

function commentFrom(given: Record<string, unknown>, repo: RepoRow, pull: PullRow, by: UserRow): CommentDraft {
  const { path, body, line, position, side, commit_id, subject_type, start_line, start_side } = given;
  if (typeof path !== 'string' || path === '') throw invalid('PullRequestReviewComment', 'path', 'missing_field');
  if (typeof body !== 'string' || body.trim() === '')
    throw invalid('PullRequestReviewComment', 'body', 'missing_field');
  const number = (value: unknown): number | null =>
    typeof value === 'number' && Number.isInteger(value) ? value : null;
  const isOfFile = subject_type === 'file';
  const start = number(start_line);
  if (start !== null && start >= (number(line) ?? 0))
    throw new GitHubError(422, 'start_line must precede the end line.');
  return {
    node_id: Buffer.from(`0:PullRequestReviewComment${repo.id}/${pull.number}`).toString('base64url'),
    repo_id: repo.id,
    issue_number: null,
    pull_number: pull.number,
    commit_sha: typeof commit_id === 'string' ? commit_id : pull.head_sha,
    body,
    user_id: by.id,
    in_reply_to_id: null,
    path,
    position: number(position),
    line: isOfFile ? null : number(line),
    side: side === 'LEFT' ? 'LEFT' : 'RIGHT',
    start_line: isOfFile ? null : start,
    start_side: start === null ? null : (start_side ?? side) === 'LEFT' ? 'LEFT' : 'RIGHT',
    subject_type: isOfFile ? 'file' : 'line',
    comment_type: 'review',
    review_id: null,
  };
}

/** A reply belongs to the comment that began its thread and is on the same line. */
function replyTo(
  { rows }: Emulator,
  repo: RepoRow,
  pull: PullRow,
  id: number,
  given: Record<string, unknown>,
  by: UserRow,
): CommentDraft {
  const parent = rows.comments.get(id);
  if (parent?.repo_id !== repo.id || parent.comment_type !== 'review' || parent.pull_number !== pull.number)
    throw notFound();
  const { path, line, position, side, subject_type, commit_sha, start_line = null, start_side = null } = parent;
  const draft = commentFrom({ path, body: given['body'] }, repo, pull, by);
  return {
    ...draft,
    line,
    position,
    side,
    start_line,
    start_side,
    subject_type,
    commit_sha,
    in_reply_to_id: parent.in_reply_to_id ?? parent.id,
  };
}

function insertComment({ rows }: Emulator, pull: PullRow, draft: CommentDraft): CommentRow {
  const comment = rows.comments.insert(draft);
  const review_comments = (rows.pullRequests.get(pull.id)?.review_comments ?? 0) + 1;
  rows.pullRequests.update(pull.id, { review_comments });
  return comment;
}
