/** Reactions to issues, issue comments and review comments. */
import { Hono } from 'hono';
import { invalid, notFound } from '../errors.ts';
import {
  jsonBody,
  pageOf,
  requireAccount,
  requireIssue,
  requireRepo,
  type EmulatorContext,
  type EmulatorEnv,
} from '../http.ts';
import type { ReactionRow, RepoRow } from '../rows.ts';
import type { Emulator } from '../emulator.ts';

const CONTENTS = new Set(['+1', '-1', 'laugh', 'confused', 'heart', 'hooray', 'rocket', 'eyes']);

const SUBJECTS = [
  { subject: 'issue', path: '/repos/:owner/:repo/issues/:number/reactions' },
  { subject: 'issue_comment', path: '/repos/:owner/:repo/issues/comments/:comment/reactions' },
  { subject: 'pull_comment', path: '/repos/:owner/:repo/pulls/comments/:comment/reactions' },
] as const;

/** Lists, creates and deletes reactions, in the same way for each kind of subject. */
export function reactionRoutes(emulator: Emulator): Hono<EmulatorEnv> {
  const { rows, show } = emulator;
  const app = new Hono<EmulatorEnv>();

  const shown = ({
    id,
    node_id,
    user_id,
    content,
    created_at,
  }: ReactionRow & { node_id?: string }): Record<string, unknown> => ({
    id,
    node_id: node_id ?? Buffer.from(`0:Reaction${id}`).toString('base64url'),
    user: show.user(user_id),
    content,
    created_at,
  });
  const subjectOf = (c: EmulatorContext, repo: RepoRow, subject: ReactionRow['subject']): number => {
    if (subject === 'issue') return requireIssue(c, emulator, repo).id;
    const comment = rows.comments.get(Number(c.req.param('comment')));
    const kind = subject === 'issue_comment' ? 'issue' : 'review';
    if (comment?.repo_id !== repo.id || comment.comment_type !== kind) throw notFound();
    return comment.id;
  };
  const reactionsTo = (subject: ReactionRow['subject'], id: number): ReactionRow[] =>
    rows.reactions.findBy('subject_id', id).filter((row) => row.subject === subject);

  for (const { subject, path } of SUBJECTS) {
    app.get(path, (c) => {
      const id = subjectOf(c, requireRepo(c, emulator, 'read'), subject);
      const wanted = c.req.query('content');
      const list = reactionsTo(subject, id).filter((row) => wanted === undefined || row.content === wanted);
      return c.json(pageOf(c, list).map(shown));
    });
    app.post(path, async (c) => {
      const repo = requireRepo(c, emulator, 'read');
      const account = requireAccount(c);
      const id = subjectOf(c, repo, subject);
      const { content } = await jsonBody(c);
      if (typeof content !== 'string' || !CONTENTS.has(content)) throw invalid('Reaction', 'content');
      const before = reactionsTo(subject, id).find((row) => row.user_id === account.id && row.content === content);
      if (before) return c.json(shown(before), 200);
      return c.json(
        shown(rows.reactions.insert({ repo_id: repo.id, subject, subject_id: id, user_id: account.id, content })),
        201,
      );
    });
    app.delete(`${path}/:reaction`, (c) => {
      const id = subjectOf(c, requireRepo(c, emulator, 'read'), subject);
      const account = requireAccount(c);
      const reaction = reactionsTo(subject, id).find((row) => row.id === Number(c.req.param('reaction')));
      if (!reaction || reaction.user_id !== account.id) throw notFound();
      rows.reactions.delete(reaction.id);
      return c.body(null, 204);
    });
  }
  return app;
}
