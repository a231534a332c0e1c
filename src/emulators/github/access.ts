/** Permissions of accounts on repositories. */
import type { RepoRow, Rows, UserRow } from './rows.ts';

/** GitHub's roles, from the least to the most. */
const ROLES = ['none', 'read', 'triage', 'write', 'maintain', 'admin'] as const;
export type Role = (typeof ROLES)[number];

const ROLE_OF = { pull: 'read', triage: 'triage', push: 'write', maintain: 'maintain', admin: 'admin' } as const;

/** The role that an account was given on a repository, without what the public may do. */
export function roleOf(rows: Rows, account: UserRow, repo: RepoRow): Role {
  if (repo.owner_type === 'User') {
    if (repo.owner_id === account.id) return 'admin';
  } else if (isMember(rows, account, repo.owner_id)) return 'admin';
  const collaborator = rows.collaborators.findBy('repo_id', repo.id).find((row) => row.user_id === account.id);
  return collaborator ? ROLE_OF[collaborator.permission] : 'none';
}

/** True if an account (the public when absent) may act on a repository in a role. */
export function mayAct(rows: Rows, account: UserRow | undefined, repo: RepoRow, role: Role): boolean {
  if (role === 'read' && !repo.private) return true;
  return account !== undefined && ROLES.indexOf(roleOf(rows, account, repo)) >= ROLES.indexOf(role);
}

function isMember(rows: Rows, account: UserRow, orgId: number): boolean {
  const teams = new Set(rows.teams.findBy('org_id', orgId).map((team) => team.id));
  return rows.teamMembers.findBy('user_id', account.id).some((member) => teams.has(member.team_id));
}
