/** Prompts of projects and of the installation: `codex-k8s prompts`. */
import { createHash } from 'node:crypto';
import { createTwoFilesPatch } from 'diff';
import { seedTask, taskProblem, type PromptSource } from '../domain/agent/prompt-overrides.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Locale } from '../domain/locale.ts';
import type { RunKind, Stage } from '../domain/stages/stages.ts';
import type { Database } from '../store/connection/database.ts';
import {
  addPromptVersion,
  findPromptOverride,
  findPromptVersion,
  listPromptOverrides,
  listPromptVersions,
  type PromptPlace,
  type PromptVersion,
} from '../store/projects/prompt-overrides.ts';
import { hasProject } from '../store/projects/repositories.ts';

/** A version of an override, without its text. */
export interface PromptVersionView {
  readonly scope: 'project' | 'installation';
  /** The project's slug; null for the installation. */
  readonly project: string | null;
  readonly stage: Stage;
  readonly kind: RunKind;
  readonly locale: PromptPlace['locale'];
  readonly version: number;
  readonly author: string;
  /** Null: from this version on there is no override. */
  readonly sha256: string | null;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** A task as runs get it, unless their repository has one of its own. */
export interface PromptTaskView {
  readonly stage: Stage;
  readonly kind: RunKind;
  readonly source: PromptSource;
  readonly version: string;
  readonly sha256: string;
  readonly body: string;
  /** Of the override that was asked for, newest first. */
  readonly versions: readonly PromptVersionView[];
}

export type PromptOverrides = ReturnType<typeof createPromptOverrides>;

/** Every operation throws a {@link Refusal} with a reason for people. */
export function createPromptOverrides({
  db,
  promptSeed,
}: {
  db: Database;
  promptSeed: (name: string, locale: Locale) => string | undefined;
}) {
  function seedOf({ stage, kind, locale }: PromptPlace) {
    const task = seedTask({ stage, kind }, locale === 'any' ? 'en' : locale, promptSeed);
    if (task) return task;
    throw new Refusal('not_found', `there is no prompt for ${stage} ${kind}`, 'kind');
  }

  async function requirePlace(place: PromptPlace): Promise<void> {
    seedOf(place);
    if (place.project !== null && !(await hasProject(db, place.project)))
      throw new Refusal('not_found', `there is no project ${place.project}`, 'project');
  }

  /** The text of a version; 0 is the seed. Null for a version that has none. */
  async function textOf(place: PromptPlace, version: number): Promise<string | null> {
    if (version === 0) return seedOf(place).body;
    const row = await findPromptVersion(db, place, version);
    if (row) return row.body;
    throw new Refusal('not_found', `there is no version ${version} of ${nameOf(place)}`, 'version');
  }

  return {
    /** The newest version of each override of the installation, and of a project if one is named. */
    async list(project: string | null): Promise<PromptVersionView[]> {
      return (await listPromptOverrides(db, project)).map(viewOf);
    },

    /** What runs get now, or one version. */
    async show(place: PromptPlace, version?: number): Promise<PromptTaskView> {
      await requirePlace(place);
      const { stage, kind, project } = place;
      const locale = place.locale === 'any' ? 'en' : place.locale;
      const versions = (await listPromptVersions(db, place)).map(viewOf);
      const of = { stage, kind };
      if (version === undefined) {
        const task = (await findPromptOverride(db, of, { project, locale })) ?? seedOf(place);
        return { ...of, ...task, sha256: sha256(task.body), versions };
      }
      const body = await textOf(place, version);
      if (body === null)
        throw new Refusal('not_found', `version ${version} of ${nameOf(place)} takes the override away`, 'version');
      const source = version === 0 ? 'seed' : project === null ? 'installation' : 'project';
      return { ...of, source, version: String(version), sha256: sha256(body), body, versions };
    },

    /** Adds a version. */
    async set(place: PromptPlace, { body, author }: { body: string; author: string }): Promise<PromptVersionView> {
      await requirePlace(place);
      const problem = taskProblem(body);
      if (problem !== undefined) throw new Refusal('failed_precondition', `the prompt ${problem}`, 'body');
      return viewOf(await addPromptVersion(db, place, { body, author }));
    },

    /** Adds a version with the text of an older one; `to` 0: there is no override any more. */
    async rollBack(place: PromptPlace, { to, author }: { to: number; author: string }): Promise<PromptVersionView> {
      await requirePlace(place);
      const body = to === 0 ? null : await textOf(place, to);
      return viewOf(await addPromptVersion(db, place, { body, author }));
    },

    /** The difference of two versions, as a patch; 0 is the seed. */
    async diff(place: PromptPlace, from: number, to: number): Promise<string> {
      await requirePlace(place);
      const [before, after] = await Promise.all([textOf(place, from), textOf(place, to)]);
      const name = nameOf(place);
      return createTwoFilesPatch(`${name} ${from}`, `${name} ${to}`, before ?? '', after ?? '', '', '', { context: 3 });
    },
  };
}

function viewOf(version: PromptVersion): PromptVersionView {
  const { body: _, project, createdAt, ...row } = version;
  return { ...row, project: project === '' ? null : project, createdAt: createdAt.toISOString() };
}

function nameOf({ stage, kind, locale, project }: PromptPlace): string {
  return `${project ?? 'installation'}/${stage}-${kind}${locale === 'any' ? '' : `.${locale}`}`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
