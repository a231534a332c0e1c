/** Reads the objects of a simulated delivery from GitHub, and makes up those that do not exist there. */
import { Octokit } from '@octokit/rest';
import { CommandProblem } from '../../terminal/problems.ts';
import { requireFullName } from '../client/repository-name.ts';
import { madeUpId, type PayloadObjects } from '../../github-deliveries/payloads.ts';

type Json = Readonly<Record<string, unknown>>;

/** The subjects of a delivery, as given on the command line. */
export interface Subjects {
  readonly repository: string;
  readonly issue?: number | undefined;
  readonly pullRequest?: number | undefined;
  /** Undefined for no sender. */
  readonly sender: string | undefined;
  readonly asBot?: boolean | undefined;
}

/** The GitHub API that objects are read from. */
export interface GitHubAccess {
  readonly apiUrl: string;
  readonly token: string;
}

export interface ReadObjects {
  readonly objects: PayloadObjects;
  /** Descriptions of the objects that were made up. */
  readonly madeUp: readonly string[];
}

/** Reads the objects of a payload. Without access to GitHub, all of them are made up. */
export async function readPayloadObjects(subjects: Subjects, access: GitHubAccess | undefined): Promise<ReadObjects> {
  requireFullName(subjects.repository);
  const [owner = '', repo = ''] = subjects.repository.split('/');
  const { issue: issueNumber, pullRequest: pullNumber, sender: login } = subjects;
  const madeUp: string[] = [];
  const github = access && quietOctokit(access);

  async function shown(
    what: string,
    ask: (github: Octokit) => Promise<{ data: object }>,
    otherwise: Json,
  ): Promise<Json> {
    const found = github && (await ask(github).then(({ data }) => data as Json, unlessAbsent));
    if (found) return found;
    madeUp.push(what);
    return otherwise;
  }

  const repository = await shown(
    `the repository ${subjects.repository}`,
    ({ rest }) => rest.repos.get({ owner, repo }),
    repositoryOf(owner, repo),
  );
  const sender =
    login === undefined
      ? undefined
      : await shown(
          `the account ${login}`,
          ({ rest }) => rest.users.getByUsername({ username: login }),
          accountOf(login),
        );
  const pullRequest =
    pullNumber === undefined
      ? undefined
      : await shown(
          `the pull request #${pullNumber}`,
          ({ rest }) => rest.pulls.get({ owner, repo, pull_number: pullNumber }),
          pullRequestOf(pullNumber, issueNumber, repository),
        );
  const issue =
    issueNumber === undefined || pullRequest
      ? undefined
      : await shown(
          `the issue #${issueNumber}`,
          ({ rest }) => rest.issues.get({ owner, repo, issue_number: issueNumber }),
          issueOf(issueNumber, subjects.repository),
        );
  const as = subjects.asBot ? { type: 'Bot' } : {};
  return {
    objects: { repository, sender: sender && { ...sender, ...as }, issue, pullRequest, now: new Date().toISOString() },
    madeUp,
  };
}

function quietOctokit({ apiUrl, token }: GitHubAccess): Octokit {
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  return new Octokit({ baseUrl: apiUrl, auth: token, log });
}

/** Ignores a 404; any other error of GitHub becomes a CommandProblem. */
function unlessAbsent(error: unknown): undefined {
  const { status, message } = error as { status?: number; message?: string };
  if (status !== 404) throw new CommandProblem(`GitHub request failed: ${message ?? String(error)}`);
  return undefined;
}

function repositoryOf(owner: string, name: string): Json {
  const full = `${owner}/${name}`;
  return { id: madeUpId(`repository ${full}`), name, full_name: full, owner: { login: owner }, default_branch: 'main' };
}

function accountOf(login: string): Json {
  return { id: madeUpId(`account ${login}`), login, type: 'User' };
}

function issueOf(number: number, repository: string): Json {
  return {
    number,
    title: `Issue ${number}`,
    state: 'open',
    html_url: `https://github.com/${repository}/issues/${number}`,
    labels: [],
  };
}

/** A pull request of the issue's branch. */
function pullRequestOf(number: number, issue: number | undefined, { id, full_name }: Json): Json {
  return {
    number,
    title: `Pull request ${number}`,
    state: 'open',
    merged: false,
    html_url: `https://github.com/${String(full_name)}/pull/${number}`,
    head: { ref: issue === undefined ? `topic-${number}` : `codex/issue-${issue}`, sha: '0'.repeat(40), repo: { id } },
    base: { ref: 'main' },
    labels: [],
  };
}
