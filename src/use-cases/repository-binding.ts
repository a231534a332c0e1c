/** Binds repositories to projects and makes people known: what `repositories add` and `members add` do. */
import { Refusal } from '../domain/refusal.ts';
import { CANONICAL_NAMES, type LabelNames } from '../domain/stages/label-names.ts';
import { LABELS } from '../domain/stages/labels.ts';
import { triggerLabel } from '../domain/stages/stages.ts';
import type { Database } from '../store/connection/database.ts';
import { addPerson, bindRepository, ensureProject, findRepository } from '../store/projects/repositories.ts';

type MemberRole = Parameters<typeof addPerson>[2];

/** What became of the labels of a repository, by name on GitHub. */
export interface LabelChanges {
  readonly created: readonly string[];
  readonly updated: readonly string[];
  readonly unchanged: readonly string[];
  /** What GitHub did not let be written now, and its words; null when nothing is left. */
  readonly left: readonly string[];
  readonly waiting: string | null;
}

/** GitHub, as far as it is needed here. */
export interface GitHubRepositories {
  findRepository(
    owner: string,
    name: string,
  ): Promise<{ id: number; owner: string; name: string; defaultBranch: string } | undefined>;
  ensureWebhook(owner: string, name: string, webhook: { url: string; secret: string }): Promise<number>;
  ensureLabels(owner: string, name: string, labels: typeof LABELS): Promise<LabelChanges>;
  findPerson(login: string): Promise<{ id: number; login: string } | undefined>;
}

export type RepositoryBinding = ReturnType<typeof createRepositoryBinding>;

/** Refuses with a `Refusal`. */
export function createRepositoryBinding({
  db,
  github,
  webhook,
  labels = CANONICAL_NAMES,
}: {
  db: Database;
  github: GitHubRepositories;
  webhook: { url: string; secret: string };
  labels?: LabelNames;
}) {
  async function known(fullName: string) {
    const [owner = '', name = ''] = fullName.split('/');
    const repository = await asked(github.findRepository(owner, name));
    if (repository) return repository;
    throw new Refusal('not_found', `${fullName} does not exist, or the platform's token cannot see it`, 'fullName');
  }

  /** What became of the labels, under the names that people see. */
  async function ensureLabels({ owner, name }: { owner: string; name: string }): Promise<LabelChanges> {
    const { created, updated, unchanged, left, waiting } = await asked(github.ensureLabels(owner, name, LABELS));
    const shown = (names: readonly string[]): string[] => names.map(labels.onGitHub);
    return {
      created: shown(created),
      updated: shown(updated),
      unchanged: shown(unchanged),
      left: shown(left),
      waiting,
    };
  }

  return {
    /** Safe to repeat. The webhook is made before the binding, so that a bound repository always has one. */
    async bind({ fullName, project }: { fullName: string; project: string }) {
      const repository = await known(fullName);
      const hookId = await asked(github.ensureWebhook(repository.owner, repository.name, webhook));
      const changes = await ensureLabels(repository);
      const projectId = await ensureProject(db, project);
      await bindRepository(db, { ...repository, projectId, hookId });
      const trigger = labels.onGitHub(triggerLabel({ stage: 'dev', kind: 'work' }));
      return { repositoryId: repository.id, project, hookId, labels: changes, trigger };
    },

    /** Safe to repeat. Only of a bound repository: another one is none of the platform's business. */
    async syncLabels(fullName: string) {
      const repository = await known(fullName);
      if (await findRepository(db, repository.id)) return ensureLabels(repository);
      throw new Refusal(
        'failed_precondition',
        `${fullName} is not bound; bind it with \`codex-k8s repositories add ${fullName}\``,
        'fullName',
      );
    },

    async addMember({ login, role, project }: { login: string; role: MemberRole; project: string }) {
      const person = await asked(github.findPerson(login));
      if (!person) throw new Refusal('not_found', `GitHub knows nobody called ${login}`, 'login');
      await addPerson(db, person, role, await ensureProject(db, project));
      return person;
    },
  };
}

/** While GitHub wants to be left alone, whoever asks is told so, and until when. */
async function asked<Result>(call: Promise<Result>): Promise<Result> {
  try {
    return await call;
  } catch (error) {
    throw isWait(error) ? new Refusal('unavailable', error.message) : error;
  }
}

/** By its name: the client of GitHub is no business of this room. */
function isWait(error: unknown): error is Error {
  return error instanceof Error && error.name === 'GitHubAsksToWait';
}
