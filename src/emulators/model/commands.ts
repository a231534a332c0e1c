/** Shell commands as the scripted agent writes them. */

/** Quotes a text as one word of a shell command. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Applies a patch in Codex's own format. */
export function applyPatch(patch: string): string {
  return `apply_patch <<'PATCH'\n${patch.trimEnd()}\nPATCH`;
}

/** Commits everything. */
export function commitAll(message: string): string {
  return `git add --all && git commit --quiet -m ${shellWord(message)} && git log --oneline -1`;
}

/** Commits everything, and succeeds when there is nothing to commit (an earlier run on the same branch has committed it). */
export function commitIfChanged(message: string): string {
  return `git add --all && { git diff --cached --quiet || git commit --quiet -m ${shellWord(message)}; } && git log --oneline -1`;
}
