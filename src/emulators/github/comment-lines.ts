/** What emulate does not keep of review comments: ranges of lines, the side of each end, and reviews that are not submitted yet. */
import type { MiddlewareHandler } from 'hono';
import type { CommentRow, EmulateRows } from './rows.ts';

type Json = Record<string, unknown>;

/** Completes emulate's answers about review comments, and leaves out what only the author of a pending review sees. */
export function completeReviewComments(
  rows: Pick<EmulateRows, 'comments' | 'reviews'>,
): MiddlewareHandler<{ Variables: { authUser: { readonly id: number } } }> {
  return async function completeReviewComments(c, next) {
    await next();
    const isOfReviews = /\/pulls\/(.*\/)?(comments|reviews)(\/|$)/.test(new URL(c.req.url).pathname);
    if (!isOfReviews || !c.res.ok || !c.res.headers.get('content-type')?.includes('json')) return;
    const shown = (await c.res.json()) as Json | Json[];
    const reader = (c.get('authUser') as { readonly id: number } | undefined)?.id;
    const body = Array.isArray(shown)
      ? shown.filter((entry) => isSubmitted(entry, reader)).map(completed)
      : completed(shown);
    const headers = new Headers(c.res.headers);
    headers.delete('content-length');
    c.res = new Response(JSON.stringify(body), { status: c.res.status, headers });
  };

  /** A comment on a whole file has no line. */
  function completed(shown: Json): Json {
    const { line: _, ...rest } = shown;
    const row = 'diff_hunk' in shown ? rows.comments.get(Number(shown['id'])) : undefined;
    return row ? { ...rest, ...linesOf(row) } : shown;
  }

  /** Comments of a pending review are listed for nobody, and the review itself for its author. */
  function isSubmitted(shown: Json, reader: number | undefined): boolean {
    if ('diff_hunk' in shown) return rows.reviews.get(Number(shown['pull_request_review_id']))?.state !== 'PENDING';
    return shown['state'] !== 'PENDING' || (shown['user'] as { readonly id?: number } | null)?.id === reader;
  }
}

function linesOf({ line, side, start_line, start_side, subject_type }: CommentRow): Json {
  return {
    ...(line === null ? {} : { line, original_line: line }),
    side: side ?? 'RIGHT',
    start_line: start_line ?? null,
    original_start_line: start_line ?? null,
    start_side: start_line ? (start_side ?? side ?? 'RIGHT') : null,
    subject_type: subject_type ?? 'line',
  };
}
