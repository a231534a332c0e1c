/** Activities that join others, where a workflow needs them in one step. */
import { ApplicationFailure, log } from '@temporalio/activity';
import type { IssueRef } from '../src/domain/facts.ts';
import type { LabelTruth } from '../src/domain/issue-life.ts';
import type { RunSettings } from '../src/domain/settings.ts';
import type { ChainLink, FlowEvent } from '../src/read-model/events.ts';
import type { RunRow } from '../src/read-model/projections.ts';
import type { createGitHubActivities } from './github.ts';
import type { createRecordActivities } from './records.ts';

/** A status comment as it is to be. */
export interface CommentToWrite {
  /** Where it stands: the issue, or the pull request. */
  readonly issue: IssueRef;
  readonly body: string;
  readonly commentId: number | null;
}

/** What shows that a person was heard. */
export interface Acknowledgement {
  readonly issue: IssueRef;
  readonly trigger: string;
  readonly pullRequest: number | null;
}

type Parts = Pick<ReturnType<typeof createRecordActivities>, 'recordRun' | 'readSettings'> &
  Pick<ReturnType<typeof createGitHubActivities>, 'readLabelTruth' | 'writeStatusComment' | 'acknowledge'>;

export function createRunActivities({
  recordRun,
  readSettings,
  readLabelTruth,
  writeStatusComment,
  acknowledge,
}: Parts) {
  return {
    /** All that is asked before a launch. `settings` are null for a repository that is bound to no project any more. */
    async readTrigger(
      input: Parameters<typeof readLabelTruth>[0],
    ): Promise<{ truth: LabelTruth; settings: RunSettings | null }> {
      const [truth, settings] = await Promise.all([
        readLabelTruth(input),
        readSettings({ repositoryId: input.issue.repositoryId }).catch(nullWhenNotBound),
      ]);
      return { truth, settings };
    },

    /**
     * Records a run's row and events, which is tried until it is done; then shows them on GitHub, which is tried once: a
     * GitHub that is away must not keep the record waiting. `comment` is null when it was not written.
     */
    async showRun(input: {
      row: RunRow;
      events: readonly FlowEvent[];
      comment: CommentToWrite | null;
      acknowledge: Acknowledgement | null;
    }): Promise<{ links: ChainLink[]; comment: { id: number; url: string } | null }> {
      const { row, events } = input;
      const links = await recordRun({ row, events });
      const [comment] = await Promise.all([
        input.comment && writeStatusComment({ ...input.comment, runId: row.id }).catch(notShown),
        input.acknowledge && acknowledge(input.acknowledge).catch(notShown),
      ]);
      return { links, comment };
    },
  };
}

function nullWhenNotBound(error: unknown): null {
  if (error instanceof ApplicationFailure && error.type === 'RepositoryNotBound') return null;
  throw error;
}

function notShown(error: unknown): null {
  log.warn('not shown on GitHub', { error: String(error) });
  return null;
}
