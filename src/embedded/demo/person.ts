/** A person's actions on GitHub, over HTTP and git. */
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Octokit } from '@octokit/rest';
import { execa } from 'execa';
import type { DemoFile } from '../../emulators/demo-repository.ts';

export interface PersonOptions {
  readonly githubUrl: string;
  readonly login: string;
  readonly token: string;
}

export type Person = ReturnType<typeof createPerson>;

export function createPerson({ githubUrl, login, token }: PersonOptions) {
  const octokit = new Octokit({
    baseUrl: githubUrl,
    auth: token,
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
  const owner = login;

  return {
    octokit,
    login,

    /** The first free name of `name`, `name-2`, `name-3` … */
    async freeRepositoryName(name: string): Promise<string> {
      for (let count = 1; ; count += 1) {
        const candidate = count === 1 ? name : `${name}-${count}`;
        const taken = await octokit.rest.repos.get({ owner, repo: candidate }).then(
          () => true,
          () => false,
        );
        if (!taken) return candidate;
      }
    },

    /** Creates a repository and pushes files to it with git. */
    async pushRepository(repo: string, description: string, files: readonly DemoFile[]): Promise<void> {
      await octokit.rest.repos.createForAuthenticatedUser({ name: repo, description });
      const directory = await mkdtemp(join(tmpdir(), 'codex-k8s-demo-'));
      try {
        for (const { path, content, executable } of files) {
          const target = join(directory, 'work', path);
          await mkdir(dirname(target), { recursive: true });
          await writeFile(target, content, { mode: executable ? 0o755 : 0o644 });
        }
        await writeFile(join(directory, 'token'), token, { mode: 0o600 });
        const helper = `!f() { test "$1" = get && echo username=${login} && printf 'password=%s\\n' "$(cat '${join(directory, 'token')}')"; }; f`;
        const git = (...args: string[]) =>
          execa(
            'git',
            [
              '-c',
              `user.name=${login}`,
              '-c',
              `user.email=${login}@example.com`,
              '-c',
              'commit.gpgsign=false',
              '-c',
              `credential.helper=${helper}`,
              ...args,
            ],
            {
              cwd: join(directory, 'work'),
              env: { GIT_TERMINAL_PROMPT: '0' },
            },
          );
        await git('init', '--quiet', '--initial-branch=main');
        await git('add', '--all');
        await git('commit', '--quiet', '--message', 'First version');
        await git('push', '--quiet', `${githubUrl}/${owner}/${repo}.git`, 'main');
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    },

    async addCollaborator(repo: string, username: string): Promise<void> {
      await octokit.rest.repos.addCollaborator({ owner, repo, username, permission: 'admin' });
    },

    async openIssue(repo: string, issue: { title: string; body: string }): Promise<number> {
      return (await octokit.rest.issues.create({ owner, repo, ...issue })).data.number;
    },

    async label(repo: string, issue: number, label: string): Promise<void> {
      await octokit.rest.issues.addLabels({ owner, repo, issue_number: issue, labels: [label] });
    },

    async labels(repo: string, number: number): Promise<string[]> {
      const { data } = await octokit.rest.issues.listLabelsOnIssue({ owner, repo, issue_number: number });
      return data.map(({ name }) => name);
    },

    async isSeen(repo: string, issue: number): Promise<boolean> {
      const { data } = await octokit.rest.reactions.listForIssue({ owner, repo, issue_number: issue });
      return data.some(({ content }) => content === 'eyes');
    },

    async comments(repo: string, number: number): Promise<string[]> {
      const { data } = await octokit.rest.issues.listComments({ owner, repo, issue_number: number, per_page: 100 });
      return data.map(({ body }) => body ?? '');
    },

    async pullRequest(repo: string, number: number) {
      return (await octokit.rest.pulls.get({ owner, repo, pull_number: number })).data;
    },

    async diff(repo: string, number: number): Promise<string> {
      const { data } = await octokit.rest.pulls.get({
        owner,
        repo,
        pull_number: number,
        mediaType: { format: 'diff' },
      });
      return data as unknown as string; // the media type makes it the diff itself
    },

    async requestChanges(
      repo: string,
      number: number,
      review: { body: string; comments: readonly { path: string; line: number; body: string }[] },
    ): Promise<void> {
      await octokit.rest.pulls.createReview({
        owner,
        repo,
        pull_number: number,
        event: 'REQUEST_CHANGES',
        body: review.body,
        comments: [...review.comments],
      });
    },

    /** The review comments that start a thread, with the replies to each. */
    async answers(repo: string, number: number): Promise<{ comment: string; answers: string[] }[]> {
      const { data } = await octokit.rest.pulls.listReviewComments({ owner, repo, pull_number: number, per_page: 100 });
      const asked = data.filter(({ in_reply_to_id: parent }) => !parent);
      return asked.map(({ id, body }) => ({
        comment: body,
        answers: data.filter(({ in_reply_to_id: parent }) => parent === id).map((reply) => reply.body),
      }));
    },

    async approveAndMerge(repo: string, number: number): Promise<void> {
      await octokit.rest.pulls.createReview({ owner, repo, pull_number: number, event: 'APPROVE', body: 'Thank you.' });
      await octokit.rest.pulls.merge({ owner, repo, pull_number: number });
    },

    async isOpen(repo: string, issue: number): Promise<boolean> {
      return (await octokit.rest.issues.get({ owner, repo, issue_number: issue })).data.state === 'open';
    },
  };
}
