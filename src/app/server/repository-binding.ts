/** Binds repositories to projects and makes people known: what `repositories add` and `members add` do. */
import { RequestRefused } from '../../../ingress/http/errors.ts';
import { CANONICAL_NAMES, type LabelNames } from '../../domain/stages/label-names.ts';
import { LABELS } from '../../domain/stages/labels.ts';
import { triggerLabel } from '../../domain/stages/stages.ts';
import type { createGitHub } from '../../adapters/github/index.ts';
import { GitHubAsksToWait } from '../../adapters/github/waits.ts';
import type { Database } from '../../store/connection/database.ts';
import { addPerson, bindRepository, ensureProject, findRepository } from '../../store/projects/repositories.ts';

type MemberRole = 'platform_owner' | 'platform_admin' | 'admin' | 'read_write' | 'read';

export function createRepositoryBinding({
  db,
  github,
  webhook,
  labels = CANONICAL_NAMES,
}: {
  db: Database;
  github: Pick<ReturnType<typeof createGitHub>, 'findRepository' | 'ensureWebhook' | 'ensureLabels' | 'findPerson'>;
  webhook: { url: string; secret: string };
  labels?: LabelNames;
}) {
  async function known(fullName: string) {
    const [owner = '', name = ''] = fullName.split('/');
    const repository = await asked(github.findRepository(owner, name));
    if (repository) return repository;
    throw new RequestRefused(
      'not_found',
      `${fullName} does not exist, or the platform's token cannot see it`,
      'fullName',
    );
  }

  /** What became of the labels, under the names that people see. */
  async function ensureLabels({ owner, name }: { owner: string; name: string }) {
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
      throw new RequestRefused(
        'failed_precondition',
        `${fullName} is not bound; bind it with \`codex-k8s repositories add ${fullName}\``,
        'fullName',
      );
    },

    async addMember({ login, role, project }: { login: string; role: MemberRole; project: string }) {
      const person = await asked(github.findPerson(login));
      if (!person) throw new RequestRefused('not_found', `GitHub knows nobody called ${login}`, 'login');
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
    throw error instanceof GitHubAsksToWait ? new RequestRefused('unavailable', error.message) : error;
  }
}
