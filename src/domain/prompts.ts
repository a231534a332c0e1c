/** The prompt of a run: the stage's seed, with what is known put in (requirements.md, section 7). */
import type { RunKind, Stage } from './stages.ts';

/** Names the seed of a stage and kind: `dev-work`, `dev-revise`. */
export function promptName(stage: Stage, kind: RunKind): string {
  return `${stage}-${kind}`;
}

/** A review comment that waits for an answer. */
export interface OpenComment {
  /** GitHub's id of the comment; the agent's answer names it. */
  readonly id: number;
  readonly by: string;
  readonly path: string | null;
  readonly line: number | null;
  readonly body: string;
}

/** What a prompt can speak of. Texts of people are put in as they are, and marked as theirs by the seed. */
export interface PromptValues {
  readonly repository: string;
  readonly issueNumber: number;
  readonly issueTitle: string;
  readonly issueBody: string;
  readonly issueComments: readonly { readonly by: string; readonly body: string }[];
  readonly branch: string;
  readonly baseBranch: string;
  readonly reviews: readonly { readonly id: number; readonly by: string; readonly body: string }[];
  readonly openComments: readonly OpenComment[];
}

/** Fills the `{{name}}` places of a seed, each once: what is put in is never looked at again. */
export function renderPrompt(seed: string, values: PromptValues): string {
  const texts: Record<string, string> = {
    repository: values.repository,
    issue: `#${values.issueNumber} ${values.issueTitle.replaceAll(/\s+/g, ' ')}`,
    branch: values.branch,
    baseBranch: values.baseBranch,
    issueBody: quote(values.issueBody),
    issueComments:
      values.issueComments.map(({ by, body }) => `Comment by ${by}:\n${quote(body)}`).join('\n\n') || '(none)',
    reviews:
      values.reviews.map(({ id, by, body }) => `Review ${id} by ${by}:\n${quote(body)}`).join('\n\n') || '(none)',
    openComments: values.openComments.map(openComment).join('\n\n') || '(none)',
  };
  return seed.replaceAll(/\{\{(\w+)\}\}/g, (place, name: string) =>
    Object.hasOwn(texts, name) ? (texts[name] ?? place) : place,
  );
}

/** What an agent is told that was stopped in the middle, and goes on with the same conversation. */
export const INTERRUPTED = [
  'Your work was interrupted by a restart of the machine. The conversation so far is yours; the files are as they were',
  'left, or as they are on the branch if the environment was lost. Look at the working tree, finish the task, and give',
  'your answer as asked.',
].join(' ');

function openComment({ id, by, path, line, body }: OpenComment): string {
  const place = path === null ? '' : ` on ${path}${line === null ? '' : `:${line}`}`;
  return `Review comment ${id}${place} by ${by}:\n${quote(body)}`;
}

function quote(text: string): string {
  return (text.trim() === '' ? '(empty)' : text.trim())
    .split(/\r\n|\r|\n/)
    .map((line) => `> ${line}`.trimEnd())
    .join('\n');
}
