/** Limits of concurrent runs (CODEXK8S_RUN_LIMITS). */
import { RUN_LIMITS, type RunLimits } from '../../domain/run/permits.ts';
import { ROLES, type Role } from '../../domain/stages/stages.ts';

const NAMES: ReadonlySet<string> = new Set(['installation', 'project', 'role', ...ROLES.map(({ role }) => role)]);

/**
 * Reads `installation=50,project=8,dev=2`: concurrent runs in all, in a project, and of a role in a project; `role` stands for
 * every role that is not named. Others keep their defaults. `problem` is a sentence for people.
 */
export function readRunLimits(text: string): RunLimits | { readonly problem: string } {
  const given = new Map<string, number>();
  for (const part of text.split(',').map((each) => each.trim())) {
    const [, name = '', number] = /^([^=]*?)\s*=\s*([1-9]\d{0,5})$/.exec(part) ?? [];
    if (number === undefined) return { problem: `“${part}” is not like dev=2, with a whole number from 1` };
    if (!NAMES.has(name)) return { problem: `“${name}” is none of ${[...NAMES].join(', ')}` };
    if (given.has(name)) return { problem: `${name} is given twice` };
    given.set(name, Number(number));
  }
  const limitOf = (role: Role): number => given.get(role) ?? given.get('role') ?? RUN_LIMITS.roles[role];
  return {
    installation: given.get('installation') ?? RUN_LIMITS.installation,
    project: given.get('project') ?? RUN_LIMITS.project,
    roles: Object.fromEntries(ROLES.map(({ role }) => [role, limitOf(role)])) as RunLimits['roles'],
  };
}
