/** Calls that wait, judged by the policy as it is now: an older decision of it does not count. */
import { mayEnd, type MayDecide } from '../../domain/approvals/deciders.ts';
import { evaluatePolicy, type ApprovalPolicy, type PolicyDecision } from '../../domain/approvals/policy.ts';
import type { Request, RequestedCall } from '../../domain/run/requests.ts';
import type { Database } from '../connection/database.ts';
import { findDecider } from '../projects/deciders.ts';
import { findAssignment } from './assignments.ts';
import { findToolRun } from './tool-runs.ts';

/** What the policy wants of a call now; of a run that is not known any more, what it wanted at the call. */
export async function judgedNow(
  db: Database,
  policy: ApprovalPolicy,
  { runId, call }: Pick<Request, 'runId'> & { readonly call: RequestedCall },
): Promise<PolicyDecision> {
  const assignment = await findAssignment(db, runId);
  const run = assignment && (await findToolRun(db, assignment));
  if (!run) return { mode: call.mode, rule: null, reason: call.reason };
  const { role, stage, label, runtime } = run;
  return evaluatePolicy(policy, { role, stage, label, runtime, tool: call.tool, action: call.action });
}

/** Whether a person may end the wait of a request; one without a call is answered by whoever may start runs. */
export async function mayEndNow(
  db: Database,
  policy: ApprovalPolicy,
  request: Request,
  by: { readonly repositoryId: number; readonly id: number | null; readonly login: string },
): Promise<MayDecide> {
  const { runId, call } = request;
  if (!call) return { allowed: true };
  const [actor, { mode }] = await Promise.all([
    findDecider(db, by.repositoryId, by),
    judgedNow(db, policy, { runId, call }),
  ]);
  return mayEnd(call, actor, policy, mode);
}
