/** `labels sync`, and how what became of labels is told. */
import { CommandProblem } from '../../terminal/problems.ts';
import { requireFullName } from '../client/repository-name.ts';
import { printJson, type Session } from '../client/session.ts';

/** What was done to the labels of a repository, by name on GitHub. */
export interface LabelChanges {
  readonly created: readonly string[];
  readonly updated: readonly string[];
  readonly unchanged: readonly string[];
  /** What GitHub did not let be written now, and its words; null when nothing is left. */
  readonly left: readonly string[];
  readonly waiting: string | null;
}

/** Creates what is missing of a bound repository's labels and corrects how they look. Safe to repeat; deletes none. */
export async function labelsSync(session: Session, fullName: string): Promise<void> {
  requireFullName(fullName);
  const changes = await session.api.syncLabels(fullName);
  if (session.json) printJson(session, changes);
  else {
    for (const [what, names] of Object.entries({ created: changes.created, corrected: changes.updated }))
      if (names.length > 0) session.terminal.out(`${what.padEnd(9)}  ${names.join(', ')}`);
    session.terminal.out(labelsSentence(fullName, changes));
  }
  if (changes.waiting !== null) throw new CommandProblem(leftSentence(fullName, changes));
}

/** “Labels of acme/app: 3 created, 1 corrected, 58 as they were.” */
export function labelsSentence(fullName: string, { created, updated, unchanged }: LabelChanges): string {
  return `Labels of ${fullName}: ${created.length} created, ${updated.length} corrected, ${unchanged.length} as they were.`;
}

/** What is to be done about labels that are left. */
export function leftSentence(fullName: string, { left, waiting }: LabelChanges): string {
  return `${left.length} are left. ${waiting}. Then \`codex-k8s labels sync ${fullName}\` goes on.`;
}
