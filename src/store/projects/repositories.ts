/** Projects, repositories, people and their roles. */
import { and, eq, inArray, isNotNull, or, sql } from 'drizzle-orm';
import type { AgentCliName } from '../../domain/stages/clis.ts';
import type { ReasoningEffort } from '../../domain/stages/settings.ts';
import type { Locale } from '../../domain/locale.ts';
import type { Database } from '../connection/database.ts';
import { people, projectMembers, projects, repositories } from '../connection/schema.ts';

export type BoundRepository = typeof repositories.$inferSelect & {
  readonly project: string;
  readonly locale: Locale;
  readonly namespaceTemplate: string | null;
  /** What the names of its branches begin with; null for the usual prefix. */
  readonly branchPrefix: string | null;
  /** Address blocks that its agents may reach in addition. */
  readonly egress: readonly string[];
  /** The project's settings for its agents; null for the platform's default. */
  readonly agents: {
    readonly cli: AgentCliName | null;
    /** The project's own program and its arguments. */
    readonly command: readonly string[] | null;
    readonly model: string | null;
    readonly reasoningEffort: ReasoningEffort | null;
  };
};

/** Creates a project unless its slug exists; returns its id. */
export async function ensureProject(db: Database, slug: string): Promise<string> {
  const [row] = await db
    .insert(projects)
    .values({ slug, name: slug })
    .onConflictDoUpdate({ target: projects.slug, set: { slug } })
    .returning({ id: projects.id });
  if (!row) throw new Error(`no project ${slug}`);
  return row.id;
}

/** Whether there is a project with this slug. */
export async function hasProject(db: Database, slug: string): Promise<boolean> {
  const [row] = await db.select({ id: projects.id }).from(projects).where(eq(projects.slug, slug));
  return row !== undefined;
}

/** A project's slug; throws if there is no such project. */
export async function findProjectSlug(db: Database, projectId: string): Promise<string> {
  const [row] = await db.select({ slug: projects.slug }).from(projects).where(eq(projects.id, projectId));
  if (!row) throw new Error(`there is no project ${projectId}`);
  return row.slug;
}

/** Settings of a project for its runs. */
export type ProjectChoices = Pick<
  typeof projects.$inferSelect,
  | 'slug'
  | 'locale'
  | 'cli'
  | 'command'
  | 'model'
  | 'reasoningEffort'
  | 'namespaceTemplate'
  | 'branchPrefix'
  | 'egress'
  | 'learning'
>;

/** Changes a project's settings; returns all of them, or undefined if there is no such project. */
export async function setProject(
  db: Database,
  slug: string,
  choices: Partial<Omit<ProjectChoices, 'slug'>>,
): Promise<ProjectChoices | undefined> {
  const { locale, cli, command, model, reasoningEffort, namespaceTemplate, branchPrefix, egress, learning } = projects;
  const [row] = await db.update(projects).set(choices).where(eq(projects.slug, slug)).returning({
    slug: projects.slug,
    locale,
    cli,
    command,
    model,
    reasoningEffort,
    namespaceTemplate,
    branchPrefix,
    egress,
    learning,
  });
  return row;
}

/** Binds a repository to a project, or moves it there; also stores a new name. */
export async function bindRepository(db: Database, row: typeof repositories.$inferInsert): Promise<void> {
  const { id: _, ...columns } = row;
  await db.insert(repositories).values(row).onConflictDoUpdate({ target: repositories.id, set: columns });
}

/** A bound repository with its project, by GitHub's id. */
export async function findRepository(db: Database, id: number): Promise<BoundRepository | undefined> {
  const [row] = await db
    .select({
      repository: repositories,
      project: projects.slug,
      locale: projects.locale,
      cli: projects.cli,
      command: projects.command,
      model: projects.model,
      reasoningEffort: projects.reasoningEffort,
      namespaceTemplate: projects.namespaceTemplate,
      branchPrefix: projects.branchPrefix,
      egress: projects.egress,
    })
    .from(repositories)
    .innerJoin(projects, eq(projects.id, repositories.projectId))
    .where(eq(repositories.id, id));
  if (!row) return undefined;
  const { repository, project, locale, namespaceTemplate, branchPrefix, egress, ...agents } = row;
  return { ...repository, project, locale, namespaceTemplate, branchPrefix, egress, agents };
}

/** The accounts among these that are members of the repository's project, or have a role on the platform. */
export async function knownPeople(
  db: Database,
  repositoryId: number,
  accounts: readonly number[],
): Promise<ReadonlySet<number>> {
  if (accounts.length === 0) return new Set();
  const rows = await db
    .selectDistinct({ id: people.id })
    .from(people)
    .leftJoin(projectMembers, eq(projectMembers.personId, people.id))
    .leftJoin(
      repositories,
      and(eq(repositories.projectId, projectMembers.projectId), eq(repositories.id, repositoryId)),
    )
    .where(and(inArray(people.id, [...accounts]), or(isNotNull(people.platformRole), isNotNull(repositories.id))));
  return new Set(rows.map(({ id }) => id));
}

/**
 * Gives a person a role on the platform or in a project, and takes their other role of the other kind: with a role in a project
 * they have none on the platform any more.
 */
export async function addPerson(
  db: Database,
  person: { id: number; login: string },
  role: 'platform_owner' | 'platform_admin' | 'admin' | 'read_write' | 'read',
  projectId: string,
): Promise<void> {
  await db.transaction(async (tx) => {
    const platformRole = role === 'platform_owner' || role === 'platform_admin' ? role : null;
    await tx
      .insert(people)
      .values({ ...person, platformRole })
      .onConflictDoUpdate({
        target: people.id,
        set: { login: person.login, platformRole },
      });
    if (role === 'platform_owner' || role === 'platform_admin') return;
    await tx
      .insert(projectMembers)
      .values({ projectId, personId: person.id, role })
      .onConflictDoUpdate({ target: [projectMembers.projectId, projectMembers.personId], set: { role } });
  });
}

/** A person whom the platform knows, by login, whatever its case. */
export async function findMember(db: Database, login: string): Promise<{ id: number; login: string } | undefined> {
  const [row] = await db
    .select({ id: people.id, login: people.login })
    .from(people)
    .where(eq(sql`lower(${people.login})`, login.toLowerCase()));
  return row;
}

/**
 * Takes a person's role in a project; without a project, every role, on the platform too. Somebody without any role is
 * forgotten. False if the person had no such role.
 */
export async function removePerson(db: Database, personId: number, project?: string): Promise<boolean> {
  return db.transaction(async (tx) => {
    const [before] = await tx.select().from(people).where(eq(people.id, personId)).for('update');
    if (!before) return false;
    const ofProject =
      project === undefined
        ? undefined
        : inArray(
            projectMembers.projectId,
            tx.select({ id: projects.id }).from(projects).where(eq(projects.slug, project)),
          );
    const removed = await tx
      .delete(projectMembers)
      .where(and(eq(projectMembers.personId, personId), ofProject))
      .returning();
    const left = await tx.select().from(projectMembers).where(eq(projectMembers.personId, personId)).limit(1);
    const onPlatform = project === undefined ? null : before.platformRole;
    if (left.length === 0 && onPlatform === null) await tx.delete(people).where(eq(people.id, personId));
    return removed.length > 0 || project === undefined;
  });
}
