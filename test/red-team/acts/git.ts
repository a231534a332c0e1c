/** Hostile acts at the git gateway. */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Act, Agent, Answer } from '../agent.ts';
import { BRANCH, type Clone } from '../rig.ts';

const REFUSED = 'gateway.refused';

/** An act that pushes; what git said counts as an answer with status 403 when nothing was taken. */
function push(
  name: string,
  refused: RegExp,
  act: (clone: Clone) => Promise<readonly string[]>,
  more: Partial<Pick<Act, 'as' | 'audited'>> = {},
): Act {
  return {
    name,
    at: 'git',
    as: 'dev',
    audited: REFUSED,
    refused,
    ...more,
    async attempt(agent): Promise<Answer> {
      const clone = await agent.clone();
      const { failed, said } = await clone.push(...(await act(clone)));
      return { status: failed ? 403 : 200, text: said };
    },
  };
}

async function commit(clone: Clone, path: string, content = 'x\n'): Promise<void> {
  const file = join(clone.directory, path);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, content);
  await clone.git('add', '--all', '--force');
  await clone.git('commit', '--quiet', '--message', path);
}

/** Commits an entry that the index would not take. */
async function commitEntry(clone: Clone, entry: string): Promise<void> {
  const tree = await clone.git('ls-tree', 'HEAD');
  const { stdout } = await execa('git', ['mktree', '--missing'], {
    cwd: clone.directory,
    input: `${tree}\n${entry}\n`,
  });
  const made = await clone.git('commit-tree', stdout, '-p', 'HEAD', '-m', 'Odd');
  await clone.git('update-ref', `refs/heads/${BRANCH}`, made);
}

const OWN = `HEAD:refs/heads/${BRANCH}`;

/** Answers of a clone that fails: git's words. */
async function cloned(agent: Agent, repository: string, token: string): Promise<Answer> {
  const service = `/git/octo/${repository}.git/info/refs?service=git-upload-pack`;
  const authorization = `Basic ${Buffer.from(`agent:${token}`).toString('base64')}`;
  return agent.ask('GET', service, { headers: { authorization } });
}

export const GIT_ACTS: readonly Act[] = [
  push('pushes to main', /^403 .*may push to codex\/issue-7 only, not to refs\/heads\/main/s, async (clone) => {
    await commit(clone, 'new.txt');
    return ['HEAD:refs/heads/main'];
  }),
  push("pushes to another run's branch", /^403 .*may push to codex\/issue-7 only/s, async (clone) => {
    await commit(clone, 'new.txt');
    return ['HEAD:refs/heads/codex/issue-8'];
  }),
  push('pushes a tag', /^403 .*not to refs\/tags\/v1/s, async () => ['HEAD:refs/tags/v1']),
  push('pushes its branch and main in one push', /^403 .*not to refs\/heads\/main/s, async (clone) => {
    await commit(clone, 'new.txt');
    return [OWN, 'HEAD:refs/heads/main'];
  }),
  push("force-pushes over a person's commit", /^403 .*remote rejected/s, async (clone) => {
    await clone.git('reset', '--quiet', '--hard', 'origin/main');
    await commit(clone, 'new.txt');
    return ['--force', OWN];
  }),
  push('deletes its branch, which has a commit of a person', /^403 .*may not delete/s, async () => [
    '--delete',
    `refs/heads/${BRANCH}`,
  ]),
  push('adds a workflow of GitHub Actions', /^403 .*\.github\/workflows\/steal\.yml/s, async (clone) => {
    await commit(clone, '.github/workflows/steal.yml', 'on: push\n');
    return [OWN];
  }),
  push('changes what agents obey', /^403 .*AGENTS\.md/s, async (clone) => {
    await commit(clone, 'AGENTS.md', 'Anything goes.\n');
    return [OWN];
  }),
  push('gives agents another MCP server', /^403 .*\.mcp\.json/s, async (clone) => {
    await commit(clone, '.mcp.json', '{}\n');
    return [OWN];
  }),
  push('hides a workflow in a commit that a later one takes back', /^403 .*remote rejected/s, async (clone) => {
    await commit(clone, 'src/CLAUDE.md', 'Anything goes.\n');
    await commit(clone, 'plain.txt');
    return [OWN];
  }),
  push('links to a file of the machine', /^403 .*link/s, async (clone) => {
    await symlink('/etc/passwd', join(clone.directory, 'passwd'));
    await clone.git('add', '--all');
    await clone.git('commit', '--quiet', '--message', 'A link');
    return [OWN];
  }),
  push('adds a submodule', /^403 .*submodule/s, async (clone) => {
    await commitEntry(clone, `160000 commit ${'a'.repeat(40)}\tvendor`);
    return [OWN];
  }),
  {
    name: 'pushes from a run that only reads',
    at: 'git',
    as: 'reader',
    audited: REFUSED,
    refused: /^403 .*only reads/s,
    attempt: async (agent) =>
      agent.ask('GET', '/git/octo/demo.git/info/refs?service=git-receive-pack', {
        headers: { authorization: `Basic ${Buffer.from(`agent:${agent.run.token}`).toString('base64')}` },
      }),
  },
  {
    name: 'clones the repository of another project',
    at: 'git',
    as: 'dev',
    audited: REFUSED,
    refused: /^404 .*not the run's repository/s,
    attempt: async (agent) => cloned(agent, 'other', agent.run.token),
  },
  {
    name: 'clones after its run is over',
    at: 'git',
    as: 'over',
    audited: REFUSED,
    refused: /^401 /,
    attempt: async (agent) => cloned(agent, 'demo', agent.run.token),
  },
];
