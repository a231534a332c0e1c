/** Starts a run in the issue's workspace, or in a new one. */
import { modeOf } from '../../workspace/workspaces.ts';
import { workspaceHoursOf, type RunSettings } from '../../stages/settings.ts';
import { renderTrigger } from '../../run/trigger.ts';
import { roleOf, triggerLabel } from '../../stages/stages.ts';
import type { ResultFact } from '../effects.ts';
import { isWholeWork } from '../gates.ts';
import { branchName, workspaceName } from '../names.ts';
import { usePrefix, type PlannedRun, type Workspace } from '../state.ts';
import { showEnded } from './cancels.ts';
import { askSettings, record, type Deciding, type Draft } from './draft.ts';
import { answered } from './refusals.ts';
import { leaseEnd, removeWorkspace } from './workspace.ts';

/**
 * Starts a run, which becomes the active one. A checkout has no slot: a run that needs a whole workspace waits until the
 * checkout is removed and a slot is leased.
 */
export function* start(draft: Draft, planned: PlannedRun): Deciding {
  const { state, effects } = draft;
  const { runId, target } = planned;
  state.active = planned;
  const answer = yield* askSettings(draft);
  if ('failed' in answer) return yield* couldNotStart(draft, planned, answer.failed);
  const settings = answer.value;
  const { project, namespaceTemplate: template } = settings;
  const present = state.workspace;
  if (template === undefined || modeOf(target) !== 'full-env')
    return launch(draft, planned, settings, present ?? { name: workspaceName(project, state.issue), leased: false });
  if (present?.leased) return launch(draft, planned, settings, present);
  if (present) return removeWorkspace(draft, 'slot_needed');
  effects.push({ kind: 'lease_slot', runId, template, settings });
}

export function slotLeased(
  draft: Draft,
  { runId, name, settings }: Extract<ResultFact, { kind: 'slot_leased' }>,
): void {
  const { active } = draft.state;
  if (active?.runId === runId) launch(draft, active, settings, { name, leased: true });
}

/** The lease of the workspace starts again with each run. */
function launch(
  draft: Draft,
  plan: PlannedRun,
  settings: RunSettings,
  { name, leased }: Pick<Workspace, 'name' | 'leased'>,
): void {
  const { state, effects, now } = draft;
  const { issue, discussion, pullRequest } = state;
  const hours = workspaceHoursOf(settings, roleOf(plan.target));
  const workspace = { name, hours, until: leaseEnd(now, hours), leased };
  state.workspace = workspace;
  // The work of an open pull request goes on where it is; a change of the prefix counts for what begins.
  if (!pullRequest) usePrefix(state, settings.branchPrefix);
  answered(draft);
  const isDiscussion = plan.target.kind === 'discussion';
  effects.push({
    kind: 'start_run',
    label: triggerLabel(plan.target),
    start: {
      issue,
      issueTitle: state.title,
      plan,
      settings,
      workspace,
      resume: isDiscussion ? (discussion?.last ?? null) : state.last,
      ...(discussion?.answeredUntil ? { answeredUntil: discussion.answeredUntil } : {}),
      ...(discussion?.heard === undefined ? {} : { heard: discussion.heard }),
      pullRequest,
      branch: branchName(issue.number, state.branch ?? 1, state.branchPrefix),
      since: pullRequest ? (state.last?.headSha ?? null) : null,
      closes: isWholeWork(plan.target, state.done ?? {}),
    },
  });
}

export function runStarted(draft: Draft, runId: string): void {
  const { active } = draft.state;
  if (active?.runId !== runId) return;
  const { target, trigger, by, delivery } = active;
  const payload = { label: triggerLabel(target), trigger: renderTrigger(trigger) };
  record(draft, [{ type: 'run.started', payload, actor: by.login, runId, correlationId: delivery }]);
}

/** Gives up the active run, so that the issue is not blocked by it. */
export function notStarted(draft: Draft, { runId, delivery }: PlannedRun, reason: string): void {
  draft.state.active = null;
  const payload = { failure: 'launch_failed', reason };
  record(draft, [{ type: 'run.failed', payload, runId, correlationId: delivery }]);
}

/** The same, and shows the end of a run that was shown as queued: in its row and its status comment. */
export function* couldNotStart(draft: Draft, planned: PlannedRun, reason: string): Deciding {
  notStarted(draft, planned, reason);
  yield* showEnded(draft, planned, { status: 'failed', failure: 'launch_failed', detail: reason });
}
