/** Activities that combine others, so that a workflow needs one step. */
import { ApplicationFailure, log } from '@temporalio/activity';
import type { IssueRef } from '../../src/domain/issue/facts.ts';
import type { GitHubIssueState } from '../../src/domain/issue/reads.ts';
import type { Trigger } from '../../src/domain/run/trigger.ts';
import type { RunSettings } from '../../src/domain/stages/settings.ts';
import type { ChainLink, FlowEvent } from '../../src/store/audit/events.ts';
import type { RunRow } from '../../src/read-model/projections/projections.ts';
import type { createGitHubActivities } from '../github/publishing.ts';
import type { createPriorReading } from './prior-state.ts';
import type { createRecordActivities } from './records.ts';
import type { CommentRef, StatusComments } from '../github/status-comments.ts';

/** A status comment to be written. */
export interface CommentToWrite {
  /** The issue or pull request that the comment is on. */
  readonly issue: IssueRef;
  readonly body: string;
  readonly commentId: number | null;
}

/** The reaction that shows that a trigger was seen. */
export interface Acknowledgement {
  readonly issue: IssueRef;
  readonly trigger: Trigger;
  readonly pullRequest: number | null;
}

type Parts = Pick<ReturnType<typeof createRecordActivities>, 'recordRun' | 'readSettings'> &
  Pick<ReturnType<typeof createPriorReading>, 'readPrior' | 'readCandidates' | 'readRefused'> &
  Pick<ReturnType<typeof createGitHubActivities>, 'readIssue' | 'acknowledge'> & {
    readonly comments: Pick<StatusComments, 'showNow'>;
  };

export function createRunActivities({
  recordRun,
  readSettings,
  readIssue,
  comments,
  acknowledge,
  readPrior,
  readCandidates,
  readRefused,
}: Parts) {
  /**
   * While an agent works, a comment that cannot be written now is left to the activity that watches the agent (agents.ts);
   * otherwise it has to be retried.
   */
  async function showComment(comment: CommentToWrite, { id, revision, status }: RunRow): Promise<CommentRef | null> {
    const { comment: written, stands } = await comments.showNow({ ...comment, runId: id, revision });
    return stands || status === 'working' ? written : null;
  }

  return {
    /**
     * Everything that is read before a launch. `settings` are null for a repository that is not bound to a project any more.
     */
    async readTrigger(
      input: Parameters<typeof readIssue>[0] & { branches: number; people: readonly number[] },
    ): Promise<{ issue: GitHubIssueState; settings: RunSettings | null }> {
      const [issue, settings, prior, candidates, refused] = await Promise.all([
        readIssue(input),
        readSettings({ repositoryId: input.issue.repositoryId }).catch(nullWhenNotBound),
        readPrior(input.issue),
        readCandidates(input.issue, input.label, input.branches),
        readRefused(input.issue.repositoryId, input.people),
      ]);
      return { issue: { ...issue, prior, refused, ...(candidates ? { candidates } : {}) }, settings };
    },

    /**
     * Records a run's row and events, which is retried until it succeeds; then shows them on GitHub, which is tried once, so
     * that an outage of GitHub does not delay the record. `comment` is null if it has to be retried; `refused` says why it
     * cannot be written: on a locked issue, for example (docs/reliability.md T17).
     */
    async showRun(input: {
      row: RunRow;
      events: readonly FlowEvent[];
      comment: CommentToWrite | null;
      acknowledge: Acknowledgement | null;
    }): Promise<{ links: ChainLink[]; comment: { id: number; url: string } | null; refused?: string }> {
      const { row, events } = input;
      const links = await recordRun({ row, events });
      let refused: string | undefined;
      const [comment] = await Promise.all([
        input.comment &&
          showComment(input.comment, row).catch((error: unknown) => {
            if (error instanceof ApplicationFailure && error.nonRetryable)
              refused = error.message.slice(0, REFUSAL_LENGTH);
            return notShown(error);
          }),
        input.acknowledge && acknowledge(input.acknowledge).catch(notShown),
      ]);
      return { links, comment, ...(refused === undefined ? {} : { refused }) };
    },
  };
}

/** Characters of GitHub's message that are shown. */
const REFUSAL_LENGTH = 300;

function nullWhenNotBound(error: unknown): null {
  if (error instanceof ApplicationFailure && error.type === 'RepositoryNotBound') return null;
  throw error;
}

function notShown(error: unknown): null {
  log.warn('not shown on GitHub', { error: String(error) });
  return null;
}
