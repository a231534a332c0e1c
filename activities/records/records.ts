/** Writes to the read model. Each is idempotent: rows carry a revision, events an id. */
import type { RunSettings } from '../../src/domain/stages/settings.ts';
import type { Database } from '../../src/store/connection/database.ts';
import { leaseNamespace, releaseNamespace } from '../../src/store/workspaces/slots.ts';
import type { ChainLink, FlowEvent } from '../../src/store/audit/events.ts';
import { projectIssue, projectRun, type IssueRow, type RunRow } from '../../src/read-model/projections/projections.ts';
import { presentRepository, type GitHubIdentities } from '../../src/store/projects/present-repository.ts';
import { permanent } from '../failures.ts';

export type FlowEventInput = FlowEvent;
export type RunRowInput = RunRow;

export interface RecordPorts {
  readonly db: Database;
  readonly github: GitHubIdentities & {
    /** The login of the platform's token; undefined for one that stands for no account. */
    ownLogin?(): Promise<string | undefined>;
  };
  /** The installation's defaults for projects. */
  readonly defaults: Pick<
    RunSettings,
    | 'cli'
    | 'model'
    | 'claudeModel'
    | 'reasoningEffort'
    | 'dashboardUrl'
    | 'workspaceHours'
    | 'workspaceHoursByRole'
    | 'waitHours'
    | 'triggersPerHour'
  >;
}

export function createRecordActivities({ db, github, defaults }: RecordPorts) {
  return {
    /** Returns the events' links in the chain, which Temporal's history thereby anchors. */
    async recordIssue({ row, events }: { row: IssueRow; events: readonly FlowEvent[] }): Promise<ChainLink[]> {
      return projectIssue(db, row, events);
    },

    /** As `recordIssue`. */
    async recordRun({ row, events }: { row: RunRow; events: readonly FlowEvent[] }): Promise<ChainLink[]> {
      return projectRun(db, row, events);
    },

    /** The project's settings, with the repository's present default branch. */
    async readSettings({ repositoryId }: { repositoryId: number }): Promise<RunSettings> {
      const repository = await presentRepository(db, github, repositoryId);
      if (!repository)
        throw permanent('RepositoryNotBound', `repository ${repositoryId} is not bound to a project any more`);
      // Only for advice: GitHub need not answer.
      const account = await github.ownLogin?.().catch(() => undefined);
      return {
        ...defaults,
        ...(account === undefined ? {} : { account }),
        project: repository.project,
        locale: repository.locale,
        baseBranch: repository.defaultBranch,
        ...(repository.agents.cli === null ? {} : { cli: repository.agents.cli }),
        ...(repository.namespaceTemplate === null ? {} : { namespaceTemplate: repository.namespaceTemplate }),
        ...(repository.branchPrefix === null ? {} : { branchPrefix: repository.branchPrefix }),
        ...(repository.egress.length === 0 ? {} : { egress: repository.egress }),
      };
    },

    /** The issue's slot in the project's namespace template. Repeated, it returns the same one. */
    async leaseNamespace(lease: { issueKey: string; project: string; template: string }): Promise<string> {
      return leaseNamespace(db, lease);
    },

    async releaseNamespace({ issueKey }: { issueKey: string }): Promise<void> {
      await releaseNamespace(db, issueKey);
    },
  };
}
