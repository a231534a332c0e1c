/** Binds repositories to projects and adds members: `repositories add`, `labels sync` and `members add`. */
import { Refusal } from '../domain/refusal.ts';
import { CANONICAL_NAMES, type LabelNames } from '../domain/stages/label-names.ts';
import { LABELS } from '../domain/stages/labels.ts';
import { triggerLabel } from '../domain/stages/stages.ts';
import { setMemberLearning } from '../store/projects/learning.ts';
import type { Database } from '../store/connection/database.ts';
import { knowLabels } from '../store/projects/labels.ts';
import {
  addPerson,
  bindRepository,
  ensureProject,
  findMember,
  findRepository,
  removePerson,
} from '../store/projects/repositories.ts';

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
  ): Promise<{ id: number; owner: string; name: string; defaultBranch: string }>;
  ensureWebhook(owner: string, name: string, webhook: { url: string; secret: string }): Promise<number>;
  ensureLabels(owner: string, name: string, labels: typeof LABELS): Promise<LabelChanges>;
  readLabelIds(owner: string, name: string): Promise<readonly { name: string; id: number }[]>;
  findPerson(login: string): Promise<{ id: number; login: string } | undefined>;
  /** The login of the platform's token; undefined for one that stands for no account. */
  ownLogin(): Promise<string | undefined>;
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
    return orRefusal(github.findRepository(owner, name), 'fullName');
  }

  /** Remembers the ids of the labels, so that another label that is renamed to one of them is told apart. */
  async function rememberLabels({ id, owner, name }: { id: number; owner: string; name: string }): Promise<void> {
    const present = await orRefusal(github.readLabelIds(owner, name), 'fullName');
    const ours = present.filter((label) => LABELS.some((one) => one.name === label.name));
    await knowLabels(db, id, ours, new Date());
  }

  /** Creates and updates labels; the result has the names on GitHub. */
  async function ensureLabels({ owner, name }: { owner: string; name: string }): Promise<LabelChanges> {
    const { created, updated, unchanged, left, waiting } = await orRefusal(
      github.ensureLabels(owner, name, LABELS),
      'fullName',
    );
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
      const hookId = await orRefusal(github.ensureWebhook(repository.owner, repository.name, webhook), 'fullName');
      const changes = await ensureLabels(repository);
      const projectId = await ensureProject(db, project);
      await bindRepository(db, { ...repository, projectId, hookId });
      await rememberLabels(repository);
      const trigger = labels.onGitHub(triggerLabel({ stage: 'dev', kind: 'work' }));
      return { repositoryId: repository.id, project, hookId, labels: changes, trigger };
    },

    /** Safe to repeat. Refuses a repository that is not bound. */
    async syncLabels(fullName: string) {
      const repository = await known(fullName);
      if (await findRepository(db, repository.id)) {
        const changes = await ensureLabels(repository);
        await rememberLabels(repository);
        return changes;
      }
      throw new Refusal(
        'failed_precondition',
        `${fullName} is not bound; bind it with \`codex-k8s repositories add ${fullName}\``,
        'fullName',
      );
    },

    /** `learning`: whether agents explain what they change to this member; of a role in a project only. */
    async addMember({
      login,
      role,
      project,
      learning,
    }: {
      login: string;
      role: MemberRole;
      project: string;
      learning?: 'on' | 'off' | 'default' | undefined;
    }) {
      const person = await orRefusal(github.findPerson(login));
      if (!person) throw new Refusal('not_found', `GitHub has no account ${login}`, 'login');
      if (learning !== undefined && role.startsWith('platform_'))
        throw new Refusal(
          'failed_precondition',
          `${role} is no role in a project, which alone has learning mode`,
          'learning',
        );
      const projectId = await ensureProject(db, project);
      await addPerson(db, person, role, projectId);
      if (learning !== undefined)
        await setMemberLearning(
          db,
          { personId: person.id, projectId },
          learning === 'default' ? null : learning === 'on',
        );
      const own = await github.ownLogin().catch(() => undefined);
      return own?.toLowerCase() === person.login.toLowerCase()
        ? { ...person, warning: ownAccountWarning(person.login) }
        : person;
    },

    /** Takes a person's role in a project, or without a project every role. Somebody whose login changed is found on GitHub. */
    async removeMember({ login, project }: { login: string; project?: string | undefined }) {
      const person = (await findMember(db, login)) ?? (await orRefusal(github.findPerson(login)));
      if (person && (await removePerson(db, person.id, project))) return person;
      const where = project === undefined ? '' : ` in the project ${project}`;
      throw new Refusal('not_found', `${login} has no role${where}`, 'login');
    },
  };
}

/** For a member whose own token the platform uses. */
function ownAccountWarning(login: string): string {
  return `the platform's token is ${login}'s own: GitHub does not let ${login} request changes on the pull requests that the platform opens. To have one revised, comment on it and put the \`:revise\` label of its stage on the issue; or give the platform an account of its own`;
}

/** Turns GitHub's refusals into ones that say what people can do. `field`: what in the request was refused. */
async function orRefusal<Result>(call: Promise<Result>, field?: string): Promise<Result> {
  try {
    return await call;
  } catch (error) {
    throw refusalOf(error, field) ?? error;
  }
}

/** Errors of the GitHub client are recognized by name and status, since this room does not import it. */
function refusalOf(error: unknown, field: string | undefined): Refusal | undefined {
  if (!(error instanceof Error)) return undefined;
  const { name, message } = error;
  const { status } = error as { status?: unknown };
  if (name === 'GitHubAsksToWait') return new Refusal('unavailable', message);
  if (name === 'GitHubRightMissing') return new Refusal('failed_precondition', message, field);
  if (typeof status !== 'number') return undefined;
  if (status >= 500) return new Refusal('unavailable', `GitHub failed (${message}): try again in a moment`);
  const remedy =
    status === 401 ? ': put a valid token into CODEXK8S_GITHUB_TOKEN_FILE and restart server and worker' : '';
  return new Refusal('failed_precondition', `GitHub refused with ${status} (${message})${remedy}`, field);
}
