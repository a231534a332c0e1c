/** The earlier life of an issue, from the read model, and its pull requests on GitHub. Parts of other activities. */
import { issueKey, type IssueRef } from '../../src/domain/issue/facts.ts';
import type { Candidates, PriorIssueState } from '../../src/domain/issue/gates.ts';
import { branchName, nthBranch, ownPrefix } from '../../src/domain/issue/names.ts';
import { stageRow, triggerOfLabel } from '../../src/domain/stages/stages.ts';
import type { Database } from '../../src/store/connection/database.ts';
import { findRepository } from '../../src/store/projects/repositories.ts';
import { refusedAmong } from '../../src/store/intake/memberships.ts';
import { findPast } from '../../src/read-model/projections/projections.ts';
import { classified } from '../failures.ts';

/** The part of GitHub's client that this file needs. */
export interface GitHubPulls {
  /** The pull requests of these branches. */
  findPullRequests(
    repository: IssueRef,
    branches: readonly string[],
  ): Promise<
    readonly {
      readonly number: number;
      readonly url: string;
      readonly branch: string;
      readonly open: boolean;
      readonly merged: boolean;
    }[]
  >;
}

export function createPriorReading({ db, github }: { readonly db: Database; readonly github: GitHubPulls }) {
  return {
    /** What an earlier life of the issue has left, or null. */
    async readPrior(issue: IssueRef): Promise<PriorIssueState | null> {
      return findPast(db, issueKey(issue));
    },

    /**
     * The people among these who may not start runs in the repository's project now, with the reason (docs/reliability.md T26).
     */
    async readRefused(repositoryId: number, people: readonly number[]): Promise<Record<string, string>> {
      return refusedAmong(db, repositoryId, people);
    },

    /**
     * The issue's pull requests, for a stage that depends on them, for a revise, and where an earlier one was left: somebody may
     * have reopened it since. Undefined for other labels.
     */
    async readCandidates(issue: IssueRef, label: string, branches: number): Promise<Candidates | undefined> {
      const target = triggerOfLabel(label);
      if (!target) return undefined;
      const past = await findPast(db, issueKey(issue));
      const many = Math.max(branches, past?.branch ?? 1);
      if (stageRow(target.stage).candidate === null && target.kind !== 'revise' && many === 1) return undefined;
      const project = await findRepository(db, issue.repositoryId);
      const prefixes = new Set([undefined, project?.branchPrefix ?? undefined, past?.branchPrefix]);
      const names = [...prefixes].flatMap((prefix) =>
        Array.from({ length: many }, (_, index) => branchName(issue.number, index + 1, prefix)),
      );
      const found = await classified(() => github.findPullRequests(issue, names));
      const openOnes = found
        .filter(({ open }) => open)
        .map(({ number, url, branch }) => {
          const branchPrefix = ownPrefix(branch);
          return { number, url, branch: nthBranch(branch), ...(branchPrefix === undefined ? {} : { branchPrefix }) };
        });
      return { open: openOnes.length > 0, merged: found.some(({ merged }) => merged), openOnes };
    },
  };
}
