/**
 * The names that an installation gives to the labels. Everything inside uses canonical names; they are translated where
 * webhooks are read and where GitHub is called.
 */
import { LABELS } from './labels.ts';
import { normalizeLabel } from './stages.ts';

export interface LabelNames {
  /** The canonical name of a label on GitHub. */
  readonly canonical: (onGitHub: string) => string;
  /** The name on GitHub of a canonical label. */
  readonly onGitHub: (canonical: string) => string;
  /** Whether any label is renamed here. */
  readonly overridden: boolean;
}

/** The chosen names, or what is wrong with them, a sentence each. */
export type ChosenNames = { readonly names: LabelNames } | { readonly problems: readonly string[] };

/** GitHub's limit. */
const NAME_CHARACTERS = 50;

/** No label is renamed. */
export const CANONICAL_NAMES: LabelNames = { canonical: same, onGitHub: same, overridden: false };

function same(name: string): string {
  return name;
}

/**
 * Reads names by canonical name. A label on GitHub that has the canonical name of a renamed label is not the platform's: that
 * name and the chosen one change places.
 */
export function labelNames(chosen: unknown): ChosenNames {
  if (typeof chosen !== 'object' || chosen === null || Array.isArray(chosen))
    return { problems: ['is not a JSON object of names by canonical name'] };
  const entries = Object.entries(chosen as Record<string, unknown>).map(
    ([canonical, name]) => [normalizeLabel(canonical), typeof name === 'string' ? name.trim() : name] as const,
  );
  const problems = entries.flatMap(([canonical, name], index) => problemOf(canonical, name, entries.slice(0, index)));
  return problems.length > 0 ? { problems } : { names: namesOf(entries as readonly (readonly [string, string])[]) };
}

const CANONICAL: ReadonlySet<string> = new Set(LABELS.map(({ name }) => name));

type Chosen = readonly [canonical: string, name: unknown];

function problemOf(canonical: string, name: unknown, before: readonly Chosen[]): string[] {
  if (!CANONICAL.has(canonical)) return [`“${canonical}” is no label of codex-k8s; docs/labels.md lists them`];
  if (before.some(([other]) => other === canonical)) return [`“${canonical}” is named twice`];
  if (typeof name !== 'string' || name === '') return [`the name for “${canonical}” is empty or no text`];
  if (Array.from(name).length > NAME_CHARACTERS)
    return [`the name for “${canonical}” is longer than ${NAME_CHARACTERS} characters, GitHub's limit`];
  if (/\p{Cc}/u.test(name)) return [`the name for “${canonical}” is not one line`];
  const wanted = normalizeLabel(name);
  if (wanted !== canonical && CANONICAL.has(wanted))
    return [`“${name}”, the name for “${canonical}”, is the canonical name of another label`];
  const twin = before.find(([, other]) => typeof other === 'string' && normalizeLabel(other) === wanted);
  return twin ? [`“${name}” is the name for “${twin[0]}” and for “${canonical}”; GitHub ignores case`] : [];
}

function namesOf(entries: readonly (readonly [canonical: string, name: string])[]): LabelNames {
  const toCanonical = new Map(entries.map(([canonical, name]) => [normalizeLabel(name), canonical]));
  const toGitHub = new Map(entries);
  for (const [canonical, name] of entries) {
    if (!toCanonical.has(canonical)) toCanonical.set(canonical, name);
    if (!toGitHub.has(normalizeLabel(name))) toGitHub.set(normalizeLabel(name), canonical);
  }
  return {
    canonical: (name) => toCanonical.get(normalizeLabel(name)) ?? name,
    onGitHub: (name) => toGitHub.get(normalizeLabel(name)) ?? name,
    overridden: entries.length > 0,
  };
}
