/** A run's progress, written to the read model and mirrored in the status comment. */
import { CancellationScope, log } from '@temporalio/workflow';
import type { Assigned } from '../../activities/agents/assignments.ts';
import type { FlowEventInput, RunRowInput } from '../../activities/records/records.ts';
import { issueKey } from '../../src/domain/issue/facts.ts';
import type { RunOutcome, RunStatus } from '../../src/domain/run/runs.ts';
import type { Request } from '../../src/domain/run/requests.ts';
import type { RunWait } from '../../src/domain/run/waits.ts';
import { defaultModel } from '../../src/domain/stages/model-selection.ts';
import { triggerLabel } from '../../src/domain/stages/stages.ts';
import {
  commentSubject,
  newRunProgress,
  pagesOf,
  renderStatusComment,
  withOutcome,
  withStep,
  type RunProgress,
} from '../../src/domain/messages/status-comment.ts';
import { catchUpStatusComment, recordRun, showRun } from '../activities.ts';
import type { RunInput } from '../messages.ts';
import { runRow } from './row.ts';

/** An event of a run; `actor`: who did it, as the audit trail names them (missing: the system). */
export type RunEvent = Pick<FlowEventInput, 'type' | 'payload'> & { readonly actor?: string };

export interface ProgressReporter {
  now(): RunProgress;
  /** Enters a status and shows it everywhere. A comment that cannot be written delays nothing. */
  enter(status: RunStatus, events: readonly RunEvent[]): Promise<void>;
  /** Waits for a permit again, at this queue position in its project, and shows it. */
  queued(position: number): Promise<void>;
  /** Waits for people, and shows it. */
  waits(wait: RunWait, events: readonly RunEvent[], question: Request | null): Promise<void>;
  /** Enters a status that is shown with the next one. */
  note(status: RunStatus): void;
  /** Records events with the next status. */
  remember(events: readonly RunEvent[]): void;
  /** The model selection and base of the agent's work: shown with the next status. */
  assigned(assigned: Assigned): void;
  /** The namespace may have another name than the workspace. */
  worksIn(namespace: string): void;
  pullRequest(pullRequest: { number: number; url: string; created: boolean }): void;
  /** Shows the end. */
  finish(outcome: RunOutcome): Promise<void>;
  /** Whether the newest comment is not on GitHub yet. */
  commentIsOwed(): boolean;
  /** Resolves when the comment shows the end, or cannot be written: within a day. */
  commentShown(): Promise<void>;
  /** The progress in a few lines of Markdown, for Temporal Web. */
  details(): string;
}

export function createProgressReporter(input: RunInput): ProgressReporter {
  const { plan, issue, issueTitle, settings, workspace, pullRequest, resume } = input;
  let { revision } = plan;
  let comment: { id: number; url: string } | undefined;
  let written = 0;
  let threadId = resume?.threadId ?? null;
  let pending: RunEvent[] = [];
  let commentWritten = Promise.resolve();
  let shown = Promise.resolve();
  const place = commentSubject(issue, plan, pullRequest);
  let body = '';
  /** Set while the comment is retried on its own, and row and events are recorded without it. */
  let catchingUp = false;
  let refusedShown = false;
  let progress: RunProgress = {
    ...newRunProgress(
      plan,
      {
        branch: input.branch,
        ...(settings.cli === undefined ? {} : { cli: settings.cli }),
        model: defaultModel(settings),
        reasoningEffort: settings.reasoningEffort,
        pullRequest,
      },
      settings.account,
    ),
    workspace: workspace.name,
    workspaceUntil: workspace.until,
  };

  function note(status: RunStatus): void {
    progress = withStep(progress, status, new Date().toISOString());
  }

  const rowNow = (): RunRowInput =>
    runRow(issue, plan, progress, { revision, threadId, statusCommentUrl: comment?.url ?? null });

  function show(events: readonly RunEvent[]): Promise<void> {
    const happened = [...pending, ...events].map((event) => asFlowEvent(event));
    pending = [];
    revision += 1;
    body = renderStatusComment(progress, settings.locale, pagesOf(settings.dashboardUrl, issue, plan.runId));
    return showInTurn(rowNow(), happened, body);
  }

  /** In order, and to the end even if the run is canceled: an older comment never follows a newer one. */
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

  /** Records once why there is no comment, or an outdated one (docs/reliability.md T17). */
  async function showRefused(row: RunRowInput, reason: string): Promise<void> {
    if (refusedShown) return;
    refusedShown = true;
    await recordRun({ row, events: [asFlowEvent({ type: 'github.comment_refused', payload: { reason } })] });
  }

  /** Retries until the newest comment is on GitHub, or GitHub was unavailable for a day. */
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

  function asFlowEvent({ type, payload, actor }: RunEvent): FlowEventInput {
    written += 1;
    return {
      type,
      payload,
      id: `run:${plan.runId}:${written}`,
      chain: issueKey(issue),
      actorType: actor === undefined ? 'system' : 'human',
      actorId: actor ?? 'worker',
      runId: plan.runId,
      correlationId: plan.delivery,
      occurredAt: new Date().toISOString(),
    };
  }

  return {
    now: () => progress,
    note,
    async enter(status, events) {
      note(status);
      await show(events);
    },
    async queued(position) {
      const happened = progress.status === 'queued' ? [] : [{ type: 'run.queued', payload: { position: position } }];
      progress = { ...progress, queuePosition: position, queueOf: 'project' };
      note('queued');
      await show(happened);
    },
    async waits(wait, events, question) {
      const { question: _, ...before } = progress;
      progress = {
        ...before,
        wait,
        ...(question && { question: { question: question.question, options: question.options } }),
      };
      note('waiting');
      await show(events);
    },
    remember(events) {
      pending.push(...events);
    },
    assigned({ selection, promptSha256, task, learning, documentsProblem, snapshotSha256, comments, leftOut }) {
      const { hidden } = leftOut;
      progress = {
        ...progress,
        ...(selection.cli === undefined ? {} : { cli: selection.cli }),
        model: selection.model,
        reasoningEffort: selection.reasoningEffort,
        ...(hidden === undefined ? {} : { hidden }),
        ...(documentsProblem === undefined ? {} : { documentsProblem }),
      };
      pending.push(
        {
          type: 'input.snapshot',
          payload: { sha256: snapshotSha256, comments, ...leftOut },
        },
        ...(hidden === undefined ? [] : [{ type: 'input.hidden_text', payload: { count: hidden } }]),
        { type: 'run.profile.resolved', payload: { ...selection } },
        {
          type: 'prompt.context.assembled',
          payload: { sha256: promptSha256, ...(task && { task }), ...(learning === undefined ? {} : { learning }) },
        },
      );
    },
    worksIn(namespace) {
      progress = { ...progress, workspace: namespace };
    },
    pullRequest({ number, url, created }) {
      progress = { ...progress, pullRequest: { number, url } };
      pending.push({
        type: created ? 'run.pr.created' : 'run.pr.updated',
        payload: { branch: progress.branch, pr_number: number, pr_url: url },
      });
    },
    async finish(outcome) {
      if (outcome.status === 'succeeded' && outcome.mergedBy === undefined) ({ threadId } = outcome);
      progress = withOutcome(progress, outcome, new Date().toISOString());
      await show([{ type: `run.${outcome.status}`, payload: endOf(outcome) }]);
    },
    commentIsOwed: () => catchingUp,
    commentShown: () => commentWritten,
    details() {
      return [
        `**${triggerLabel(plan.target)}** for ${issue.owner}/${issue.name}#${issue.number} “${issueTitle}”`,
        ...progress.timeline.map(({ step, at }) => `- ${at.slice(0, 19)}Z ${step}`),
        ...(progress.pullRequest ? [`Pull request: ${progress.pullRequest.url}`] : []),
        ...(progress.failure ? [`Failed: ${progress.failure.reason}`] : []),
      ].join('\n');
    },
  };
}

function endOf(outcome: RunOutcome): Record<string, unknown> {
  if (outcome.status === 'failed') return { failure: outcome.failure };
  if (outcome.status === 'canceled') return { actor: outcome.actor, reason: outcome.reason };
  return outcome.pullRequest ? { pr_number: outcome.pullRequest.number } : {};
}
