/** The lease of the issue's workspace: it begins, is extended for debugging, and ends. */
import { normalizeLabel, RUN_DEBUG } from '../../stages/stages.ts';
import type { FlowEvent, ResultFact } from '../effects.ts';
import type { IssueState } from '../state.ts';
import { askLeniently, record, type Deciding, type Draft } from './draft.ts';

/**
 * The number of newest runs whose status comments show the end of the workspace; that it is kept is shown by the newest alone.
 */
const RUNS_SHOWN = 10;

/** The end of a lease of `hours` that begins now. ISO 8601. */
export function leaseEnd(now: string, hours: number): string {
  return new Date(Date.parse(now) + hours * 3_600_000).toISOString();
}

/** When the lease runs out, in milliseconds since 1970; undefined while a run is active, or without a workspace. */
export function leaseEndOf({ workspace, active }: IssueState): number | undefined {
  return workspace && !active ? Date.parse(workspace.until) : undefined;
}

/**
 * The lease is over. `run:debug`, put on by somebody who may start runs, keeps the workspace until its issue is closed: a new
 * lease begins.
 */
export function* leaseOver(draft: Draft): Deciding {
  const { state, effects, now } = draft;
  if (!state.workspace) return;
  const shown = yield* askLeniently({ kind: 'issue', issue: state.issue, label: RUN_DEBUG });
  const by = shown?.labeled.at(-1)?.account;
  const isOn = shown?.labels.some((label) => normalizeLabel(label) === RUN_DEBUG) ?? false;
  if (!isOn || (by !== undefined && shown?.refused?.[by] !== undefined)) return removeWorkspace(draft, 'ttl_expired');
  const until = leaseEnd(now, state.workspace.hours);
  state.workspace = { ...state.workspace, until };
  const payload = { namespace: state.workspace.name, reason: 'debug_label_present', until };
  record(draft, [{ type: 'run.namespace.cleanup_skipped', payload }]);
  effects.push({ kind: 'show_workspace_end', runs: 1 });
}

/** Removes the workspace, if there is one. */
export function removeWorkspace(draft: Draft, reason: string): void {
  const { workspace } = draft.state;
  if (workspace) draft.effects.push({ kind: 'remove_workspace', workspace, reason });
  else record(draft);
}

/** Records the result of a removal. A workspace that cannot be removed is held by something or belongs to somebody else. */
export function workspaceRemoved(
  draft: Draft,
  { workspace, reason, result }: Extract<ResultFact, { kind: 'workspace_removed' }>,
): void {
  const { state, effects } = draft;
  state.workspace = null;
  // A slot is not released while its namespace may still be there: the sweep of workspaces releases it.
  if (workspace.leased && !('failed' in result)) effects.push({ kind: 'release_slot' });
  record(draft, [removal(workspace.name, reason, result)]);
  // In a repository that is gone nothing can be written.
  if (reason !== 'repository_gone') effects.push({ kind: 'show_workspace_end', runs: RUNS_SHOWN });
}

function removal(
  namespace: string,
  reason: string,
  result: Extract<ResultFact, { kind: 'workspace_removed' }>['result'],
): FlowEvent {
  if ('failed' in result)
    return { type: 'run.namespace.cleanup_failed', payload: { namespace, reason, error: result.failed } };
  if ('held' in result)
    return { type: 'run.namespace.cleanup_blocked', payload: { namespace, reason, held: result.held } };
  return { type: 'run.namespace.cleaned', payload: { namespace, reason } };
}

/** The reason for removing a workspace with its issue. */
export function whyOver({ gone }: IssueState): string {
  return gone === null ? 'issue_closed' : 'repository_gone';
}
