/** Computed names, by which the same thing is found again after a crash. */
import type { IssueRef } from './facts.ts';

/** The branch that an issue's agents work on. A branch ends with its pull request; `nth` counts them from 1. */
export function branchName(issueNumber: number, nth = 1): string {
  return nth === 1 ? `codex/issue-${issueNumber}` : `codex/issue-${issueNumber}-${nth}`;
}

/** The number of a branch among its issue's branches, from 1; 1 for a branch that is not the platform's. */
export function nthBranch(branch: string): number {
  return Number(/^codex\/issue-\d+-(\d+)$/.exec(branch)?.[1] ?? 1);
}

/** The issue that a branch belongs to; undefined for a branch that is not the platform's. */
export function issueOfBranch(branch: string): number | undefined {
  const digits = /^codex\/issue-([1-9]\d{0,9})(-[1-9]\d{0,5})?$/.exec(branch)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/**
 * The name of an issue's workspace: a DNS label of at most 63 characters, unique, since it ends with the repository's numeric
 * id and the issue's number.
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
