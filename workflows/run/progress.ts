/** What a run tells of itself: its story, written to the read model and mirrored in the status comment. */
import { CancellationScope, log, sleep } from '@temporalio/workflow';
import type { Assigned } from '../../activities/agents/assignments.ts';
import type { FlowEventInput, RunRowInput } from '../../activities/records/records.ts';
import { issueKey } from '../../src/domain/issue/facts.ts';
import { branchName } from '../../src/domain/issue/names.ts';
import type { RunOutcome, RunStatus } from '../../src/domain/run/runs.ts';
import { triggerLabel } from '../../src/domain/stages/stages.ts';
import {
  commentPlace,
  newStory,
  pagesOf,
  renderStatusComment,
  withOutcome,
  withStep,
  type RunStory,
} from '../../src/domain/messages/status-comment.ts';
import { catchUpStatusComment, recordRun, showRun, writeStatusComment } from '../activities.ts';
import type { RunInput } from '../messages.ts';
import { runRow } from './row.ts';

/** A run of 0.1.0 that has ended waits so long for its comment, and no longer. */
const COMMENT_LIMIT = '30 seconds';

type Happening = Pick<FlowEventInput, 'type' | 'payload'>;

export interface RunDiary {
  story(): RunStory;
  /** Goes on to a status and shows it everywhere. A comment that cannot be written holds nothing up. */
  enter(status: RunStatus, events: readonly Happening[]): Promise<void>;
  /** Waits again, at this place in the queue of its project, and shows it. */
  queued(place: number): Promise<void>;
  /** Goes on to a status that is shown with the next one. */
  note(status: RunStatus): void;
  /** What the agent works with and on: shown with the next step. */
  assigned(assigned: Assigned): void;
  /** The namespace may have another name than the workspace. */
  worksIn(namespace: string): void;
  pullRequest(pullRequest: { number: number; url: string; created: boolean }): void;
  /** Shows the end. */
  finish(outcome: RunOutcome): Promise<void>;
  /** Whether GitHub did not take the newest comment yet. */
  commentIsOwed(): boolean;
  /** Resolves when the comment shows the end, or cannot: within a day, in 0.1.0 within half a minute. */
  commentShown(): Promise<void>;
  /** The story in a few lines of Markdown, for Temporal Web. */
  details(): string;
}

/** `inOneStep`: row, events and comment are one activity. In 0.1.0 they were several (`patched` in run.ts). */
export function createRunDiary(
  { plan, issue, issueTitle, settings, workspace, pullRequest, resume, branch }: RunInput,
  inOneStep: boolean,
): RunDiary {
  let { revision } = plan;
  let comment: { id: number; url: string } | undefined;
  let written = 0;
  let threadId = resume?.threadId ?? null;
  let pending: Happening[] = [];
  let commentWritten = Promise.resolve();
  let shown = Promise.resolve();
  const place = commentPlace(issue, plan, pullRequest);
  let body = '';
  /** Set while comments that GitHub did not take are tried again, and row and events are shown without them. */
  let catchingUp = false;
  let refusedShown = false;
  let story: RunStory = {
    ...newStory(plan, {
      branch: branch ?? branchName(issue.number),
      model: settings.model,
      reasoningEffort: settings.reasoningEffort,
      pullRequest,
    }),
    workspace: workspace.name,
    workspaceUntil: workspace.until,
  };

  function note(status: RunStatus): void {
    story = withStep(story, status, new Date().toISOString());
  }

  const rowNow = (): RunRowInput =>
    runRow(issue, plan, story, { revision, threadId, statusCommentUrl: comment?.url ?? null });

  function show(events: readonly Happening[]): Promise<void> {
    const happened = [...pending, ...events].map((event) => asFlowEvent(event));
    pending = [];
    revision += 1;
    body = renderStatusComment(story, settings.locale, pagesOf(settings.dashboardUrl, issue, plan.runId));
    if (inOneStep) return showInTurn(rowNow(), happened, body);
    writeComment();
    return recordRun({ row: rowNow(), events: happened }).then(() => undefined);
  }

  /** One after the other, and to the end also when the run is canceled: an older comment never follows a newer one. */
  function showInTurn(row: RunRowInput, events: readonly FlowEventInput[], text: string): Promise<void> {
    const first = row.revision === plan.revision + 1;
    const mine = shown.then(() =>
      CancellationScope.nonCancellable(async () => {
        const withComment = !catchingUp;
        const done = await showRun({
          row,
          events,
          comment: withComment ? { issue: place, body: text, commentId: comment?.id ?? null } : null,
          acknowledge: first ? { issue, trigger: plan.trigger, pullRequest: pullRequest?.number ?? null } : null,
        });
        if (done.comment) ({ comment } = done);
        else if (done.refused !== undefined) await showRefused(row, done.refused);
        else if (withComment) commentWritten = catchUp();
      }),
    );
    shown = mine.catch(() => undefined);
    return mine;
  }

  /** Says once why there is no comment, or an old one, for people who look for it (docs/reliability.md T17). */
  async function showRefused(row: RunRowInput, reason: string): Promise<void> {
    if (refusedShown) return;
    refusedShown = true;
    await recordRun({ row, events: [asFlowEvent({ type: 'github.comment_refused', payload: { reason } })] });
  }

  /** Goes on until the newest comment stands on GitHub, or GitHub was away for a day. */
  async function catchUp(): Promise<void> {
    catchingUp = true;
    for (let standing = ''; standing !== body;) {
      const writing = body;
      try {
        comment = await catchUpStatusComment({
          issue: place,
          runId: plan.runId,
          body: writing,
          commentId: comment?.id ?? null,
          revision,
        });
      } catch (error) {
        log.warn('status comment not written', { error: String(error) });
      }
      standing = writing;
    }
    catchingUp = false;
  }

  /** One write at a time, the newest last; nothing waits for them but the end, and that not for long. */
  function writeComment(): void {
    const text = body;
    const count = revision;
    commentWritten = commentWritten.then(async () => {
      try {
        comment = await writeStatusComment({
          issue: place,
          runId: plan.runId,
          body: text,
          commentId: comment?.id ?? null,
          revision: count,
        });
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
    async queued(place) {
      const happened = story.status === 'queued' ? [] : [{ type: 'run.queued', payload: { place } }];
      story = { ...story, queuePlace: place, queueOf: 'project' };
      note('queued');
      await show(happened);
    },
    assigned({ profile, promptSha256, snapshotSha256, comments, leftOut }) {
      if (profile === undefined) return;
      story = { ...story, model: profile.model, reasoningEffort: profile.reasoningEffort };
      pending.push(
        {
          type: 'input.snapshot',
          payload: { sha256: snapshotSha256, comments, outsiders: leftOut.outsiders, edited: leftOut.edited },
        },
        { type: 'run.profile.resolved', payload: { ...profile } },
        { type: 'prompt.context.assembled', payload: { sha256: promptSha256 } },
      );
    },
    worksIn(namespace) {
      story = { ...story, workspace: namespace };
    },
    pullRequest({ number, url, created }) {
      story = { ...story, pullRequest: { number, url } };
      pending.push({
        type: created ? 'run.pr.created' : 'run.pr.updated',
        payload: { branch: story.branch, pr_number: number, pr_url: url },
      });
    },
    async finish(outcome) {
      if (outcome.status === 'succeeded' && outcome.mergedBy === undefined) ({ threadId } = outcome);
      story = withOutcome(story, outcome, new Date().toISOString());
      await show([{ type: `run.${outcome.status}`, payload: endOf(outcome) }]);
    },
    commentIsOwed: () => catchingUp,
    async commentShown() {
      if (inOneStep) return commentWritten;
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
  return outcome.pullRequest ? { pr_number: outcome.pullRequest.number } : {};
}
