/**
 * The prompt of a run: an envelope by kind, the stage's own task in it, and what is known put in.
 * A stage's own text is never hidden by a role's.
 */
import type { Locale } from '../locale.ts';
import { promptTexts } from './prompt-texts.ts';
import { roleOf, stageRow, type TriggerTarget } from '../stages/stages.ts';

/** Names the two seeds of a prompt: `envelope-work` and `dev-work`. */
export function promptNames({ stage, kind }: TriggerTarget): { readonly envelope: string; readonly task: string } {
  const task = {
    work: `${stage}-work`,
    revise: `${stage}-revise`,
    review: 'reviewer-review',
    discussion: 'discussion',
  };
  return { envelope: `envelope-${kind}`, task: task[kind] };
}

/** A text by a person. `author`: a login. */
export interface Said {
  readonly author: string;
  readonly body: string;
}

/** A review comment that waits for an answer. */
export interface OpenComment extends Said {
  /** GitHub's id of the comment; the agent's answer names it. */
  readonly id: number;
  readonly path: string | null;
  readonly line: number | null;
}

/** What a prompt can speak of. Texts of people are put in as they are, and marked as theirs by the seed. */
export interface PromptValues {
  readonly target: TriggerTarget;
  readonly locale: Locale;
  readonly repository: string;
  readonly issueNumber: number;
  readonly issueTitle: string;
  readonly issueBody: string;
  readonly issueComments: readonly Said[];
  /** How many comments are not shown, and why (docs/reliability.md T27). */
  readonly leftOut: { readonly outsiders: number; readonly edited: number };
  readonly branch: string;
  readonly baseBranch: string;
  readonly reviews: readonly (Said & { readonly id: number })[];
  readonly openComments: readonly OpenComment[];
  /** Of a discussion: what was said since the agent's last turn. */
  readonly conversation: readonly Said[];
}

/** A text of a person is cut beyond this, and so are all comments together: a prompt must fit a model's context. */
const TEXT_CHARACTERS = 60_000;
const COMMENTS_CHARACTERS = 120_000;

/** Puts a task into its envelope and fills the `{{name}}` places, each once: what is put in is never looked at again. */
export function renderPrompt(seeds: { envelope: string; task: string }, values: PromptValues): string {
  const { target } = values;
  const words = promptTexts(values.locale);
  const readsOnly = target.kind === 'review' || target.kind === 'discussion';
  const row = stageRow(target.stage);
  const quote = (text: string): string => quoted(text, words);
  const list = (texts: readonly string[]): string => newestThatFit(texts, words).join('\n\n') || words.none;
  const comments = values.issueComments.map(({ author, body }) => `Comment by ${author}:\n${quote(body)}`);
  const { outsiders, edited } = values.leftOut;
  const texts: Record<string, string> = {
    repository: values.repository,
    issue: `#${values.issueNumber} ${values.issueTitle.replaceAll(/\s+/g, ' ')}`,
    branch: values.branch,
    baseBranch: values.baseBranch,
    stage: target.stage,
    kind: target.kind,
    role: words.roles[roleOf(target)],
    scope: words.scopes[readsOnly ? 'nothing' : row.scope],
    artefacts: row.artefacts.map((artefact) => `- ${artefact}`).join('\n'),
    issueBody: quote(values.issueBody),
    issueComments: [list(comments), ...(outsiders + edited > 0 ? [words.leftOut(outsiders, edited)] : [])].join('\n\n'),
    reviews: list(values.reviews.map(({ id, author, body }) => `Review ${id} by ${author}:\n${quote(body)}`)),
    openComments: list(
      values.openComments.map(({ id, path, line, author, body }) => {
        const place = path === null ? '' : ` on ${path}${line === null ? '' : `:${line}`}`;
        return `Review comment ${id}${place} by ${author}:\n${quote(body)}`;
      }),
    ),
    conversation: list(values.conversation.map(({ author, body }) => `Comment by ${author}:\n${quote(body)}`)),
  };
  return seeds.envelope
    .replaceAll('{{task}}', () => seeds.task.trim())
    .replaceAll(/\{\{(\w+)\}\}/g, (place, name: string) =>
      Object.hasOwn(texts, name) ? (texts[name] ?? place) : place,
    );
}

type Words = ReturnType<typeof promptTexts>;

function quoted(text: string, words: Words): string {
  const whole = text.trim();
  const shown =
    whole.length <= TEXT_CHARACTERS
      ? whole
      : `${whole.slice(0, TEXT_CHARACTERS).toWellFormed()}\n${words.cut(whole.length - TEXT_CHARACTERS)}`;
  return (shown === '' ? words.empty : shown)
    .split(/\r\n|\r|\n/)
    .map((line) => `> ${line}`.trimEnd())
    .join('\n');
}

/** The newest of the texts, in their order, as many as fit. */
function newestThatFit(texts: readonly string[], words: Words): readonly string[] {
  let characters = 0;
  const first = texts.findLastIndex((text) => (characters += text.length) > COMMENTS_CHARACTERS);
  if (first === -1) return texts;
  const left = texts.slice(0, first + 1).reduce((sum, text) => sum + text.length, 0);
  return [words.cut(left), ...texts.slice(first + 1)];
}
