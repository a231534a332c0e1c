/** Cancels a run on a person's request, for the API and the dashboard. */
import { isTerminal } from '../../src/domain/run/runs.ts';
import type { Database } from '../../src/store/connection/database.ts';
import { findRunRecord, type RunRecord } from '../../src/read-model/queries/runs.ts';
import { RequestRefused, type ErrorLog } from '../http/errors.ts';

/** Port to the workflows. */
export interface RunControl {
  /** Signals that a run is to be canceled. False if its workflow is not running. */
  cancelRun(input: { issueKey: string; runId: string; actor: string; reason: string }): Promise<boolean>;
}

/** Requests the cancel of a run and returns the run as it is. Throws {@link RequestRefused} if it is unknown or has ended. */
export async function cancelRun(
  { db, control, log }: { db: Database; control: RunControl; log: ErrorLog },
  { runId, actor, reason }: { runId: string; actor: string; reason: string },
): Promise<RunRecord> {
  const run = await findRunRecord(db, runId);
  if (!run) throw new RequestRefused('not_found', `there is no run ${runId}`, 'id');
  if (isTerminal(run.status))
    throw new RequestRefused('conflict', `already_terminal: the run has ended already, as ${run.status}`, 'id');
  const asked = { issueKey: run.issueKey, runId, actor: actor || 'staff', reason: reason || 'no reason given' };
  const signaled = await control.cancelRun(asked).catch((error: unknown) => {
    if (error instanceof RequestRefused) throw error;
    log.error({ err: error, runId }, 'cancel: signal failed');
    throw new RequestRefused(
      'unavailable',
      'Temporal is unreachable, so the run is not canceled; try again in a moment',
    );
  });
  if (!signaled)
    throw new RequestRefused(
      'failed_precondition',
      "the issue's workflow is not running, so the run cannot be canceled",
    );
  return run;
}
