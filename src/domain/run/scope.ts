/** What files a stage's work may change. */
import type { Scope } from '../stages/stages.ts';

const MARKDOWN = /\.md$/i;
/** Prompts, documents and lists of tools: what self-improve may change. */
const PROMPTS = /^(prompts|docs)\/|\.md$|(^|\/)tools\.[a-z]+$/i;

/** Those of the paths that are none of the stage's, in their order. */
export function outsideScope(scope: Scope, paths: readonly string[]): readonly string[] {
  if (scope === 'code') return [];
  const inside = scope === 'documents' ? MARKDOWN : PROMPTS;
  return paths.filter((path) => !inside.test(path));
}
