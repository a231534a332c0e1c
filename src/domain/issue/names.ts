/** Computed names, by which the same thing is found again after a crash. */
import type { IssueRef } from './facts.ts';

/** What the names of the platform's branches begin with, unless a project has its own prefix. */
const DEFAULT_BRANCH_PREFIX = 'codex';

const BRANCH_PREFIX = /^(?!refs\/)(?:[A-Za-z0-9][\w-]*\/)*[A-Za-z0-9][\w-]*$/;
const PREFIX_CHARACTERS = 60;

/**
 * Why a text cannot be the prefix of a project's branches; undefined if it can. By the word in it, a webhook's branch is known as the
 * platform's before anything is read.
 */
export function branchPrefixProblem(prefix: string): string | undefined {
  if (prefix.length > PREFIX_CHARACTERS) return `a branch prefix has at most ${PREFIX_CHARACTERS} characters`;
  if (!BRANCH_PREFIX.test(prefix))
    return 'a branch prefix has letters, digits, “_” and “-”, and begins with a letter or digit, also after each “/”, but not with “refs/”';
  return prefix.includes(DEFAULT_BRANCH_PREFIX)
    ? undefined
    : `a branch prefix has the word “${DEFAULT_BRANCH_PREFIX}” in it, like “${DEFAULT_BRANCH_PREFIX}-k8s” or “bots/${DEFAULT_BRANCH_PREFIX}”: by it the platform knows its branches`;
}

/** The branch that an issue's agents work on. A branch ends with its pull request; `nth` counts them from 1. */
export function branchName(issueNumber: number, nth = 1, prefix = DEFAULT_BRANCH_PREFIX): string {
  return nth === 1 ? `${prefix}/issue-${issueNumber}` : `${prefix}/issue-${issueNumber}-${nth}`;
}

/** The number of a branch among its issue's branches, from 1; 1 for a branch that is not the platform's. */
export function nthBranch(branch: string): number {
  return Number(partsOf(branch)?.[3] ?? 1);
}

/** The prefix of a branch of the platform's, unless it is the usual one. */
export function ownPrefix(branch: string): string | undefined {
  const prefix = partsOf(branch)?.[1];
  return prefix === DEFAULT_BRANCH_PREFIX ? undefined : prefix;
}

/** The issue that a branch belongs to; undefined for a branch that is not the platform's. */
export function issueOfBranch(branch: string): number | undefined {
  const digits = partsOf(branch)?.[2];
  return digits === undefined ? undefined : Number(digits);
}

/** Prefix, issue and number of a branch of the platform's. */
function partsOf(branch: string): RegExpExecArray | undefined {
  const parts = /^(.+)\/issue-([1-9]\d{0,9})(?:-([1-9]\d{0,5}))?$/.exec(branch);
  return parts?.[1] !== undefined && branchPrefixProblem(parts[1]) === undefined ? parts : undefined;
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
