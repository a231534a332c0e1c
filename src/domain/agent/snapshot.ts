/**
 * The snapshot of the texts when a run was asked for. It contains no later edits (docs/reliability.md T27), and nothing
 * from people outside the project, which an agent might take for instructions.
 */
import type { OpenComment, Said } from './prompts.ts';

/** A comment on GitHub; times are ISO 8601. */
export interface GitHubComment {
  readonly id: number;
  readonly by: { readonly id: number; readonly login: string };
  readonly body: string;
  readonly at: string;
  readonly editedAt: string;
}

/** A review comment that the platform has not answered. */
export type GitHubReviewComment = GitHubComment & Pick<OpenComment, 'path' | 'line'>;

/** The texts by people that an agent is shown. */
export interface InputSnapshot {
  readonly title: string;
  readonly body: string;
  readonly comments: readonly (Said & { readonly id: number; readonly at: string })[];
  readonly reviews: readonly (Said & { readonly id: number })[];
  readonly openComments: readonly OpenComment[];
  readonly leftOut: { readonly outsiders: number; readonly edited: number };
}

export interface SnapshotSources {
  /** Title and body at the time of the trigger: from the delivery, or from the run before. */
  readonly title: string;
  readonly body: string;
  readonly comments: readonly GitHubComment[];
  readonly reviews: readonly GitHubComment[];
  readonly openComments: readonly GitHubReviewComment[];
  /** GitHub's account ids of the project's members. */
  readonly known: ReadonlySet<number>;
  /** When the run was asked for, ISO 8601: later comments and edits are left out. */
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
