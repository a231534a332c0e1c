/** The task of a run's prompt: the repository's own, the project's, the installation's, or the seed's, in this order. */
import { createHash } from 'node:crypto';
import {
  PROMPT_FOLDER,
  promptFiles,
  seedTask,
  TASK_BYTES,
  taskProblem,
  type PromptTask,
} from '../../src/domain/agent/prompt-overrides.ts';
import type { RepositoryFile } from '../../src/domain/agent/repository-files.ts';
import type { IssueRef } from '../../src/domain/issue/facts.ts';
import { fullName } from '../../src/domain/issue/names.ts';
import type { Locale } from '../../src/domain/locale.ts';
import type { TriggerTarget } from '../../src/domain/stages/stages.ts';
import type { Database } from '../../src/store/connection/database.ts';
import { findPromptOverride } from '../../src/store/projects/prompt-overrides.ts';
import { classified, permanent } from '../failures.ts';

/** Port to GitHub. */
export interface GitHubFiles {
  /** The names in a folder of a branch; none if there is no such folder. */
  listFolder(repository: IssueRef, folder: string, ref: string): Promise<readonly string[]>;
  /** A text file of a branch; null if there is none. */
  readFile(
    repository: IssueRef,
    path: string,
    limits: { readonly ref: string; readonly bytes: number },
  ): Promise<RepositoryFile | null>;
}

export interface TaskPorts {
  readonly db: Database;
  readonly github: GitHubFiles;
  /** The text of a prompt seed. */
  readonly promptSeed: (name: string, locale: Locale) => string | undefined;
}

export interface TaskOf {
  readonly issue: IssueRef;
  readonly target: TriggerTarget;
  readonly locale: Locale;
  /** The project's slug; null for a repository that is bound to none. */
  readonly project: string | null;
  readonly defaultBranch: string;
}

/** A task, and where exactly it is from. */
export interface ChosenTask extends PromptTask {
  readonly sha256: string;
}

/** Chooses the task. Fails with `PromptUnusable` for a file that cannot be one: another prompt is not what the repository wants. */
export async function chooseTask({ db, github, promptSeed }: TaskPorts, of: TaskOf): Promise<ChosenTask> {
  const { target, locale, project } = of;
  const task =
    (await fromRepository(github, of)) ??
    (await findPromptOverride(db, target, { project, locale })) ??
    seedTask(target, locale, promptSeed);
  if (!task) throw permanent('PromptMissing', `there is no prompt for ${target.stage} ${target.kind}`);
  return { ...task, sha256: createHash('sha256').update(task.body).digest('hex') };
}

async function fromRepository(
  github: GitHubFiles,
  { issue, target, locale, defaultBranch }: TaskOf,
): Promise<PromptTask | undefined> {
  const present = await classified(() => github.listFolder(issue, PROMPT_FOLDER, defaultBranch));
  const name = promptFiles(target, locale).find((file) => present.includes(file));
  if (name === undefined) return undefined;
  const path = `${PROMPT_FOLDER}/${name}`;
  const file = await classified(() => github.readFile(issue, path, { ref: defaultBranch, bytes: TASK_BYTES }));
  if (file === null) return undefined;
  const problem = 'problem' in file ? file.problem : taskProblem(file.text);
  if ('text' in file && problem === undefined) return { source: 'repository', version: file.sha, body: file.text };
  throw permanent(
    'PromptUnusable',
    `${path} on ${defaultBranch} of ${fullName(issue)} ${problem}: correct or remove the file, then ask for the run again`,
  );
}
