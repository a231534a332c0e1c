/**
 * What a run's push may not change before a person has looked (docs/security.md): files that GitHub or an agent acts on by
 * itself, links that lead out of the repository, submodules, and entries that git does not write.
 */
import type { Stage } from '../stages/stages.ts';
import { stageRow } from '../stages/stages.ts';
import { CONFLICTS_REFUSED } from './conflict-markers.ts';

/** A file of a tree, with the mode that the tree has for it (octal digits). */
export interface ChangedEntry {
  readonly mode: string;
  /** Of its content. */
  readonly id?: string;
  /** Where a symbolic link leads; null if that is unknown or too long. */
  readonly target?: string | null;
}

/** A path that a push would make what it is on no branch that the platform trusts; `entry` is null if it is removed. */
export interface PathChange {
  readonly path: string;
  readonly entry: ChangedEntry | null;
}

const FILES: ReadonlySet<string> = new Set(['100644', '100755']);
const LINK = '120000';
const SUBMODULE = '160000';

/** What GitHub acts on by itself. `.github` itself is in the list because it could become a link to other files. */
const AUTOMATION: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['workflows of GitHub Actions', /^\.github(\/workflows(\/.*)?)?$/is],
  ['actions that workflows use', /^\.github\/actions(\/.*)?$/is],
  ['owners of code', /^((\.github|docs)\/)?CODEOWNERS$/i],
  ['submodules', /^\.gitmodules$/i],
];

/** Files that coding agents obey, in any folder. */
const CONTROL_FILES: readonly RegExp[] = [
  /(^|\/)(AGENTS(\.override)?|CLAUDE(\.local)?|GEMINI)\.md$/i,
  /(^|\/)\.(codex|claude|cursor|gemini|agents)(\/.*)?$/is,
  /(^|\/)\.(mcp\.json|cursorrules|windsurfrules|clinerules)$/i,
  /^\.codex-k8s(\/.*)?$/is,
  /^\.github\/copilot-instructions\.md$/i,
  /^\.github\/(instructions|prompts|agents|chatmodes)(\/.*)?$/is,
  /(^|\/)\.vscode\/mcp\.json$/i,
];

/** Whether agents obey the file: it is no document, whatever its name ends in. */
export function isControlFile(path: string): boolean {
  return CONTROL_FILES.some((pattern) => pattern.test(path));
}

/** Whether runs of a stage may change the files that agents obey. An unknown stage may not. */
function mayChangeControlFiles(stage: Stage | null): boolean {
  return stage !== null && stageRow(stage).scope === 'prompts';
}

/** Why a change is refused; undefined if it may pass. */
export function refusedChange({ path, entry }: PathChange, stage: Stage | null): string | undefined {
  const automation = AUTOMATION.find(([, pattern]) => pattern.test(path));
  if (automation) return automation[0];
  if (isControlFile(path) && !mayChangeControlFiles(stage)) return 'instructions of agents';
  if (entry === null || FILES.has(entry.mode)) return undefined;
  if (entry.mode === SUBMODULE) return 'a submodule';
  if (entry.mode === LINK) return leadsOut(path, entry.target ?? null) ? 'a link out of the repository' : undefined;
  return `a file mode that git does not write: ${entry.mode}`;
}

/**
 * Whether a link leads out of the repository or into its `.git`, by what is written in it. A `..` after a name counts as
 * leading out, because the name may be a link itself.
 */
function leadsOut(path: string, target: string | null): boolean {
  if (target === null || target === '' || /^[/\\]|\0/.test(target)) return true;
  const steps = target.split('/').filter((step) => step !== '' && step !== '.');
  const names = steps.findIndex((step) => step !== '..');
  const up = names === -1 ? steps.length : names;
  if (up > path.split('/').length - 1) return true;
  return steps.slice(up).some((step) => step === '..' || /^(\.git|git~\d+)$/i.test(step));
}

const REFUSAL = 'this run may not change';

/** The refusal of changes that an agent can take out, in what git says of a push; undefined if it says none. */
export function refusedChangesIn(output: string): string | undefined {
  return new RegExp(String.raw`\[remote rejected\] .* \(((?:${REFUSAL}|${CONFLICTS_REFUSED}) .+)\)`).exec(output)?.[1];
}

/** Refused changes that a message names. */
const NAMED = 10;
const PATH_CHARACTERS = 200;

/** Why a push is refused, for its agent and for people; undefined if it may pass. */
export function refuseChanges(changes: readonly PathChange[], stage: Stage | null): string | undefined {
  const refused = changes.flatMap((change) => {
    const what = refusedChange(change, stage);
    return what === undefined ? [] : [`${shownPath(change.path)} (${what})`];
  });
  if (refused.length === 0) return undefined;
  const more = refused.length - NAMED;
  const named = [...refused.slice(0, NAMED), ...(more > 0 ? [`${more} more`] : [])].join(', ');
  return `${REFUSAL} ${named}: put these paths back to what they are on the base branch, commit, and push again; a person can change them`;
}

/** A path on one line, without characters that a terminal would obey. */
export function shownPath(path: string): string {
  const clean = path.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '\u{FFFD}');
  return clean.length > PATH_CHARACTERS ? `${clean.slice(0, PATH_CHARACTERS)}…` : clean;
}
