/** Bound repositories, and their names. */
import { and, asc, eq, sql, type SQL } from 'drizzle-orm';
import type { Database } from '../../store/connection/database.ts';
import { projects, repositories } from '../../store/connection/schema.ts';
import { bounded } from './page.ts';

export interface RepositoryName {
  readonly owner: string;
  readonly name: string;
}

/** `owner/name`, or null when the joined repository is not known. */
export const repositoryName = sql<string | null>`${repositories.owner} || '/' || ${repositories.name}`;

/** The condition of one repository; GitHub compares names without regard to case. */
export function ofRepository({ owner, name }: RepositoryName): SQL | undefined {
  return and(
    eq(sql`lower(${repositories.owner})`, owner.toLowerCase()),
    eq(sql`lower(${repositories.name})`, name.toLowerCase()),
  );
}

export interface BoundRepositoryRecord {
  /** `owner/name`. */
  readonly fullName: string;
  readonly project: string;
}

/** Repositories that are bound, by name. */
export async function listRepositories(db: Database, limit: number): Promise<BoundRepositoryRecord[]> {
  return db
    .select({ fullName: sql<string>`${repositories.owner} || '/' || ${repositories.name}`, project: projects.slug })
    .from(repositories)
    .innerJoin(projects, eq(projects.id, repositories.projectId))
    .orderBy(asc(repositories.owner), asc(repositories.name))
    .limit(bounded(limit));
}
