/** The objects of a made-up delivery: asked of GitHub where it shows them, made up where it does not. */
import { Octokit } from '@octokit/rest';
import { CommandProblem } from '../../terminal/problems.ts';
import { requireFullName } from '../client/repository-name.ts';
import { madeUpId, type Scene } from '../../github-deliveries/payloads.ts';

type Json = Readonly<Record<string, unknown>>;

/** What a delivery is about, as a person names it. */
export interface Subjects {
  readonly repository: string;
  readonly issue?: number | undefined;
  readonly pullRequest?: number | undefined;
  /** Undefined for nobody. */
  readonly sender: string | undefined;
  readonly asBot?: boolean | undefined;
}

/** Where objects are asked for. */
export interface GitHubAccess {
  readonly apiUrl: string;
  readonly token: string;
}

export interface ReadScene {
  readonly scene: Scene;
  /** What GitHub did not show, in words. */
  readonly madeUp: readonly string[];
}

/** Reads a scene. Without access to GitHub, all of it is made up. */
export async function readScene(subjects: Subjects, access: GitHubAccess | undefined): Promise<ReadScene> {
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
    scene: { repository, sender: sender && { ...sender, ...as }, issue, pullRequest, now: new Date().toISOString() },
    madeUp,
  };
}

function quietOctokit({ apiUrl, token }: GitHubAccess): Octokit {
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  return new Octokit({ baseUrl: apiUrl, auth: token, log });
}

/** What is not there is made up; a GitHub that cannot be asked is a problem. */
function unlessAbsent(error: unknown): undefined {
  const { status, message } = error as { status?: number; message?: string };
  if (status !== 404) throw new CommandProblem(`GitHub could not be asked: ${message ?? String(error)}`);
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
