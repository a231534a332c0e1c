/** Binds repositories to projects and adds members: `repositories add`, `labels sync` and `members add`. */
import { Refusal } from '../domain/refusal.ts';
import { CANONICAL_NAMES, type LabelNames } from '../domain/stages/label-names.ts';
import { LABELS } from '../domain/stages/labels.ts';
import { triggerLabel } from '../domain/stages/stages.ts';
import type { Database } from '../store/connection/database.ts';
import { addPerson, bindRepository, ensureProject, findRepository } from '../store/projects/repositories.ts';

type MemberRole = Parameters<typeof addPerson>[2];

/** Result of the sync of a repository's labels, by name on GitHub. */
export interface LabelChanges {
  readonly created: readonly string[];
  readonly updated: readonly string[];
  readonly unchanged: readonly string[];
  /** Labels that GitHub's rate limit kept from being written, and its message; empty and null if there are none. */
  readonly left: readonly string[];
  readonly waiting: string | null;
}

/** Port to GitHub. */
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

/** Every operation throws a {@link Refusal} with a reason for people. */
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
    const repository = await orRefusal(github.findRepository(owner, name));
    if (repository) return repository;
    throw new Refusal('not_found', `${fullName} does not exist, or the platform's token cannot see it`, 'fullName');
  }

  /** Creates and updates labels; the result has the names on GitHub. */
  async function ensureLabels({ owner, name }: { owner: string; name: string }): Promise<LabelChanges> {
    const { created, updated, unchanged, left, waiting } = await orRefusal(github.ensureLabels(owner, name, LABELS));
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
    /** Safe to repeat. The webhook is created before the binding, so that a bound repository always has one. */
    async bind({ fullName, project }: { fullName: string; project: string }) {
      const repository = await known(fullName);
      const hookId = await orRefusal(github.ensureWebhook(repository.owner, repository.name, webhook));
      const changes = await ensureLabels(repository);
      const projectId = await ensureProject(db, project);
      await bindRepository(db, { ...repository, projectId, hookId });
      const trigger = labels.onGitHub(triggerLabel({ stage: 'dev', kind: 'work' }));
      return { repositoryId: repository.id, project, hookId, labels: changes, trigger };
    },

    /** Safe to repeat. Refuses a repository that is not bound. */
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
      const person = await orRefusal(github.findPerson(login));
      if (!person) throw new Refusal('not_found', `GitHub has no account ${login}`, 'login');
      await addPerson(db, person, role, await ensureProject(db, project));
      return person;
    },
  };
}

/** Turns a wait for GitHub's rate limit into a refusal that says until when. */
async function orRefusal<Result>(call: Promise<Result>): Promise<Result> {
  try {
    return await call;
  } catch (error) {
    throw isWait(error) ? new Refusal('unavailable', error.message) : error;
  }
}

/** Recognized by name, since this room does not import the GitHub client. */
function isWait(error: unknown): error is Error {
  return error instanceof Error && error.name === 'GitHubAsksToWait';
}
