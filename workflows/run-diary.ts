/** What a run tells of itself: its story, written to the read model and mirrored in the status comment. */
import { CancellationScope, log, sleep } from '@temporalio/workflow';
import type { FlowEventInput } from '../activities/records.ts';
import { issueKey } from '../src/domain/facts.ts';
import { branchName } from '../src/domain/names.ts';
import type { RunOutcome, RunStatus } from '../src/domain/runs.ts';
import { triggerLabel } from '../src/domain/stages.ts';
import {
  commentPlace,
  newStory,
  renderStatusComment,
  withOutcome,
  withStep,
  type RunStory,
} from '../src/domain/status-comment.ts';
import { recordRun, writeStatusComment } from './effects.ts';
import type { RunInput } from './messages.ts';
import { runRow } from './run-row.ts';

/** A run that has ended waits so long for its comment, and no longer. */
const COMMENT_LIMIT = '30 seconds';

type Happening = Pick<FlowEventInput, 'type' | 'payload'>;

export interface RunDiary {
  story(): RunStory;
  /** Goes on to a status and shows it everywhere. A comment that cannot be written holds nothing up. */
  enter(status: RunStatus, events: readonly Happening[]): Promise<void>;
  /** Goes on to a status that is shown with the next one. */
  note(status: RunStatus): void;
  pullRequest(pullRequest: { number: number; url: string; created: boolean }): void;
  /** Shows the end. */
  finish(outcome: RunOutcome): Promise<void>;
  /** Resolves when the comment shows the end, or cannot within half a minute. */
  commentShown(): Promise<void>;
  /** The story in a few lines of Markdown, for Temporal Web. */
  details(): string;
}

export function createRunDiary({
  plan,
  issue,
  issueTitle,
  settings,
  environment,
  pullRequest,
  resume,
}: RunInput): RunDiary {
  let { revision } = plan;
  let comment: { id: number; url: string } | undefined;
  let written = 0;
  let threadId = resume?.threadId ?? null;
  let pending: Happening[] = [];
  let commentWritten = Promise.resolve();
  let story: RunStory = {
    ...newStory(plan, {
      branch: branchName(issue.number),
      model: settings.model,
      reasoningEffort: settings.reasoningEffort,
      pullRequest,
    }),
    environment: environment.name,
    environmentUntil: environment.until,
  };

  function note(status: RunStatus): void {
    story = withStep(story, status, new Date().toISOString());
  }

  async function show(events: readonly Happening[]): Promise<void> {
    const happened = [...pending, ...events].map((event) => asFlowEvent(event));
    pending = [];
    revision += 1;
    writeComment();
    await recordRun({
      row: runRow(issue, plan, story, { revision, threadId, statusCommentUrl: comment?.url ?? null }),
      events: happened,
    });
  }

  /** One write at a time, the newest last; nothing waits for them but the end, and that not for long. */
  function writeComment(): void {
    const body = renderStatusComment(story, settings.locale, `${settings.dashboardUrl}/runs/${plan.runId}`);
    const place = commentPlace(issue, plan.trigger, pullRequest);
    commentWritten = commentWritten.then(async () => {
      try {
        comment = await writeStatusComment({ issue: place, runId: plan.runId, body, commentId: comment?.id ?? null });
      } catch (error) {
        log.warn('status comment not written', { error: String(error) });
      }
    });
  }

  function asFlowEvent(event: Happening): FlowEventInput {
    written += 1;
    return {
      ...event,
      id: `run:${plan.runId}:${written}`,
      chain: issueKey(issue),
      actorType: 'system',
      actorId: 'worker',
      runId: plan.runId,
      correlationId: plan.delivery,
      occurredAt: new Date().toISOString(),
    };
  }

  return {
    story: () => story,
    note,
    async enter(status, events) {
      note(status);
      await show(events);
    },
    pullRequest({ number, url, created }) {
      story = { ...story, pullRequest: { number, url } };
      pending.push({
        type: created ? 'run.pr.created' : 'run.pr.updated',
        payload: { branch: story.branch, pr_number: number, pr_url: url },
      });
    },
    async finish(outcome) {
      if (outcome.status === 'succeeded') ({ threadId } = outcome);
      story = withOutcome(story, outcome, new Date().toISOString());
      await show([{ type: `run.${outcome.status}`, payload: endOf(outcome) }]);
    },
    async commentShown() {
      await CancellationScope.cancellable(async () => {
        const limit = sleep(COMMENT_LIMIT, { summary: 'Wait for the status comment' }).catch(() => undefined);
        await Promise.race([commentWritten, limit]);
        CancellationScope.current().cancel();
      });
    },
    details() {
      return [
        `**${triggerLabel(plan.target)}** for ${issue.owner}/${issue.name}#${issue.number} “${issueTitle}”`,
        ...story.timeline.map(({ step, at }) => `- ${at.slice(0, 19)}Z ${step}`),
        ...(story.pullRequest ? [`Pull request: ${story.pullRequest.url}`] : []),
        ...(story.failure ? [`Failed: ${story.failure.reason}`] : []),
      ].join('\n');
    },
  };
}

function endOf(outcome: RunOutcome): Record<string, unknown> {
  if (outcome.status === 'failed') return { failure: outcome.failure };
  if (outcome.status === 'canceled') return { by: outcome.by, reason: outcome.reason };
  return { pr_number: outcome.pullRequest.number };
}
