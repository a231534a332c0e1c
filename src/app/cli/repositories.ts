/** `repositories add` and `members add`. */
import { CommandProblem } from './problems.ts';
import { printJson, type Session } from './session.ts';

/** Binds a repository to a project and hooks it. Safe to repeat. */
export async function repositoriesAdd(
  session: Session,
  fullName: string,
  { project }: { readonly project?: string | undefined },
): Promise<void> {
  if (!/^[\w.-]+\/[\w.-]+$/.test(fullName))
    throw new CommandProblem(`“${fullName}” is not a repository: give OWNER/NAME`, 2);
  const body = { fullName, ...(project === undefined ? {} : { project }) };
  const bound = await session.api.post<{ project: string; hookId: number | null }>('/repositories', body);
  if (session.json) return printJson(session, bound);
  const hook = bound.hookId === null ? 'without a webhook' : `with webhook ${bound.hookId}`;
  session.terminal.out(`${fullName} is bound to the project ${bound.project}, ${hook}.`);
  session.terminal.out('Put the label run:dev on one of its issues.');
}

/** Makes a person a member of a project, or gives them a role on the platform. */
export async function membersAdd(
  session: Session,
  login: string,
  { role, project }: { readonly role: string; readonly project?: string | undefined },
): Promise<void> {
  const body = { login, role, ...(project === undefined ? {} : { project }) };
  const member = await session.api.post<{ login: string; role: string; project: string }>('/members', body);
  if (session.json) return printJson(session, member);
  const where = role.startsWith('platform_') ? 'on the platform' : `in the project ${member.project}`;
  session.terminal.out(`@${member.login} is ${member.role} ${where}.`);
}
