/** A run is begun: it gets the issue's workspace, or a new one, and all that it has to know. */
import { modeOf } from '../../workspace/workspaces.ts';
import { workspaceHoursOf, type RunSettings } from '../../stages/settings.ts';
import { renderTrigger } from '../../run/trigger.ts';
import { roleOf, triggerLabel } from '../../stages/stages.ts';
import type { ResultFact } from '../effects.ts';
import { isWholeWork } from '../gates.ts';
import { branchName, workspaceName } from '../names.ts';
import type { PlannedRun, Workspace } from '../state.ts';
import { showEnded } from './cancels.ts';
import { askSettings, record, type Deciding, type Draft } from './draft.ts';
import { answered } from './refusals.ts';
import { leaseEnd, removeWorkspace } from './workspace.ts';

/**
 * Begins a run, which is the active one from now on. A checkout has no slot: what needs a whole workspace begins in one of its own,
 * when the checkout is removed and a slot is found.
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

/** The lease of the workspace begins anew with each run. */
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
  answered(draft);
  const isTurn = plan.target.kind === 'discussion';
  effects.push({
    kind: 'start_run',
    label: triggerLabel(plan.target),
    start: {
      issue,
      issueTitle: state.title,
      plan,
      settings,
      workspace,
      resume: isTurn ? (discussion?.last ?? null) : state.last,
      ...(discussion?.answeredUntil ? { answeredUntil: discussion.answeredUntil } : {}),
      pullRequest,
      branch: branchName(issue.number, state.branch ?? 1),
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

/** A run that cannot be started must not keep the issue busy for ever. */
export function notStarted(draft: Draft, { runId, delivery }: PlannedRun, reason: string): void {
  draft.state.active = null;
  const payload = { failure: 'launch_failed', reason };
  record(draft, [{ type: 'run.failed', payload, runId, correlationId: delivery }]);
}

/** The same, shown where the run was shown as one that waits: its row and its status comment. */
export function* couldNotStart(draft: Draft, planned: PlannedRun, reason: string): Deciding {
  notStarted(draft, planned, reason);
  yield* showEnded(draft, planned, { status: 'failed', failure: 'launch_failed', detail: reason });
}
