/** Which runs have lost their workflow, and which workspaces have no owner any more (docs/decisions.md, 10). Pure. */

/** A workflow as Temporal shows it. */
export type WorkflowStatus =
  | { readonly status: 'open' }
  | { readonly status: 'closed'; readonly closedAt: string }
  | { readonly status: 'absent' };

/**
 * Whether a run that the read model shows at work is lost: its workflow is gone. The read model lags behind at a run's start
 * and end, so nothing is lost within the grace period.
 */
export function isLostRun(
  workflow: WorkflowStatus,
  shownAt: string,
  { now, graceMs }: { readonly now: number; readonly graceMs: number },
): boolean {
  if (workflow.status === 'open') return false;
  const since = workflow.status === 'closed' ? workflow.closedAt : shownAt;
  return Date.parse(since) <= now - graceMs && Date.parse(shownAt) <= now - graceMs;
}

/** A workspace as a runtime lists it; only workspaces that this platform has made are listed. */
export interface ListedWorkspace {
  readonly name: string;
  /** The key. */
  readonly owner: string;
  /** Runs that ever worked in it. */
  readonly runs: readonly string[];
  /** When it was created, or a run last started in it. ISO 8601. */
  readonly usedAt: string;
}

/** Whether a workspace has no owner any more: it is old, and neither its issue nor any of its runs has an open workflow. */
export function isOrphan(
  { usedAt }: ListedWorkspace,
  workflows: readonly WorkflowStatus[],
  { now, ageMs }: { readonly now: number; readonly ageMs: number },
): boolean {
  return Date.parse(usedAt) <= now - ageMs && workflows.every(({ status }) => status !== 'open');
}
