/**
 * What people had said when a run was asked for. Later edits do not slip in (docs/reliability.md T27), and neither does what people
 * outside the project wrote: an agent would take it for an order.
 */
import type { OpenComment, Said } from './prompts.ts';

/** A comment as GitHub shows it; instants are ISO 8601. */
export interface GitHubComment {
  readonly id: number;
  readonly by: { readonly id: number; readonly login: string };
  readonly body: string;
  readonly at: string;
  readonly editedAt: string;
}

/** A review's comment that nobody of ours has answered. */
export type GitHubReviewComment = GitHubComment & Pick<OpenComment, 'path' | 'line'>;

/** What an agent is shown of what people wrote. */
export interface InputSnapshot {
  readonly title: string;
  readonly body: string;
  readonly comments: readonly (Said & { readonly id: number; readonly at: string })[];
  readonly reviews: readonly (Said & { readonly id: number })[];
  readonly openComments: readonly OpenComment[];
  readonly leftOut: { readonly outsiders: number; readonly edited: number };
}

export interface SnapshotSources {
  /** As they were at the time: of the delivery that asked, or of the run before. */
  readonly title: string;
  readonly body: string;
  readonly comments: readonly GitHubComment[];
  readonly reviews: readonly GitHubComment[];
  readonly openComments: readonly GitHubReviewComment[];
  /** GitHub's account ids of people whom the project knows. */
  readonly known: ReadonlySet<number>;
  /** When the run was asked for, ISO 8601: what was said or edited after it does not count. */
  readonly at: string;
}

/** Takes the snapshot. */
export function takeSnapshot({ title, body, known, at, ...said }: SnapshotSources): InputSnapshot {
  const limit = Date.parse(at);
  let outsiders = 0;
  let edited = 0;
  const counts = (comment: GitHubComment): boolean => {
    if (Date.parse(comment.at) > limit) return false;
    const isKnown = known.has(comment.by.id);
    const isAsItWas = Date.parse(comment.editedAt) <= limit;
    if (!isKnown) outsiders += 1;
    else if (!isAsItWas) edited += 1;
    return isKnown && isAsItWas;
  };
  const plain = ({ id, by, body: text }: GitHubComment): Said & { id: number } => ({
    id,
    author: by.login,
    body: text,
  });
  return {
    title,
    body,
    comments: said.comments.filter(counts).map((comment) => ({ ...plain(comment), at: comment.at })),
    reviews: said.reviews.filter(counts).map(plain),
    openComments: said.openComments
      .filter(counts)
      .map((comment) => ({ ...plain(comment), path: comment.path, line: comment.line })),
    leftOut: { outsiders, edited },
  };
}
