/** The run behind a run token, as tools and the policy see it. */
import { eq } from 'drizzle-orm';
import { parseTrigger } from '../../domain/run/trigger.ts';
import { roleOf, triggerLabel } from '../../domain/stages/stages.ts';
import type { ToolRun } from '../../domain/tools/tool-run.ts';
import { modeOf } from '../../domain/workspace/workspaces.ts';
import type { Database } from '../connection/database.ts';
import { issues, projects, repositories, runs } from '../connection/schema.ts';
import type { AssignmentRow } from './assignments.ts';

/** Undefined for a run that the platform does not know yet, or whose repository is not bound any more. */
export async function findToolRun(
  db: Database,
  assignment: Pick<
    AssignmentRow,
    'runId' | 'attempt' | 'stage' | 'kind' | 'branch' | 'baseBranch' | 'model' | 'reasoningEffort'
  >,
): Promise<ToolRun | undefined> {
  const [row] = await db
    .select({
      run: runs,
      repository: repositories,
      locale: projects.locale,
      pullRequest: issues.pullRequest,
      workspace: issues.workspace,
    })
    .from(runs)
    .innerJoin(repositories, eq(repositories.id, runs.repositoryId))
    .innerJoin(projects, eq(projects.id, repositories.projectId))
    .leftJoin(issues, eq(issues.key, runs.issueKey))
    .where(eq(runs.id, assignment.runId));
  if (!row) return undefined;
  const { run, repository, locale } = row;
  const { runId, attempt, branch, baseBranch, model, reasoningEffort, kind } = assignment;
  const target = { stage: assignment.stage ?? run.stage, kind };
  const trigger = parseTrigger(run.trigger);
  const namespace = run.workspace ?? row.workspace;
  return {
    runId,
    attempt,
    projectId: repository.projectId,
    repositoryId: repository.id,
    repository: `${repository.owner}/${repository.name}`,
    issueKey: run.issueKey,
    issueNumber: run.issueNumber,
    pullRequest: run.pullRequest ?? row.pullRequest,
    branch,
    baseBranch,
    model,
    reasoningEffort,
    ...target,
    role: roleOf(target),
    label: trigger?.kind === 'label' ? triggerLabel(target) : (trigger?.kind ?? 'comment'),
    locale,
    runtime: modeOf(target),
    namespace,
  };
}
