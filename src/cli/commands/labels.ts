/** `labels sync`, and the texts about its result. */
import { CommandProblem } from '../../terminal/problems.ts';
import { requireFullName } from '../client/repository-name.ts';
import { printJson, type Session } from '../client/session.ts';

/** Changes to the labels of a repository, by their names on GitHub. */
export interface LabelChanges {
  readonly created: readonly string[];
  readonly updated: readonly string[];
  readonly unchanged: readonly string[];
  /** Labels that GitHub did not accept now, and its message; null when none is left. */
  readonly left: readonly string[];
  readonly waiting: string | null;
}

/** Creates missing labels of a bound repository and corrects descriptions and colours. Idempotent; deletes none. */
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

/** “Labels of acme/app: 3 created, 1 corrected, 58 unchanged.” */
export function labelsSentence(fullName: string, { created, updated, unchanged }: LabelChanges): string {
  return `Labels of ${fullName}: ${created.length} created, ${updated.length} corrected, ${unchanged.length} unchanged.`;
}

/** The message about labels that could not be written yet. */
export function leftSentence(fullName: string, { left, waiting }: LabelChanges): string {
  return `${left.length} labels are left. ${waiting}. Then run \`codex-k8s labels sync ${fullName}\` again.`;
}
