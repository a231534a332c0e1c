/** The issue's workspace is a lease (design.md, decision 10): it is taken, kept for debugging, and given back. */
import { isCancellation, rootCause } from '@temporalio/workflow';
import type { Removal } from '../../activities/agents/agents.ts';
import { modeOf } from '../../src/domain/workspace/workspaces.ts';
import { issueKey } from '../../src/domain/issue/facts.ts';
import type { IssueState, PlannedRun } from '../../src/domain/issue/issue-life.ts';
import { workspaceName } from '../../src/domain/issue/names.ts';
import { workspaceHoursOf, type RunSettings } from '../../src/domain/stages/settings.ts';
import { roleOf, RUN_DEBUG } from '../../src/domain/stages/stages.ts';
import { leaseNamespace, readLabelTruth, releaseNamespace, removeWorkspace } from '../activities.ts';
import { type Happening, leftOut } from './projection.ts';
import type { IssueInHand } from './context.ts';

/** The workspace that the issue has, with a lease that begins anew; else a new one, named as its project says. */
export async function workspaceFor(
  here: IssueInHand,
  { target }: PlannedRun,
  settings: RunSettings,
): Promise<NonNullable<IssueState['workspace']>> {
  const { issue, state } = here;
  const hours = workspaceHoursOf(settings, roleOf(target));
  const lease = { hours, until: leaseEnd(hours) };
  const { project, namespaceTemplate } = settings;
  const template = modeOf(target) === 'full-env' ? namespaceTemplate : undefined;
  // A checkout has no slot: what needs a whole workspace begins in one of its own.
  if (state.workspace && template !== undefined && !state.workspace.leased) await cleanUp(here, 'slot_needed');
  if (state.workspace) return { ...state.workspace, ...lease };
  if (template === undefined) return { name: workspaceName(project, issue), ...lease, leased: false };
  return { name: await leaseNamespace({ issueKey: issueKey(issue), project, template }), ...lease, leased: true };
}

/** ISO 8601. */
function leaseEnd(hours: number): string {
  return new Date(Date.now() + hours * 3_600_000).toISOString();
}

/** A conversation ends when nobody says anything, a workspace when its lease runs out. */
export async function expire(here: IssueInHand): Promise<void> {
  const { state, discussion } = here;
  const endsAt = discussion.endsAt();
  if (endsAt !== undefined && endsAt <= Date.now())
    return discussion.end('codex-k8s', 'nobody said anything for eight hours');
  if (!state.workspace || state.active || Date.parse(state.workspace.until) > Date.now()) return;
  if (await keptForDebugging(here, state.workspace)) return;
  await cleanUp(here, 'ttl_expired');
}

/** `run:debug` keeps a workspace until its issue is closed (requirements.md R7): its lease begins anew. */
async function keptForDebugging(
  { issue, state, show }: IssueInHand,
  workspace: NonNullable<IssueState['workspace']>,
): Promise<boolean> {
  const truth = await readLabelTruth({ issue, label: RUN_DEBUG, facts: [] }).catch(leftOut);
  if (!truth?.labels.some((label) => label.trim().toLowerCase() === RUN_DEBUG)) return false;
  const until = leaseEnd(workspace.hours);
  state.workspace = { ...workspace, until };
  const payload = { namespace: workspace.name, reason: 'debug_label_present', until };
  await show([{ type: 'run.namespace.cleanup_skipped', payload }]);
  return true;
}

/** Removes the workspace, if there is one, and shows how that went. */
export async function cleanUp({ state, show, issue }: IssueInHand, reason: string): Promise<void> {
  if (!state.workspace) return show([]);
  const { name, leased } = state.workspace;
  const happened = await removeWorkspace({ workspace: name, owner: issueKey(issue) }).then(
    (removal: Removal): Happening =>
      removal.held === undefined
        ? { type: 'run.namespace.cleaned', payload: { namespace: name, reason } }
        : { type: 'run.namespace.cleanup_blocked', payload: { namespace: name, reason, held: removal.held } },
    (error: unknown): Happening => {
      if (isCancellation(error)) throw error;
      const failed = rootCause(error) ?? String(error);
      return { type: 'run.namespace.cleanup_failed', payload: { namespace: name, reason, error: failed } };
    },
  );
  // What cannot be removed is held by something, is somebody else's, or a person's to look at: the issue goes on without it.
  state.workspace = null;
  // Nobody else gets the name of one that may stay: the sweep of workspaces gives it back.
  if (leased && happened.type !== 'run.namespace.cleanup_failed') await releaseNamespace({ issueKey: issueKey(issue) });
  await show([happened]);
}

/** Why a workspace goes with its issue. */
export function whyOver(state: IssueState): string {
  return state.gone === null ? 'issue_closed' : 'repository_gone';
}
