/** Pull requests: found by their branch before one is opened; reviews and the answers to them. */
import type { Octokit } from '@octokit/rest';
import type { IssueRef } from '../../domain/issue/facts.ts';
import type { PullRequestText } from '../../domain/messages/pull-request.ts';
import { isEmptyRepository, isNotFound } from './client.ts';
import { outgoing } from './outgoing.ts';

export function createPullRequests(octokit: Octokit) {
  const at = ({ owner, name }: IssueRef) => ({ owner, repo: name });

  /** By all that makes it the one: the same head may be in several, with other bases. */
  async function findOpen(
    repository: IssueRef,
    { head, base }: { head: string; base: string },
    body: string,
  ): Promise<{ number: number; url: string; created: boolean } | undefined> {
    const { data } = await octokit.rest.pulls.list({
      ...at(repository),
      state: 'open',
      head: `${repository.owner}:${head}`,
      per_page: 10,
    });
    const found = data.find((pull) => pull.head.ref === head && pull.base.ref === base);
    return found && { number: found.number, url: found.html_url, created: sameText(found.body ?? '', outgoing(body)) };
  }

  /** The pull request of this number, if it is open, whatever its base is now. */
  async function findByNumber(
    repository: IssueRef,
    number: number,
    head: string,
  ): Promise<{ number: number; url: string; created: boolean } | undefined> {
    const { data } = await octokit.rest.pulls.get({ ...at(repository), pull_number: number });
    const isIt = data.state === 'open' && data.head.ref === head;
    return isIt ? { number, url: data.html_url, created: false } : undefined;
  }

  /** What parts the second commit from the first; of the commits in between only one is read. */
  async function compared(repository: IssueRef, base: string, head: string) {
    const basehead = `${base}...${head}`;
    return octokit.rest.repos.compareCommitsWithBasehead({ ...at(repository), basehead, per_page: 1 });
  }

  /** The commit at the head of a branch; null when there is no such branch, or no commit at all. */
  async function readBranchHead(repository: IssueRef, branch: string): Promise<string | null> {
    try {
      const { data } = await octokit.rest.git.getRef({ ...at(repository), ref: `heads/${branch}` });
      return data.object.sha;
    } catch (error) {
      if (isNotFound(error) || isEmptyRepository(error)) return null;
      throw error;
    }
  }

  return {
    /**
     * Finds the pull request by the number that is known of it, else by head and base, or opens one. One that is `revised` is never
     * another. `created` also when an earlier attempt of this very call did, whose answer was lost: its text is the same.
     */
    async openPullRequest(
      repository: IssueRef,
      branch: { head: string; base: string },
      { title, body }: PullRequestText,
      known: { readonly number: number; readonly revised: boolean } | null = null,
    ) {
      const same = known && (await findByNumber(repository, known.number, branch.head));
      if (same) return same;
      if (known?.revised)
        throw Object.assign(new Error(`pull request #${known.number} is not open any more`), { status: 422 });
      const { head, base } = branch;
      const present = await findOpen(repository, branch, body);
      if (present) return present;
      try {
        const { data } = await octokit.rest.pulls.create({ ...at(repository), head, base, title, body });
        return { number: data.number, url: data.html_url, created: true };
      } catch (error) {
        const rejected = (error as { status?: number }).status === 422;
        const meanwhile = rejected ? await findOpen(repository, branch, body) : undefined;
        if (!meanwhile) throw error;
        return meanwhile;
      }
    },

    /** The paths that differ between where two commits part and the second; not all of them where GitHub cuts its list. */
    async changedFiles(
      repository: IssueRef,
      base: string,
      head: string,
    ): Promise<{ readonly paths: readonly string[]; readonly added: readonly string[]; readonly all: boolean }> {
      const { data } = await compared(repository, base, head);
      const files = data.files ?? [];
      const paths = files.flatMap(({ filename, previous_filename: before }) =>
        before ? [filename, before] : [filename],
      );
      const added = files.filter(({ status }) => status === 'added').map(({ filename }) => filename);
      return { paths, added, all: files.length < COMPARED_FILES };
    },

    readBranchHead,

    /** The branches of which one is the folder of the other: git cannot have both. Ten at most. */
    async findBranchesInTheWay(repository: IssueRef, branch: string): Promise<readonly string[]> {
      const parts = branch.split('/');
      const above = parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
      const present = await Promise.all(
        above.map(async (name) => ((await readBranchHead(repository, name)) === null ? [] : [name])),
      );
      const { data } = await octokit.rest.git.listMatchingRefs({ ...at(repository), ref: `heads/${branch}/` });
      const below = data
        .map(({ ref }) => ref.replace(/^refs\/heads\//, ''))
        .filter((name) => name.startsWith(`${branch}/`));
      return [...present.flat(), ...below].slice(0, BRANCHES_SHOWN);
    },

    /** The commit where `head` parts from `base`; null when they have none in common, or one of them is gone. */
    async readMergeBase(repository: IssueRef, base: string, head: string): Promise<string | null> {
      try {
        const { data } = await compared(repository, base, head);
        return data.merge_base_commit.sha;
      } catch (error) {
        if (isNotFound(error) || isEmptyRepository(error)) return null;
        throw error;
      }
    },

    /** The pull requests that came from these branches of the repository itself, newest last. */
    async findPullRequests(
      repository: IssueRef,
      branches: readonly string[],
    ): Promise<
      {
        readonly number: number;
        readonly url: string;
        readonly branch: string;
        readonly open: boolean;
        readonly merged: boolean;
      }[]
    > {
      const found = await Promise.all(
        branches.map((branch) =>
          octokit.rest.pulls.list({
            ...at(repository),
            state: 'all',
            head: `${repository.owner}:${branch}`,
            per_page: 100,
          }),
        ),
      );
      return found
        .flatMap(({ data }, index) => data.filter((pull) => pull.head.ref === branches[index]))
        .map((pull) => ({
          number: pull.number,
          url: pull.html_url,
          branch: pull.head.ref,
          open: pull.state === 'open',
          merged: pull.merged_at !== null,
        }))
        .toSorted((one, other) => one.number - other.number);
    },
  };
}

const BRANCHES_SHOWN = 10;

/** GitHub lists no more files of a comparison than this. */
const COMPARED_FILES = 300;

/** GitHub gives texts back with the line ends of the web. */
function sameText(one: string, other: string): boolean {
  const plain = (text: string): string => text.replaceAll('\r\n', '\n').trim();
  return plain(one) === plain(other);
}
