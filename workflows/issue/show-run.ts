/** Shows a run that has no workflow yet, or none any more: its status comment and its row. */
import type { Effect } from '../../src/domain/issue/decide.ts';
import type { IssueRef } from '../../src/domain/issue/facts.ts';
import {
  commentSubject,
  newRunProgress,
  pagesOf,
  renderStatusComment,
  withOutcome,
} from '../../src/domain/messages/status-comment.ts';
import { defaultModel } from '../../src/domain/stages/model-selection.ts';
import { recordRun, writeStatusComment } from '../activities.ts';
import { runRow } from '../run/row.ts';
import { leftOut } from './background.ts';

export async function showRunWithoutWorkflow(
  issue: IssueRef,
  { plan, revision, settings, branch, pullRequest, shown }: Extract<Effect, { kind: 'show_run' }>,
): Promise<void> {
  const model = settings ? defaultModel(settings) : null;
  const cli = settings?.cli === undefined ? {} : { cli: settings.cli };
  const reasoningEffort = settings?.reasoningEffort ?? null;
  const asked = newRunProgress(plan, { branch, ...cli, model, reasoningEffort, pullRequest }, settings?.account);
  const progress =
    'outcome' in shown ? withOutcome(asked, shown.outcome, shown.at) : { ...asked, queuePosition: shown.queuePosition };
  const comment =
    settings &&
    (await writeStatusComment({
      issue: commentSubject(issue, plan, pullRequest),
      runId: plan.runId,
      body: renderStatusComment(progress, settings.locale, pagesOf(settings.dashboardUrl, issue, plan.runId)),
      commentId: null,
      revision,
    }).catch(leftOut));
  await recordRun({
    row: runRow(issue, plan, progress, { revision, threadId: null, statusCommentUrl: comment?.url ?? null }),
    events: [],
  });
}
