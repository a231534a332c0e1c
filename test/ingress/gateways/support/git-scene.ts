/** The git gateway before a real git server, with a clone of an agent and one of a person. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { serve } from '@hono/node-server';
import { execa } from 'execa';
import { Hono } from 'hono';
import {
  createGitGateway,
  GIT_GATEWAY_LIMITS,
  type GitGatewayLimits,
} from '../../../../ingress/gateways/git-gateway.ts';
import {
  createPushInspection,
  INSPECTION_LIMITS,
  type InspectionLimits,
} from '../../../../src/adapters/git/push-inspection.ts';
import type { RunAccess } from '../../../../ingress/gateways/run-access.ts';
import type { Stage } from '../../../../src/domain/stages/stages.ts';
import type { AssignmentRow } from '../../../../src/store/runs/assignments.ts';
import { startGitUpstream } from '../../../support/git-upstream.ts';

export const BRANCH = 'codex/issue-7';
const RUN_TOKEN = 'ck8s_run_of_the_test';
const PLATFORM_TOKEN = 'ghs_the_platform_only';

/** Of git, for whoever works in a clone: nobody's own settings. */
export const CLEAN = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'agent',
  GIT_AUTHOR_EMAIL: 'agent@example.com',
  GIT_COMMITTER_NAME: 'agent',
  GIT_COMMITTER_EMAIL: 'agent@example.com',
};

/** What a commit changes: content of files, `{ link }`, or null for a removal. */
export type Files = Readonly<Record<string, string | { readonly link: string } | null>>;

export interface Clone {
  readonly directory: string;
  git(...args: string[]): Promise<string>;
  /** Commits a change and returns the commit. */
  commit(files: Files): Promise<string>;
  /** Pushes HEAD to the run's branch, unless other arguments are given. */
  push(...args: string[]): Promise<{ exitCode: number | undefined; stderr: string }>;
}

export interface GitScene extends AsyncDisposable {
  /** The stage of the run. */
  stage: Stage | null;
  /** The run's token is closed when a push has been looked into. */
  closesWhileInspecting: boolean;
  /** Another push of the run is under way. */
  otherPush: boolean;
  /** Called when a push has been looked into; it waits for the result. */
  afterInspection: (() => Promise<void>) | undefined;
  /** A clone through the gateway, on the run's branch, which is made where the base branch is if it does not exist. */
  agent(): Promise<Clone>;
  /** A clone of somebody who pushes to GitHub itself, on `main`. */
  person(): Promise<Clone>;
  /** The commit of a branch on GitHub; undefined if there is none. */
  head(branch: string): Promise<string | undefined>;
  /** Sends a push to the gateway; nobody reads its answer. */
  pushUnread(clone: Clone): Promise<Response>;
  /** Leases of pushes that have not been released. */
  leases(): number;
  /** Requests that reached GitHub with a push. */
  pushes(): number;
}

/** Starts it with a repository of these files on `main`. */
export async function startGitScene(
  files: Files,
  limits: { gateway?: Partial<GitGatewayLimits>; inspection?: Partial<InspectionLimits> } = {},
): Promise<GitScene> {
  const root = await mkdtemp(join(tmpdir(), 'git-scene-'));
  const bare = join(root, 'acme', 'demo.git');
  let clones = 0;

  function cloneAt(directory: string, refspec: string): Clone {
    const git = async (...args: string[]): Promise<string> =>
      (await execa('git', args, { cwd: directory, env: CLEAN })).stdout;
    return {
      directory,
      git,
      async commit(changed) {
        for (const [path, content] of Object.entries(changed)) {
          const file = join(directory, path);
          await rm(file, { force: true, recursive: true });
          if (content === null) continue;
          await mkdir(dirname(file), { recursive: true });
          if (typeof content === 'string') await writeFile(file, content);
          else await symlink(content.link, file);
        }
        await git('add', '--all', '--force');
        await git('commit', '--quiet', '--allow-empty', '--message', Object.keys(changed).join(' ') || 'nothing');
        return git('rev-parse', 'HEAD');
      },
      async push(...args) {
        const given = args.some((arg) => !arg.startsWith('-')) ? args : [...args, 'origin', refspec];
        const { exitCode, stderr } = await execa('git', ['push', ...given], {
          cwd: directory,
          env: CLEAN,
          reject: false,
        });
        return { exitCode, stderr };
      },
    };
  }

  await execa('git', ['init', '--quiet', '--bare', '--initial-branch', 'main', bare], { env: CLEAN });
  await execa('git', ['config', 'uploadpack.allowFilter', 'true'], { cwd: bare, env: CLEAN });
  const seed = join(root, 'seed');
  await execa('git', ['clone', '--quiet', bare, seed], { env: CLEAN });
  const first = cloneAt(seed, 'HEAD:refs/heads/main');
  await first.commit(files);
  await first.push();

  const upstream = await startGitUpstream(root, PLATFORM_TOKEN);
  const scene: Pick<GitScene, 'stage' | 'closesWhileInspecting' | 'otherPush' | 'afterInspection'> = {
    stage: 'dev',
    closesWhileInspecting: false,
    otherPush: false,
    afterInspection: undefined,
  };
  let closed = false;
  let leases = 0;
  const access: RunAccess = {
    open: async (token) =>
      token === RUN_TOKEN && !closed
        ? ({
            repositoryFullName: 'acme/demo',
            branch: BRANCH,
            baseBranch: 'main',
            kind: 'work',
            stage: scene.stage,
          } as AssignmentRow)
        : undefined,
  };
  const github = { upstream: upstream.url, token: PLATFORM_TOKEN };
  const app = new Hono().route(
    '/git',
    createGitGateway({
      access,
      ...github,
      lease: async () => {
        await scene.afterInspection?.();
        closed = scene.closesWhileInspecting;
        if (closed || scene.otherPush) return undefined;
        leases += 1;
        return { lost: new AbortController().signal, release: async () => void (leases -= 1) };
      },
      inspection: createPushInspection(github, { ...INSPECTION_LIMITS, ...limits.inspection }),
      limits: { ...GIT_GATEWAY_LIMITS, ...limits.gateway },
    }),
  );
  const gateway = await new Promise<Server>((resolve) => {
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, () => resolve(server)) as Server;
  });
  const { port } = gateway.address() as AddressInfo;

  return Object.assign(scene, {
    async agent() {
      const directory = join(root, `agent-${clones++}`);
      const url = `http://run:${RUN_TOKEN}@127.0.0.1:${port}/git/acme/demo.git`;
      await execa('git', ['clone', '--quiet', url, directory], { env: CLEAN });
      const clone = cloneAt(directory, `HEAD:refs/heads/${BRANCH}`);
      const existing = await clone.git('branch', '--remotes', '--list', `origin/${BRANCH}`);
      await clone.git('switch', '--quiet', '--create', BRANCH, existing === '' ? 'origin/main' : `origin/${BRANCH}`);
      return clone;
    },
    async person() {
      const directory = join(root, `person-${clones++}`);
      await execa('git', ['clone', '--quiet', bare, directory], { env: CLEAN });
      return cloneAt(directory, 'HEAD');
    },
    async head(branch: string) {
      const { stdout, exitCode } = await execa('git', ['rev-parse', '--verify', '--quiet', `refs/heads/${branch}`], {
        cwd: bare,
        env: CLEAN,
        reject: false,
      });
      return exitCode === 0 ? stdout : undefined;
    },
    leases: () => leases,
    async pushUnread(clone: Clone) {
      const commit = await clone.git('rev-parse', 'HEAD');
      const { stdout: pack } = await execa('git', ['pack-objects', '--stdout', '--revs', '--quiet'], {
        cwd: clone.directory,
        input: `${commit}\n`,
        encoding: 'buffer',
      });
      const command = `${'0'.repeat(40)} ${commit} refs/heads/${BRANCH}\0 report-status`;
      const line = `${(command.length + 4).toString(16).padStart(4, '0')}${command}0000`;
      return app.request('/git/acme/demo.git/git-receive-pack', {
        method: 'POST',
        headers: {
          authorization: `Basic ${btoa(`run:${RUN_TOKEN}`)}`,
          'content-type': 'application/x-git-receive-pack-request',
        },
        body: Buffer.concat([Buffer.from(line), Buffer.from(pack)]),
      });
    },
    pushes: () =>
      upstream.requests.filter(({ method, url }) => method === 'POST' && url.endsWith('git-receive-pack')).length,
    async [Symbol.asyncDispose]() {
      gateway.closeAllConnections();
      await new Promise((resolve) => gateway.close(resolve));
      await upstream.close();
      await rm(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    },
  });
}
