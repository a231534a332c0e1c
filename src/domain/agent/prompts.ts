/** The prompt of a run: an envelope by kind, with the stage's task and the values put in. */
import type { Locale } from '../locale.ts';
import { promptTexts } from './prompt-texts.ts';
import { NO_DOCUMENTS, type ProjectDocuments } from './project-documents.ts';
import type { ThreadPlace } from './reviews.ts';
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

/** A thread of review comments that waits for an answer. */
export interface OpenThread extends ThreadPlace {
  /** GitHub's id of the comment that began it; the agent's answer names it. */
  readonly id: number;
  /** Oldest first; the last one is a person's. `isOurs`: the agent's own answer. */
  readonly comments: readonly (Said & { readonly isOurs: boolean })[];
}

/** The values of a prompt. Texts by people are put in unchanged; the seed marks them as theirs. */
export interface PromptValues {
  readonly target: TriggerTarget;
  readonly locale: Locale;
  readonly repository: string;
  readonly issueNumber: number;
  readonly issueTitle: string;
  readonly issueBody: string;
  readonly issueComments: readonly Said[];
  /** The numbers of comments that are not shown (docs/reliability.md T27). */
  readonly leftOut: { readonly outsiders: number; readonly edited: number; readonly hidden?: number };
  readonly branch: string;
  readonly baseBranch: string;
  readonly reviews: readonly (Said & { readonly id: number })[];
  /** In the pull request's conversation. */
  readonly pullRequestComments: readonly Said[];
  readonly openThreads: readonly OpenThread[];
  /** Of a discussion: the comments since the agent's last answer. */
  readonly conversation: readonly Said[];
  readonly documents?: ProjectDocuments;
  /** The platform's tools that the run has, as an agent calls them. */
  readonly tools?: readonly string[];
  /** Whether the agent explains what it changes. */
  readonly learning?: boolean;
}

/** A longer text by a person is cut, and so are all comments together: a prompt has to fit a model's context. */
const TEXT_CHARACTERS = 60_000;
const COMMENTS_CHARACTERS = 120_000;

/** Puts a task into its envelope and replaces each `{{name}}` once: inserted texts are not expanded again. */
export function renderPrompt(seeds: { envelope: string; task: string }, values: PromptValues): string {
  const { target } = values;
  const words = promptTexts(values.locale);
  const readsOnly = target.kind === 'review' || target.kind === 'discussion';
  const row = stageRow(target.stage);
  const quote = (text: string): string => quoted(text, words);
  const list = (texts: readonly string[]): string => newestThatFit(texts, words).join('\n\n') || words.none;
  const comment = ({ author, body }: Said): string => `Comment by ${author}:\n${quote(body)}`;
  const { outsiders, edited, hidden = 0 } = values.leftOut;
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
    issueComments: [
      list(values.issueComments.map(comment)),
      ...(outsiders + edited > 0 ? [words.leftOut(outsiders, edited)] : []),
      ...(hidden > 0 ? [words.hidden(hidden)] : []),
    ].join('\n\n'),
    reviews: list(values.reviews.map(({ id, author, body }) => `Review ${id} by ${author}:\n${quote(body)}`)),
    pullRequestComments: list(values.pullRequestComments.map(comment)),
    openComments: list(values.openThreads.map((thread) => threadText(thread, quote))),
    conversation: list(values.conversation.map(comment)),
  };
  const sections: Record<string, string> = {
    documents: words.documents(values.documents ?? NO_DOCUMENTS),
    tools: words.tools(values.tools ?? []),
    learning: values.learning ? words.learning : '',
  };
  return seeds.envelope
    .replaceAll(/\n\n\{\{(documents|tools|learning)\}\}/g, (_place, name: string) =>
      sections[name] ? `\n\n${sections[name]}` : '',
    )
    .replaceAll('{{task}}', () => seeds.task.trim())
    .replaceAll(/\{\{(\w+)\}\}/g, (place, name: string) =>
      Object.hasOwn(texts, name) ? (texts[name] ?? place) : place,
    );
}

/** A thread, whole. Its first comment may be left out: then it is nobody's whom the project knows. */
function threadText({ id, comments, ...place }: OpenThread, quote: (text: string) => string): string {
  return comments
    .map(({ author, body, isOurs }, index) => {
      const said = isOurs ? 'Your answer' : `Reply by ${author}`;
      const opening = `Review comment ${id} on ${placeText(place)} ${isOurs ? 'answered by you' : `by ${author}`}`;
      return `${index === 0 ? opening : said}:\n${quote(body)}`;
    })
    .join('\n\n');
}

/** `src/count.js:3-7 (removed lines)` */
function placeText({ path, line, startLine, isRemoved, isOutdated }: ThreadPlace): string {
  if (line === null) return `${path} (the whole file)`;
  const lines = startLine === null || startLine === line ? `${line}` : `${startLine}-${line}`;
  const remarks = [
    ...(isRemoved ? ['as numbered before the change'] : []),
    ...(isOutdated ? ['as numbered in an earlier commit'] : []),
  ];
  return `${path}:${lines}${remarks.length > 0 ? ` (${remarks.join(', ')})` : ''}`;
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

/** The newest texts that fit, in order. */
function newestThatFit(texts: readonly string[], words: Words): readonly string[] {
  let characters = 0;
  const first = texts.findLastIndex((text) => (characters += text.length) > COMMENTS_CHARACTERS);
  if (first === -1) return texts;
  const left = texts.slice(0, first + 1).reduce((sum, text) => sum + text.length, 0);
  return [words.cut(left), ...texts.slice(first + 1)];
}
