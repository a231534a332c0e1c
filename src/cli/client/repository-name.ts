/** How people name a repository at the command line. */
import { CommandProblem } from '../../terminal/problems.ts';

/** Throws unless this is the name of a repository. */
export function requireFullName(fullName: string): void {
  if (!/^[\w.-]+\/[\w.-]+$/.test(fullName))
    throw new CommandProblem(`“${fullName}” is not a repository: give OWNER/NAME`, 2);
}
