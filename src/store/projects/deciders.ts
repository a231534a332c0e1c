/** The roles of people who decide, in the project of a repository. */
import { and, eq, sql } from 'drizzle-orm';
import type { Decider } from '../../domain/approvals/deciders.ts';
import type { Database } from '../connection/database.ts';
import { people, projectMembers, repositories } from '../connection/schema.ts';

/** A person with their present roles; one that the platform does not know has none. `id` null: looked up by login. */
export async function findDecider(
  db: Database,
  repositoryId: number,
  { id, login }: { readonly id: number | null; readonly login: string },
): Promise<Decider> {
  const isPerson = id === null ? eq(sql`lower(${people.login})`, login.toLowerCase()) : eq(people.id, id);
  const [row] = await db
    .select({ id: people.id, login: people.login, platformRole: people.platformRole, projectRole: projectMembers.role })
    .from(people)
    .leftJoin(repositories, eq(repositories.id, repositoryId))
    .leftJoin(
      projectMembers,
      and(eq(projectMembers.projectId, repositories.projectId), eq(projectMembers.personId, people.id)),
    )
    .where(isPerson)
    .limit(1);
  return row ?? { id, login, platformRole: null, projectRole: null };
}
