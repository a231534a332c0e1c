/** Issues, as pages and the API show them. */
import { and, desc, eq, getTableColumns } from 'drizzle-orm';
import type { Database } from '../../store/connection/database.ts';
import { issues, repositories } from '../../store/connection/schema.ts';
import { after, bounded, byteOrder, cutPage, type Page, type PageRequest } from './page.ts';
import { ofRepository, repositoryName, type RepositoryName } from './repositories.ts';

export const ISSUE_STATES = ['working', 'waiting', 'closed'] as const;
export type IssueState = (typeof ISSUE_STATES)[number];

export type IssueRecord = typeof issues.$inferSelect & {
  /** `owner/name`; null when the repository is not known. */
  readonly repository: string | null;
};

export interface IssueFilter {
  readonly state?: IssueState | undefined;
  readonly repository?: RepositoryName | undefined;
}

/** Issues, the one that changed last first. */
export async function listIssues(db: Database, filter: IssueFilter, request: PageRequest): Promise<Page<IssueRecord>> {
  const limit = bounded(request.limit);
  const rows = await selectIssues(db)
    .where(
      and(
        filter.state && eq(issues.state, filter.state),
        filter.repository && ofRepository(filter.repository),
        after(request.cursor, issues.updatedAt, issues.key),
      ),
    )
    .orderBy(desc(issues.updatedAt), desc(byteOrder(issues.key)))
    .limit(limit + 1);
  return cutPage(rows, limit, (issue) => ({ at: issue.updatedAt, id: issue.key }));
}

/** One issue by its key, or undefined. */
export async function findIssue(db: Database, key: string): Promise<IssueRecord | undefined> {
  const [row] = await selectIssues(db).where(eq(issues.key, key));
  return row;
}

/** One issue by the name that people use, or undefined. */
export async function findIssueByName(
  db: Database,
  repository: RepositoryName,
  number: number,
): Promise<IssueRecord | undefined> {
  const [row] = await selectIssues(db)
    .where(and(ofRepository(repository), eq(issues.number, number)))
    .limit(1);
  return row;
}

function selectIssues(db: Database) {
  return db
    .select({ ...getTableColumns(issues), repository: repositoryName })
    .from(issues)
    .leftJoin(repositories, eq(repositories.id, issues.repositoryId));
}
