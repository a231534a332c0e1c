/**
 * Prompts of one's own: what replaces the task of a prompt seed, and in which order. The envelope around it (rules, safety, the form of
 * the answer) always is the platform's. Pure.
 */
import { withoutInvisible } from '../invisible.ts';
import type { Locale } from '../locale.ts';
import { promptNames } from './prompts.ts';
import type { RunKind, TriggerTarget } from '../stages/stages.ts';

/** Where the task of a prompt is from; the first one that has one counts. */
export type PromptSource = 'repository' | 'project' | 'installation' | 'seed';

/** The kinds of runs whose prompts can be replaced. */
export const PROMPT_KINDS = ['work', 'revise', 'review', 'discussion'] as const satisfies readonly RunKind[];

/** The language of an override; `any`: of every language that has none of its own. */
export type PromptLocale = Locale | 'any';

/** Bytes of a task in UTF-8: a prompt has to leave room for what people wrote. */
export const TASK_BYTES = 32_768;

/** The folder of a repository with its own prompts, read from the default branch. */
export const PROMPT_FOLDER = '.codex-k8s/prompts';

/** The task of a prompt. `version`: of a repository the id of the file's blob, of a seed its name, else a number that counts from 1. */
export interface PromptTask {
  readonly source: PromptSource;
  readonly version: string;
  readonly body: string;
}

/** The names of the files in {@link PROMPT_FOLDER} that may replace a task, the one that counts first. */
export function promptFiles({ stage, kind }: TriggerTarget, locale: Locale): readonly string[] {
  return [`${stage}-${kind}.${locale}.md`, `${stage}-${kind}.md`];
}

/** Why a text cannot be a task, as the end of a sentence about it; undefined if it can. */
export function taskProblem(body: string): string | undefined {
  if (body.trim() === '') return 'is empty';
  if (!body.isWellFormed() || body.includes('\0')) return 'is not text in UTF-8';
  const bytes = new TextEncoder().encode(body).length;
  if (bytes > TASK_BYTES) return `has ${bytes} bytes, and at most ${TASK_BYTES} are allowed`;
  const { removed } = withoutInvisible(body.replaceAll('\r\n', '\n'));
  if (removed > 0) return `has ${removed} invisible characters, in which instructions can be hidden`;
  return undefined;
}

/** The seed's task; undefined if the stage has no prompt of this kind. */
export function seedTask(
  target: TriggerTarget,
  locale: Locale,
  seed: (name: string, locale: Locale) => string | undefined,
): PromptTask | undefined {
  const { task } = promptNames(target);
  const body = seed(task, locale);
  return body === undefined ? undefined : { source: 'seed', version: task, body };
}
