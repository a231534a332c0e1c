/** Shell commands as the scripted agent writes them. */
import type { Turn } from './turn.ts';

/** Quotes a text as one word of a shell command. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Applies a unified diff of files that are there; Codex has a format of its own for it. */
export function applyPatch(patch: string, cli: Turn['cli']): string {
  const body = patch.trimEnd();
  return cli === 'codex'
    ? `apply_patch <<'PATCH'\n*** Begin Patch\n${forCodex(body)}\n*** End Patch\nPATCH`
    : `git apply <<'PATCH'\n${body}\nPATCH`;
}

function forCodex(patch: string): string {
  return patch.replaceAll(/^--- .*\n\+\+\+ b\/(.*)$/gm, '*** Update File: $1').replaceAll(/^@@ .*$/gm, '@@');
}

/** Commits everything. */
export function commitAll(message: string): string {
  return `git add --all && git commit --quiet -m ${shellWord(message)} && git log --oneline -1`;
}

/** Commits everything, and succeeds when there is nothing to commit (an earlier run on the same branch has committed it). */
export function commitIfChanged(message: string): string {
  return `git add --all && { git diff --cached --quiet || git commit --quiet -m ${shellWord(message)}; } && git log --oneline -1`;
}
