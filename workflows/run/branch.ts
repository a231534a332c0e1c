/** The branch that a run works on. */
import { branchName } from '../../src/domain/issue/names.ts';
import type { RunInput } from '../messages.ts';

export function branchOf({ branch, issue }: Pick<RunInput, 'branch' | 'issue'>): string {
  return branch ?? branchName(issue.number);
}
