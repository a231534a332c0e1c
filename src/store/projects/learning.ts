/** Learning mode: whether agents explain what they change, and what they explained. */
import { and, eq } from 'drizzle-orm';
import type { Explanation } from '../../domain/run/runs.ts';
import type { Database } from '../connection/database.ts';
import { learningFeedback, projectMembers, projects, repositories } from '../connection/schema.ts';

/** Whether a run in a repository explains its changes to the account that asked for it: the member's own setting, else the project's. */
export async function findLearning(db: Database, repositoryId: number, account: number | null): Promise<boolean> {
  const [row] = await db
    .select({ project: projects.learning, member: projectMembers.learning })
    .from(repositories)
    .innerJoin(projects, eq(projects.id, repositories.projectId))
    .leftJoin(projectMembers, and(eq(projectMembers.projectId, projects.id), eq(projectMembers.personId, account ?? 0)))
    .where(eq(repositories.id, repositoryId));
  return row?.member ?? row?.project ?? false;
}

/** Sets a member's own setting in a project; null: as the project has it. */
export async function setMemberLearning(
  db: Database,
  { personId, projectId }: { readonly personId: number; readonly projectId: string },
  learning: boolean | null,
): Promise<void> {
  await db
    .update(projectMembers)
    .set({ learning })
    .where(and(eq(projectMembers.projectId, projectId), eq(projectMembers.personId, personId)));
}

/** Keeps the explanations of a run. Idempotent: the first ones count. */
export async function keepExplanations(
  db: Database,
  runId: string,
  explanations: readonly Explanation[],
): Promise<void> {
  if (explanations.length === 0) return;
  await db
    .insert(learningFeedback)
    .values(explanations.map((explanation, index) => ({ runId, n: index + 1, ...explanation })))
    .onConflictDoNothing();
}
