/** Ending a run because a person wants it: the same for the API and for the dashboard. */
import { isTerminal } from '../../src/domain/run/runs.ts';
import type { Database } from '../../src/store/connection/database.ts';
import { findRunRecord, type RunRecord } from '../../src/read-model/queries/runs.ts';
import { RequestRefused, type ErrorLog } from '../http/errors.ts';

/** What is needed of whoever reaches the workflows. */
export interface RunControl {
  /** Asks the issue's workflow to end a run. False when that workflow does not live. */
  cancelRun(input: { issueKey: string; runId: string; actor: string; reason: string }): Promise<boolean>;
}

/** Asks for the end of a run; returns the run as it was. Refuses what is unknown or over already. */
export async function cancelRun(
  { db, control, log }: { db: Database; control: RunControl; log: ErrorLog },
  { runId, actor, reason }: { runId: string; actor: string; reason: string },
): Promise<RunRecord> {
  const run = await findRunRecord(db, runId);
  if (!run) throw new RequestRefused('not_found', `there is no run ${runId}`, 'id');
  if (isTerminal(run.status))
    throw new RequestRefused('conflict', `already_terminal: the run has ended already, as ${run.status}`, 'id');
  const asked = { issueKey: run.issueKey, runId, actor: actor || 'staff', reason: reason || 'no reason given' };
  const told = await control.cancelRun(asked).catch((error: unknown) => {
    if (error instanceof RequestRefused) throw error;
    log.error({ err: error, runId }, 'cancel not handed over');
    throw new RequestRefused('unavailable', 'Temporal does not answer, so the run goes on; try again in a moment');
  });
  if (!told)
    throw new RequestRefused(
      'failed_precondition',
      "the issue's workflow does not live, so there is nobody to end the run",
    );
  return run;
}
