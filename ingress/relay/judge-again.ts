/** Requests that wait, judged again by the policy of this server: a call that needs nobody any more is approved by the platform. */
import type { ApprovalPolicy } from '../../src/domain/approvals/policy.ts';
import type { Database } from '../../src/store/connection/database.ts';
import { judgedNow } from '../../src/store/runs/judged-calls.ts';
import { listRequests } from '../../src/store/runs/requests.ts';
import type { RunUpdates } from './run-updates.ts';

/**
 * Approves what the policy lets pass now. Who may decide on the others is judged when they decide. Returns the number of approvals;
 * rejects when the database or Temporal does not answer.
 */
export async function judgeAgain(
  db: Database,
  policy: ApprovalPolicy,
  updates: Pick<RunUpdates, 'answer'>,
): Promise<number> {
  let approved = 0;
  for (const { request } of await listRequests(db, true)) {
    const { id, runId, kind, call } = request;
    if (kind !== 'approval' || !call) continue;
    const { mode, reason } = await judgedNow(db, policy, { runId, call });
    if (mode !== 'none') continue;
    const given = {
      runId,
      requestId: id,
      decision: 'approved',
      text: reason,
      actor: 'policy',
      surface: 'policy',
    } as const;
    if ((await updates.answer(given)).done) approved += 1;
  }
  return approved;
}
