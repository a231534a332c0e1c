/** Lifetimes of workspaces in hours (CODEXK8S_WORKSPACE_HOURS): `24`, or `24,qa=48,dev=72`. */
import { ROLES, type Role } from '../../domain/stages/stages.ts';

export interface WorkspaceHours {
  readonly all: number;
  readonly byRole: Readonly<Partial<Record<Role, number>>>;
}

/** The hours, or a problem as a sentence. */
export function readWorkspaceHours(text: string): WorkspaceHours | { readonly problem: string } {
  const [first = '', ...others] = text.split(',').map((part) => part.trim());
  const all = Number(first);
  if (!(all > 0)) return { problem: 'begins with a number of hours, like 24' };
  const byRole: Partial<Record<Role, number>> = {};
  for (const part of others) {
    const [name, value] = part.split('=');
    const role = ROLES.find((row) => row.role === name)?.role;
    if (role === undefined)
      return { problem: `unknown role in ${part}; roles are ${ROLES.map((row) => row.role).join(', ')}` };
    if (!(Number(value) > 0)) return { problem: `has no number of hours for ${role}` };
    byRole[role] = Number(value);
  }
  return { all, byRole };
}
