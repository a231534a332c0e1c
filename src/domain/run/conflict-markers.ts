/**
 * Conflicts of a merge that nobody has resolved: git's markers, all three kinds in their order. A file that is meant to have them
 * (documentation, a fixture) says so with git's own attribute `conflict-marker-size`: markers of another length are text.
 */

/** Characters of a marker where the attribute says nothing. */
const MARKER_SIZE = 7;

/** The name of git's attribute. */
export const MARKER_SIZE_ATTRIBUTE = 'conflict-marker-size';

/** The length of a file's markers, by what git says of the attribute (`unspecified`, `set`, or its value). */
export function markerSize(attribute: string | undefined): number {
  return /^[1-9]\d{0,3}$/.test(attribute ?? '') ? Number(attribute) : MARKER_SIZE;
}

/** How many conflicts the text has. `before`: what stands before a marker in its line, such as the `+` of a diff. */
export function countConflicts(text: string, size = MARKER_SIZE, before: '' | '+' = ''): number {
  const marker = (character: string): string => before + character.repeat(size);
  const [ours, parted, theirs] = [`${marker('<')} `, marker('='), `${marker('>')} `];
  let conflicts = 0;
  let seen: 'nothing' | 'ours' | 'both' = 'nothing';
  for (const line of linesWith(text, ours)) {
    if (line.startsWith(ours)) seen = 'ours';
    else if (seen === 'ours' && line.trimEnd() === parted) seen = 'both';
    else if (seen === 'both' && line.startsWith(theirs)) {
      conflicts += 1;
      seen = 'nothing';
    }
  }
  return conflicts;
}

/** Its lines; none if this is nowhere in it, which is quick to see. */
function linesWith(text: string, part: string): readonly string[] {
  return text.includes(part) ? text.split(/\r?\n/) : [];
}

/** Files that a message names. */
const NAMED = 10;

/** The first words of {@link refuseConflicts}. */
export const CONFLICTS_REFUSED = 'this run may not add conflict markers to';

/** Why a push with conflicts in these files is refused, for its agent and for people. */
export function refuseConflicts(paths: readonly string[]): string {
  const more = paths.length - NAMED;
  const named = [...paths.slice(0, NAMED), ...(more > 0 ? [`${more} more`] : [])].join(', ');
  return (
    `${CONFLICTS_REFUSED} ${named}: resolve the conflicts, commit, and push again; ` +
    `where a file is meant to have them, give it another ${MARKER_SIZE_ATTRIBUTE} in .gitattributes`
  );
}
