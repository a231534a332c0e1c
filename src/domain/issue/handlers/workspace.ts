/** The issue's workspace is a lease: it is taken, kept for debugging, and given back. */
import { normalizeLabel, RUN_DEBUG } from '../../stages/stages.ts';
import type { FlowEvent, ResultFact } from '../effects.ts';
import type { IssueState } from '../state.ts';
import { askLeniently, record, type Deciding, type Draft } from './draft.ts';

/** So many of the newest runs say in their status comments what became of the workspace; that it is kept, the newest alone. */
const RUNS_TOLD = 10;

/** The end of a lease of so many hours that begins now. ISO 8601. */
export function leaseEnd(now: string, hours: number): string {
  return new Date(Date.parse(now) + hours * 3_600_000).toISOString();
}

/** When the lease runs out, in milliseconds since 1970; undefined while a run is active, or without a workspace. */
export function leaseEndOf({ workspace, active }: IssueState): number | undefined {
  return workspace && !active ? Date.parse(workspace.until) : undefined;
}

/** `run:debug` keeps a workspace until its issue is closed: its lease begins anew. */
export function* leaseOver(draft: Draft): Deciding {
  const { state, effects, now } = draft;
  if (!state.workspace) return;
  const shown = yield* askLeniently({ kind: 'issue', issue: state.issue, label: RUN_DEBUG });
  if (!shown?.labels.some((label) => normalizeLabel(label) === RUN_DEBUG)) return removeWorkspace(draft, 'ttl_expired');
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

/** Shows how that went. What cannot be removed is held by something, is somebody else's, or a person's to look at. */
export function workspaceRemoved(
  draft: Draft,
  { workspace, reason, result }: Extract<ResultFact, { kind: 'workspace_removed' }>,
): void {
  const { state, effects } = draft;
  state.workspace = null;
  // Nobody else gets the name of one that may stay: the sweep of workspaces gives it back.
  if (workspace.leased && !('failed' in result)) effects.push({ kind: 'release_slot' });
  record(draft, [removal(workspace.name, reason, result)]);
  // Where the repository is gone, nobody can write there.
  if (reason !== 'repository_gone') effects.push({ kind: 'show_workspace_end', runs: RUNS_TOLD });
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

/** Why a workspace goes with its issue. */
export function whyOver({ gone }: IssueState): string {
  return gone === null ? 'issue_closed' : 'repository_gone';
}
