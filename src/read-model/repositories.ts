/** Projects, repositories and people: who may ask for what. */
import { eq, sql } from 'drizzle-orm';
import type { Locale } from '../domain/comment-texts.ts';
import type { Database } from './database.ts';
import { people, projectMembers, projects, repositories } from './schema.ts';

export type BoundRepository = typeof repositories.$inferSelect & { readonly project: string; readonly locale: Locale };

/** Creates a project if there is none of that slug; returns its id. */
export async function ensureProject(db: Database, slug: string): Promise<string> {
  const [row] = await db
    .insert(projects)
    .values({ slug, name: slug })
    .onConflictDoUpdate({ target: projects.slug, set: { slug } })
    .returning({ id: projects.id });
  if (!row) throw new Error(`no project ${slug}`);
  return row.id;
}

/** Binds a repository to a project, or moves it there; also takes up a new name. */
export async function bindRepository(db: Database, row: typeof repositories.$inferInsert): Promise<void> {
  const { id: _, ...columns } = row;
  await db.insert(repositories).values(row).onConflictDoUpdate({ target: repositories.id, set: columns });
}

/** A bound repository with its project, by GitHub's id. */
export async function findRepository(db: Database, id: number): Promise<BoundRepository | undefined> {
  const [row] = await db
    .select({ repository: repositories, project: projects.slug, locale: projects.locale })
    .from(repositories)
    .innerJoin(projects, eq(projects.id, repositories.projectId))
    .where(eq(repositories.id, id));
  return row && { ...row.repository, project: row.project, locale: row.locale };
}

/** Makes a person known, with a role on the platform or in a project. */
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
        set: { login: person.login, platformRole: sql`coalesce(excluded.platform_role, ${people.platformRole})` },
      });
    if (role === 'platform_owner' || role === 'platform_admin') return;
    await tx
      .insert(projectMembers)
      .values({ projectId, personId: person.id, role })
      .onConflictDoUpdate({ target: [projectMembers.projectId, projectMembers.personId], set: { role } });
  });
}
