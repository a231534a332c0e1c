/** Writes to the read model. Each is safe to repeat: rows carry a revision, events an id. */
import { toldInComments, type WORKSPACE_EVENTS } from '../../src/domain/messages/workspace-removal.ts';
import type { RunSettings } from '../../src/domain/stages/settings.ts';
import type { Database } from '../../src/store/connection/database.ts';
import { leaseNamespace, releaseNamespace } from '../../src/store/workspaces/slots.ts';
import type { ChainLink, FlowEvent } from '../../src/store/audit/events.ts';
import { projectIssue, projectRun, type IssueRow, type RunRow } from '../../src/read-model/projections/projections.ts';
import { findRepository } from '../../src/store/projects/repositories.ts';
import { permanent } from '../failures.ts';
import type { StatusComments } from '../github/status-comments.ts';

export type FlowEventInput = FlowEvent;
export type RunRowInput = RunRow;

export interface RecordPorts {
  readonly db: Database;
  /** What the installation chooses where a project does not. */
  readonly defaults: Pick<
    RunSettings,
    'model' | 'reasoningEffort' | 'dashboardUrl' | 'workspaceHours' | 'workspaceHoursByRole' | 'waitHours'
  >;
}

const KEPT = 'run.namespace.cleanup_skipped' satisfies (typeof WORKSPACE_EVENTS)[number];

export function createRecordActivities(
  { db, defaults }: RecordPorts,
  comments?: Pick<StatusComments, 'showWorkspaceEnd'>,
) {
  return {
    /**
     * Returns where the events stand in the chain, so that Temporal's history anchors it. What they tell of the workspace
     * goes into the status comments of the issue's runs, for which nobody waits; that it is kept, into the newest alone.
     */
    async recordIssue({ row, events }: { row: IssueRow; events: readonly FlowEvent[] }): Promise<ChainLink[]> {
      const links = await projectIssue(db, row, events);
      const told = toldInComments(events);
      if (told) void comments?.showWorkspaceEnd(row.key, told.type === KEPT ? 1 : undefined);
      return links;
    },

    /** As `recordIssue`. */
    async recordRun({ row, events }: { row: RunRow; events: readonly FlowEvent[] }): Promise<ChainLink[]> {
      return projectRun(db, row, events);
    },

    async readSettings({ repositoryId }: { repositoryId: number }): Promise<RunSettings> {
      const repository = await findRepository(db, repositoryId);
      if (!repository)
        throw permanent('RepositoryNotBound', `repository ${repositoryId} is not bound to a project any more`);
      return {
        ...defaults,
        project: repository.project,
        locale: repository.locale,
        baseBranch: repository.defaultBranch,
        ...(repository.namespaceTemplate === null ? {} : { namespaceTemplate: repository.namespaceTemplate }),
        ...(repository.egress.length === 0 ? {} : { egress: repository.egress }),
      };
    },

    /** The namespace that an issue holds by its project's template; repeated, the same one. */
    async leaseNamespace(lease: { issueKey: string; project: string; template: string }): Promise<string> {
      return leaseNamespace(db, lease);
    },

    async releaseNamespace({ issueKey }: { issueKey: string }): Promise<void> {
      await releaseNamespace(db, issueKey);
    },
  };
}
