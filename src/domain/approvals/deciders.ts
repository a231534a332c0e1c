/** Who may approve or deny a call, and who may answer a question that a tool asks (docs/approvals.md). Pure. */
import type { ParkedCall } from './parked-call.ts';
import type { ApprovalMode, ApprovalPolicy } from './policy.ts';

/** A person at any surface; `id` is GitHub's account id, null for one that the platform does not know. */
export interface Decider {
  readonly id: number | null;
  readonly login: string;
  readonly platformRole: 'platform_owner' | 'platform_admin' | null;
  /** In the project of the run. */
  readonly projectRole: string | null;
}

export type MayDecide = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

/**
 * Whether a person may decide on a call of a run that `requester` started. `earlier`: who approved the same call before, where
 * more than one approval is needed: delegated and owner are different people. The reason of a refusal is a sentence for people.
 */
export function mayDecide(of: {
  readonly mode: ApprovalMode;
  readonly actor: Decider;
  readonly requester: { readonly id: number; readonly login: string };
  readonly policy: Pick<ApprovalPolicy, 'requesterMayDecide'>;
  readonly earlier?: readonly { readonly login: string }[];
}): MayDecide {
  const { mode, actor, requester, policy, earlier = [] } = of;
  const who = actor.login === '' ? 'somebody without a name' : actor.login;
  if (mode === 'owner' && !isOwner(actor))
    return refused(
      `only an owner or administrator of the platform, or an admin of the project, may decide; ${who} is neither`,
    );
  if (mode !== 'owner' && !isOwner(actor) && actor.projectRole !== 'read_write')
    return refused(`only members of the project with the role read_write or more may decide; ${who} has no such role`);
  if (samePerson(actor, requester) && policy.requesterMayDecide !== true)
    return refused(
      `${who} started the run, and whoever asks does not approve. Where one person works alone, the policy can say so with "requesterMayDecide": true (CODEXK8S_POLICY_FILE)`,
    );
  if (earlier.some(({ login }) => login.toLowerCase() === actor.login.toLowerCase()))
    return refused(`${who} has approved this call already, and the second approval must be another person's`);
  return { allowed: true };
}

/** Whether a person may end the wait of a parked call: by an answer, if its tool asks people, or by a verdict. */
export function mayEnd(
  call: ParkedCall & { readonly requester: { readonly id: number; readonly login: string } },
  actor: Decider,
  policy: Pick<ApprovalPolicy, 'requesterMayDecide'>,
  mode: ApprovalMode = call.mode,
): MayDecide {
  return call.asks ? mayAnswer(call.asks.owner, actor) : mayDecide({ mode, actor, requester: call.requester, policy });
}

/** Whether a person may answer a question: any member who may start runs, or only an owner or administrator. */
function mayAnswer(owner: boolean, actor: Decider): MayDecide {
  if (owner && !isOwner(actor))
    return refused(`only an owner or administrator may answer this question; ${actor.login} is neither`);
  return isOwner(actor) || actor.projectRole === 'read_write'
    ? { allowed: true }
    : refused(
        `only members of the project with the role read_write or more may answer; ${actor.login} has no such role`,
      );
}

function isOwner({ platformRole, projectRole }: Decider): boolean {
  return platformRole !== null || projectRole === 'admin';
}

function samePerson(actor: Decider, requester: { readonly id: number; readonly login: string }): boolean {
  return actor.id === requester.id || actor.login.toLowerCase() === requester.login.toLowerCase();
}

function refused(reason: string): MayDecide {
  return { allowed: false, reason };
}
