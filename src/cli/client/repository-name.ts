/** Validates repository names on the command line. */
import { CommandProblem } from '../../terminal/problems.ts';

/** Throws a CommandProblem unless the name has the form OWNER/NAME. */
export function requireFullName(fullName: string): void {
  if (!/^[\w.-]+\/[\w.-]+$/.test(fullName))
    throw new CommandProblem(`“${fullName}” is not a repository: give OWNER/NAME`, 2);
}
