/** `repositories add` and `members add`. */
import type { MemberBody, ProjectBody } from '../../api-client/api-client.ts';
import { requireFullName } from '../client/repository-name.ts';
import { labelsSentence, leftSentence } from './labels.ts';
import { readProjectBlocks } from '../../network/address-blocks.ts';
import { CommandProblem } from '../../terminal/problems.ts';
import { printJson, type Session } from '../client/session.ts';

export interface ProjectsSetOptions {
  readonly locale?: ProjectBody['locale'];
  readonly agent?: ProjectBody['cli'];
  readonly command?: string;
  readonly model?: string;
  readonly branchPrefix?: string;
  readonly reasoning?: ProjectBody['reasoningEffort'];
  readonly namespace?: string;
  readonly egress?: string;
  readonly learning?: 'on' | 'off';
}

/** Binds a repository to a project and creates its webhook. Idempotent. */
export async function repositoriesAdd(
  session: Session,
  fullName: string,
  { project }: { readonly project?: string | undefined },
): Promise<void> {
  requireFullName(fullName);
  const body = { fullName, ...(project === undefined ? {} : { project }) };
  const bound = await session.api.bindRepository(body);
  if (session.json) return printJson(session, bound);
  const hook = bound.hookId === null ? 'without a webhook' : `with webhook ${bound.hookId}`;
  session.terminal.out(`${fullName} is bound to the project ${bound.project}, ${hook}.`);
  session.terminal.out(labelsSentence(fullName, bound.labels));
  if (bound.labels.waiting !== null) session.terminal.out(leftSentence(fullName, bound.labels));
  session.terminal.out(`Put the label ${bound.trigger} on one of its issues.`);
}

/** Makes a person a member of a project, or gives them a role on the platform. */
export async function membersAdd(
  session: Session,
  login: string,
  { role, project, learning }: Pick<MemberBody, 'role' | 'project' | 'learning'>,
): Promise<void> {
  const body = {
    login,
    role,
    ...(project === undefined ? {} : { project }),
    ...(learning === undefined ? {} : { learning }),
  };
  const member = await session.api.addMember(body);
  if (session.json) return printJson(session, member);
  const where = role.startsWith('platform_') ? 'on the platform' : `in the project ${member.project}`;
  session.terminal.out(`@${member.login} is ${member.role} ${where}.`);
  if (member.warning !== undefined) session.terminal.out(`Warning: ${member.warning}.`);
}

/** Takes a person's role in a project; without a project, every role. */
export async function membersRemove(
  session: Session,
  login: string,
  { project }: { readonly project?: string | undefined },
): Promise<void> {
  const removed = await session.api.removeMember(login, project);
  if (session.json) return printJson(session, removed);
  const where = removed.project === null ? 'any more' : `in the project ${removed.project} any more`;
  session.terminal.out(`@${removed.login} has no role ${where}. Runs that are queued for this person do not start.`);
}

/** Changes settings of a project; settings that are not given stay. */
export async function projectsSet(
  session: Session,
  slug: string,
  { locale, agent, command, model, reasoning, namespace, branchPrefix, egress, learning }: ProjectsSetOptions,
): Promise<void> {
  const body = {
    ...(locale === undefined ? {} : { locale }),
    ...(agent === undefined ? {} : { cli: agent }),
    ...(command === undefined ? {} : { command: commandOf(command) }),
    ...(model === undefined ? {} : { model }),
    ...(reasoning === undefined ? {} : { reasoningEffort: reasoning }),
    ...(namespace === undefined ? {} : { namespaceTemplate: namespace }),
    ...(branchPrefix === undefined ? {} : { branchPrefix }),
    ...(egress === undefined ? {} : { egress: [...blocksOf(egress)] }),
    ...(learning === undefined ? {} : { learning: learning === 'on' }),
  };
  if (Object.keys(body).length === 0)
    throw new CommandProblem(
      'Nothing to set: give --locale, --agent, --command, --model, --reasoning, --namespace, --branch-prefix, --egress or --learning',
      2,
    );
  const project = await session.api.setProject(slug, body);
  if (session.json) return printJson(session, project);
  const chosen = (value: string | null): string => value ?? "the platform's choice";
  session.terminal.out(
    `${slug}: language ${project.locale}, agent ${chosen(project.cli)}${project.command === null ? '' : ` (command ${project.command.join(' ')})`}, model ${chosen(project.model)}, reasoning ${chosen(project.reasoningEffort)}, namespaces ${project.namespaceTemplate ?? 'named after the issue'}, branches ${project.branchPrefix ?? 'codex'}/…, additional egress ${project.egress.join(', ') || 'none'}, learning ${project.learning ? 'on' : 'off'}.`,
  );
}

/** The address blocks of `--egress`; none for `default`. Throws a CommandProblem for an invalid block. */
function blocksOf(text: string): readonly string[] {
  if (text.trim() === 'default') return [];
  const read = readProjectBlocks(text.split(',').map((entry) => entry.trim()));
  if ('problem' in read) throw new CommandProblem(`--egress: ${read.problem}`, 2);
  return read.blocks;
}

/** The program and arguments of `--command`: a JSON array, or words with spaces between. Throws a CommandProblem for neither. */
function commandOf(text: string): 'default' | string[] {
  const trimmed = text.trim();
  if (trimmed === 'default') return 'default';
  if (!trimmed.startsWith('[')) return trimmed.split(/\s+/);
  try {
    const words = JSON.parse(trimmed) as unknown;
    if (Array.isArray(words) && words.every((word) => typeof word === 'string')) return words;
  } catch {
    // said below
  }
  throw new CommandProblem('--command: give a program with its arguments, or a JSON array of them', 2);
}
