/** The files that a stage's work may change. */
import type { Scope } from '../stages/stages.ts';

const MARKDOWN = /\.md$/i;
/** Prompts, documents and lists of tools: the scope of self-improve. */
const PROMPTS = /^(prompts|docs)\/|\.md$|(^|\/)tools\.[a-z]+$/i;

/** The paths that are outside the scope, in order. */
export function outsideScope(scope: Scope, paths: readonly string[]): readonly string[] {
  if (scope === 'code') return [];
  const inside = scope === 'documents' ? MARKDOWN : PROMPTS;
  return paths.filter((path) => !inside.test(path));
}
