/** The files that a stage's work may change. */
import type { Scope } from '../stages/stages.ts';
import { isControlFile } from './protected-paths.ts';

const MARKDOWN = /\.md$/i;
/** Prompts, documents and lists of tools: the scope of self-improve, with the files that agents obey. */
const PROMPTS = /^(prompts|docs)\/|\.md$|(^|\/)tools\.[a-z]+$/i;

/** The paths that are outside the scope, in order. */
export function outsideScope(scope: Scope, paths: readonly string[]): readonly string[] {
  if (scope === 'code') return [];
  return paths.filter((path) =>
    scope === 'documents' ? !MARKDOWN.test(path) || isControlFile(path) : !PROMPTS.test(path) && !isControlFile(path),
  );
}
