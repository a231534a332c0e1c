/** Who may start a run. */
import type { Account } from '../issue/facts.ts';

/** The sender of a webhook. */
export interface Sender extends Account {
  /** GitHub's account type: User, Bot, Organization. */
  readonly type: string;
}

/** The sender's rights in the platform and in the repository's project. */
export interface Membership {
  readonly platformRole: 'platform_owner' | 'platform_admin' | null;
  readonly projectRole: string | null;
  /** Whether the platform knows this person. */
  readonly known: boolean;
}

export type Authorization =
  | { readonly permitted: true; readonly reason: string }
  /** `known`: the refusal may be explained. The platform must not write comments because of strangers. */
  | { readonly permitted: false; readonly reason: string; readonly known: boolean };

/** Decides by account type, platform role and project role, in this order; the reason is recorded in any case. */
export function authorize(sender: Sender, membership: Membership): Authorization {
  if (sender.login === '') return refused('sender_login_missing', false);
  if (sender.type !== 'User') return refused(`sender_type_${sender.type.toLowerCase()}_not_permitted`, false);
  if (membership.platformRole) return { permitted: true, reason: membership.platformRole };
  if (!membership.known) return refused('sender_not_allowed', false);
  if (membership.projectRole === null) return refused('sender_not_project_member', true);
  if (membership.projectRole === 'admin' || membership.projectRole === 'read_write') {
    return { permitted: true, reason: `project_member_${membership.projectRole}` };
  }
  return refused(
    membership.projectRole === '' ? 'sender_role_not_permitted' : `sender_role_${membership.projectRole}_not_permitted`,
    true,
  );
}

function refused(reason: string, known: boolean): Authorization {
  return { permitted: false, reason, known };
}
