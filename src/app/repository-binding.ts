/** Binds repositories to projects and makes people known: what `repositories add` and `members add` do. */
import { RequestRefused } from '../../ingress/errors.ts';
import { labelCatalogue } from '../domain/label-catalogue.ts';
import type { createGitHub } from '../adapters/github/index.ts';
import { GitHubAsksToWait } from '../adapters/github/waits.ts';
import type { Database } from '../read-model/database.ts';
import { addPerson, bindRepository, ensureProject } from '../read-model/repositories.ts';

type MemberRole = 'platform_owner' | 'platform_admin' | 'admin' | 'read_write' | 'read';

export function createRepositoryBinding({
  db,
  github,
  webhook,
}: {
  db: Database;
  github: Pick<ReturnType<typeof createGitHub>, 'findRepository' | 'ensureWebhook' | 'ensureLabel' | 'findPerson'>;
  webhook: { url: string; secret: string };
}) {
  return {
    /** Safe to repeat. The webhook is made before the binding, so that a bound repository always has one. */
    async bind({ fullName, project }: { fullName: string; project: string }) {
      const [owner = '', name = ''] = fullName.split('/');
      const repository = await asked(github.findRepository(owner, name));
      if (!repository)
        throw new RequestRefused(
          'not_found',
          `${fullName} does not exist, or the platform's token cannot see it`,
          'fullName',
        );
      const hookId = await asked(github.ensureWebhook(repository.owner, repository.name, webhook));
      for (const label of labelCatalogue()) await asked(github.ensureLabel(repository.owner, repository.name, label));
      const projectId = await ensureProject(db, project);
      await bindRepository(db, { ...repository, projectId, hookId });
      return { repositoryId: repository.id, project, hookId };
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
