/** Performs effects. The result of an effect returns as a fact if something depends on it. */
import { isCancellation, log, patched, rootCause } from '@temporalio/workflow';
import type { Effect, ResultFact } from '../../src/domain/issue/decide.ts';
import type { FlowEvent } from '../../src/domain/issue/effects.ts';
import { issueKey, type IssueRef } from '../../src/domain/issue/facts.ts';
import { STATE_IN_REVIEW } from '../../src/domain/stages/stages.ts';
import {
  acknowledge,
  endRun,
  leaseNamespace,
  moveLabels,
  moveLabelsAsCourtesy,
  recordIssue,
  releaseNamespace,
  removeWorkspace,
  showWorkspaceEnd,
  stopAgent,
  writeRefusal,
} from '../activities.ts';
import { leftOut, type Background } from './background.ts';
import { signalAnswer, signalCancel, startRun, type Learn } from './child-runs.ts';
import type { CommentRestoring } from './comment-restoring.ts';
import { showRunWithoutWorkflow } from './show-run.ts';

export interface PerformPorts {
  readonly issue: IssueRef;
  readonly background: Background;
  readonly restoring: CommentRestoring;
  readonly learn: Learn;
}

type Of<Kind> = Extract<Effect, { kind: Kind }>;

export function createPerform({ issue, background, restoring, learn }: PerformPorts) {
  const key = issueKey(issue);
  const record = createRecording(key);

  return async function perform(effect: Effect): Promise<ResultFact | void> {
    switch (effect.kind) {
      case 'record_issue':
        return record(effect);
      case 'show_run':
        return showRunWithoutWorkflow(issue, effect).catch(leftOut);
      case 'write_refusal':
        return writeRefusal({ issue: effect.issue, refusal: effect.refusal, locale: effect.locale }).catch(leftOut);
      case 'move_labels':
        return move(effect, background);
      case 'end_review':
        // Workflows that older builds started left the label on.
        if (!patched('review-ends')) return;
        return background.add(
          effect,
          moveLabels({
            issue: effect.issue,
            remove: STATE_IN_REVIEW,
            add: null,
            pullRequest: null,
            unlessOpen: effect.pullRequest,
            ...(effect.evenIfOpen && { evenIfOpen: true }),
          }),
        );
      case 'react':
        return background.add(
          effect,
          acknowledge({ issue, trigger: effect.trigger, pullRequest: null, content: effect.content }),
        );
      case 'restore_status_comment':
        return restoring.changed(effect.change);
      case 'show_workspace_end':
        return background.add(effect, showWorkspaceEnd({ issueKey: key, runs: effect.runs }));
      case 'cancel_run':
        return signalCancel(effect, learn);
      case 'comment_answers':
        return signalAnswer(effect).catch(leftOut);
      case 'stop_agent':
        return stopAgent({ runId: effect.runId, workspace: effect.workspace }).catch(leftOut);
      case 'end_run':
        return endRun({ runId: effect.runId }).catch(leftOut);
      case 'remove_workspace':
        return remove(key, effect);
      case 'release_slot':
        return releaseNamespace({ issueKey: key }).catch(leftOut);
      case 'lease_slot':
        return lease(key, effect);
      case 'start_run':
        return startRun(issue, effect, learn);
      case 'go_on':
        return effect.fact;
      case 'at_once':
        await Promise.all(effect.effects.map(perform));
    }
  };
}

/**
 * A record that Postgres does not take within a week is skipped, so that it blocks neither the other effects nor later facts. The
 * next record corrects the row, and names the missing events in the audit trail.
 */
function createRecording(key: string): (effect: Of<'record_issue'>) => Promise<void> {
  let missing: FlowEvent[] = [];
  return async ({ row, startedAt, events }) => {
    const recorded = [...events, ...missing];
    try {
      await recordIssue({
        row,
        events: recorded.map(({ type, payload, actor, runId, correlationId }, index) => ({
          id: `${key}:${startedAt}:${row.revision}:${index}`,
          chain: key,
          type,
          actorType: actor === undefined ? ('system' as const) : ('human' as const),
          actorId: actor ?? 'worker',
          runId: runId ?? null,
          correlationId: correlationId ?? null,
          payload,
          occurredAt: row.updatedAt,
        })),
      });
      missing = missing.filter((event) => !recorded.includes(event));
    } catch (error) {
      if (isCancellation(error)) throw error;
      const reason = wordsOf(error);
      const types = events.map(({ type }) => type);
      log.error('the issue could not be recorded', { revision: row.revision, events: types, error: reason });
      missing.push({ type: 'issue.not_recorded', payload: { revision: row.revision, events: types, reason } });
    }
  };
}

async function move(effect: Of<'move_labels'>, background: Background): Promise<void> {
  const { issue, remove, add, pullRequest, waits } = effect;
  const labels = { issue, remove, add, pullRequest };
  if (waits === 'in_background') return background.add(effect, moveLabels(labels));
  await (waits === 'as_courtesy' ? moveLabelsAsCourtesy : moveLabels)(labels).catch(leftOut);
}

async function lease(key: string, { runId, template, settings }: Of<'lease_slot'>): Promise<ResultFact> {
  try {
    const name = await leaseNamespace({ issueKey: key, project: settings.project, template });
    return { kind: 'slot_leased', runId, name, settings };
  } catch (error) {
    return { kind: 'run_not_started', runId, reason: wordsOf(error) };
  }
}

async function remove(key: string, { workspace, reason }: Of<'remove_workspace'>): Promise<ResultFact> {
  const removed = { kind: 'workspace_removed', workspace, reason } as const;
  try {
    const { held } = await removeWorkspace({ workspace: workspace.name, owner: key });
    return { ...removed, result: held === undefined ? { removed: true } : { held } };
  } catch (error) {
    return { ...removed, result: { failed: wordsOf(error) } };
  }
}

/** The message of an effect's error. A cancellation is passed on. */
function wordsOf(error: unknown): string {
  if (isCancellation(error)) throw error;
  return rootCause(error) ?? String(error);
}
