/**
 * The snapshot of the texts when a run was asked for. It contains no later edits (docs/reliability.md T27), and nothing
 * from people outside the project, which an agent might take for instructions. All times are GitHub's.
 */
import { withoutInvisible } from '../invisible.ts';
import type { OpenThread, Said } from './prompts.ts';
import { askingReview, reviewsToAddress, type GitHubReview, type GitHubThread } from './reviews.ts';

/** A comment on GitHub; times are ISO 8601. */
export interface GitHubComment {
  readonly id: number;
  readonly by: { readonly id: number; readonly login: string };
  readonly body: string;
  readonly at: string;
  readonly editedAt: string;
}

type SaidAt = Said & { readonly id: number; readonly at: string };

/** The texts by people that an agent is shown. */
export interface InputSnapshot {
  readonly title: string;
  readonly body: string;
  readonly comments: readonly SaidAt[];
  /** In the pull request's conversation. */
  readonly pullRequestComments?: readonly SaidAt[];
  readonly reviews: readonly (Said & { readonly id: number })[];
  /** Threads whose last word is a person's. */
  readonly openThreads?: readonly OpenThread[];
  /** `hidden`: passages and characters that nobody sees on GitHub; missing when there were none. */
  readonly leftOut: { readonly outsiders: number; readonly edited: number; readonly hidden?: number };
}

export interface SnapshotSources {
  /** Title and body at the time of the trigger: from the delivery, or from the run before. */
  readonly title: string;
  readonly body: string;
  readonly comments: readonly GitHubComment[];
  readonly pullRequestComments: readonly GitHubComment[];
  readonly reviews: readonly GitHubReview[];
  readonly threads: readonly GitHubThread[];
  /** GitHub's account ids of the project's members. */
  readonly known: ReadonlySet<number>;
  /** When the run was asked for, ISO 8601: later comments and edits are left out. The review that asked has its own time. */
  readonly at: string;
  /** The review that asked for the run. */
  readonly asked?: number | undefined;
  /** What the run before was shown. */
  readonly before?: InputSnapshot | undefined;
}

/** Submitting a review may touch its comments a little later than itself. */
const SUBMITTING_MS = 10_000;

/** Takes the snapshot. */
export function takeSnapshot({ title, body, known, at, asked, before, ...said }: SnapshotSources): InputSnapshot {
  const until = Date.parse(askingReview(said.reviews, asked)?.at ?? at);
  let outsiders = 0;
  let edited = 0;
  const counts = (comment: GitHubComment, ofAsked = false): boolean => {
    if (Date.parse(comment.at) > until && !ofAsked) return false;
    const isKnown = known.has(comment.by.id);
    const isAsItWas = Date.parse(comment.editedAt) <= until + (ofAsked ? SUBMITTING_MS : 0);
    if (!isKnown) outsiders += 1;
    else if (!isAsItWas) edited += 1;
    return isKnown && isAsItWas;
  };
  const plain = ({ id, by, body: text }: GitHubComment): Said & { id: number } => ({
    id,
    author: by.login,
    body: text,
  });
  const dated = (comment: GitHubComment): SaidAt => ({ ...plain(comment), at: comment.at });
  const ofThread = ({ id, place, comments, isResolved }: GitHubThread): OpenThread[] => {
    if (isResolved) return [];
    const shown = comments.filter((comment) =>
      comment.isOurs ? Date.parse(comment.at) <= until : counts(comment, comment.review === asked),
    );
    if (shown.at(-1)?.isOurs !== false) return [];
    return [
      { id, ...place, comments: shown.map(({ by, isOurs, body: text }) => ({ author: by.login, body: text, isOurs })) },
    ];
  };
  const seen = new Set(before?.reviews.map(({ id }) => id));
  return {
    title,
    body,
    comments: said.comments.filter((comment) => counts(comment)).map(dated),
    pullRequestComments: said.pullRequestComments.filter((comment) => counts(comment)).map(dated),
    reviews: reviewsToAddress(said.reviews, { until, asked, seen })
      .filter((review) => counts(review, review.id === asked))
      .map(plain),
    openThreads: said.threads.flatMap(ofThread),
    leftOut: { outsiders, edited },
  };
}

/** The snapshot without what nobody sees on GitHub of these texts, and how much of that there was. A title is no Markdown. */
export function onlyVisible(
  snapshot: InputSnapshot,
  visibleText: (markdown: string) => { readonly text: string; readonly removed: number },
): InputSnapshot {
  let hidden = 0;
  const counted = ({ text, removed }: { readonly text: string; readonly removed: number }): string => {
    hidden += removed;
    return text;
  };
  const seen = <One extends Said>(said: One): One => ({ ...said, body: counted(visibleText(said.body)) });
  const { openThreads = [], pullRequestComments = [] } = snapshot;
  const shown = {
    ...snapshot,
    title: counted(withoutInvisible(snapshot.title)),
    body: counted(visibleText(snapshot.body)),
    comments: snapshot.comments.map(seen),
    pullRequestComments: pullRequestComments.map(seen),
    reviews: snapshot.reviews.map(seen),
    // The platform's answers begin with a hidden marker.
    openThreads: openThreads.map((thread) => ({
      ...thread,
      comments: thread.comments.map((said) =>
        said.isOurs ? { ...said, body: visibleText(said.body).text } : seen(said),
      ),
    })),
  };
  return hidden === 0 ? shown : { ...shown, leftOut: { ...snapshot.leftOut, hidden } };
}

/** Whether a revise has anything to do: a review, an open thread, or something that the run before was not shown. */
export function asksForSomething(snapshot: InputSnapshot, before: InputSnapshot | undefined): boolean {
  const { reviews, openThreads = [], comments, pullRequestComments = [], title, body } = snapshot;
  if (reviews.length > 0 || openThreads.length > 0) return true;
  const seen = new Set([...(before?.comments ?? []), ...(before?.pullRequestComments ?? [])].map(({ id }) => id));
  const isEdited = before !== undefined && (before.title !== title || before.body !== body);
  return isEdited || [...comments, ...pullRequestComments].some(({ id }) => !seen.has(id));
}
