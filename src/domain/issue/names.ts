/** Names that are computed, so that whoever comes after a crash finds the same thing again. */
import type { IssueRef } from './facts.ts';

/**
 * The branch an issue's agents work on. A pull request that is merged or closed takes its branch with it:
 * `nth` counts them, from 1.
 */
export function branchName(issueNumber: number, nth = 1): string {
  return nth === 1 ? `codex/issue-${issueNumber}` : `codex/issue-${issueNumber}-${nth}`;
}

/** Which of its issue's branches a branch is, from 1; 1 for one that is not ours. */
export function nthBranch(branch: string): number {
  return Number(/^codex\/issue-\d+-(\d+)$/.exec(branch)?.[1] ?? 1);
}

/** The issue a branch belongs to, or undefined for a branch that is not ours. */
export function issueOfBranch(branch: string): number | undefined {
  const digits = /^codex\/issue-([1-9]\d{0,9})(-[1-9]\d{0,5})?$/.exec(branch)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/**
 * The workspace of an issue: a DNS label of at most 63 characters, never shared by two issues, since the repository's
 * numeric id and the number stand at its end whole.
 */
export function workspaceName(project: string, issue: Pick<IssueRef, 'repositoryId' | 'number'>): string {
  const tail = `r${issue.repositoryId}-i${issue.number}`;
  const head = project
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 63 - 'codex-'.length - 1 - tail.length)
    .replaceAll(/-+$/g, '');
  return ['codex', head, tail].filter(Boolean).join('-');
}

/** `owner/name`. */
export function fullName(repository: Pick<IssueRef, 'owner' | 'name'>): string {
  return `${repository.owner}/${repository.name}`;
}
