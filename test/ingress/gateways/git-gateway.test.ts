import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { execa } from 'execa';
import { Hono } from 'hono';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createGitGateway } from '../../../ingress/gateways/git-gateway.ts';
import { createPushInspection } from '../../../src/adapters/git/push-inspection.ts';
import type { RunAccess } from '../../../ingress/gateways/run-access.ts';
import type { AssignmentRow } from '../../../src/store/runs/assignments.ts';
import { startGitUpstream, type GitUpstream } from '../../support/git-upstream.ts';
import { CLEAN } from './support/git-scene.ts';

const RUN_TOKEN = 'ck8s_run_of_the_test';
const PLATFORM_TOKEN = 'ghs_the_platform_only';
const BRANCH = 'codex/issue-7';

/** What git leaves running behind, to look after a repository, may write into it for a moment. */
const REMOVAL = { recursive: true, force: true, maxRetries: 10, retryDelay: 200 };

let directory: string;
let upstream: GitUpstream;
let gateway: Server;
let port: number;
let app: Hono;
let clones = 0;
let kind: AssignmentRow['kind'];

const access: RunAccess = {
  open: (token) =>
    Promise.resolve(
      token === RUN_TOKEN
        ? ({ repositoryFullName: 'acme/demo', branch: BRANCH, baseBranch: 'main', kind, stage: 'dev' } as AssignmentRow)
        : undefined,
    ),
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'git-gateway-'));
  const seed = join(directory, 'seed');
  await execa('git', ['init', '--quiet', '--initial-branch', 'main', seed], { env: CLEAN });
  for (const message of ['The beginning', 'The middle']) await commit(seed, message);
  await execa('git', ['clone', '--quiet', '--bare', seed, join(directory, 'template.git')], { env: CLEAN });
  upstream = await startGitUpstream(directory, PLATFORM_TOKEN);
  app = gatewayTo(upstream.url, PLATFORM_TOKEN);
  gateway = await listen(app);
  ({ port } = gateway.address() as AddressInfo);
});

afterAll(async () => {
  if (gateway) await close(gateway);
  await upstream?.close();
  await rm(directory, REMOVAL);
});

beforeEach(async () => {
  kind = 'work';
  for (const name of ['demo.git', 'other.git']) {
    await rm(join(directory, 'acme', name), REMOVAL);
    await cp(join(directory, 'template.git'), join(directory, 'acme', name), { recursive: true });
  }
  upstream.requests.length = 0;
});

const lease = async () => ({ lost: new AbortController().signal, release: async () => undefined });

function gatewayTo(url: string, token: string): Hono {
  const inspection = createPushInspection({ upstream: url, token });
  return new Hono().route('/git', createGitGateway({ access, upstream: url, token, inspection, lease }));
}

async function listen(served: Hono): Promise<Server> {
  return new Promise((resolve) => {
    const server = serve({ fetch: served.fetch, hostname: '127.0.0.1', port: 0 }, () => resolve(server)) as Server;
  });
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => {
    server.close(resolve);
  });
}

function urlOf(repository: string, token: string | null = RUN_TOKEN): string {
  return `http://${token === null ? '' : `run:${token}@`}127.0.0.1:${port}/git/${repository}.git`;
}

async function commit(repository: string, message: string): Promise<void> {
  await writeFile(join(repository, 'notes.txt'), message);
  await execa('git', ['add', '--all'], { cwd: repository, env: CLEAN });
  await execa('git', ['commit', '--quiet', '--message', message], { cwd: repository, env: CLEAN });
}

/** Runs git, and tells how it ended whatever that is. */
async function git(cwd: string, ...args: string[]): Promise<{ exitCode: number | undefined; stderr: string }> {
  const { exitCode, stderr } = await execa('git', args, { cwd, env: CLEAN, reject: false });
  return { exitCode, stderr };
}

/** A clone with one commit on the run's branch. */
async function clone(...options: string[]): Promise<string> {
  const place = join(directory, `clone-${clones++}`);
  const { exitCode, stderr } = await git(directory, 'clone', '--quiet', ...options, urlOf('acme/demo'), place);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  await git(place, 'switch', '--quiet', '--create', BRANCH);
  await commit(place, `The work of ${place}`);
  return place;
}

/** The refs of the repository upstream. */
async function refs(): Promise<string[]> {
  const { stdout } = await execa('git', ['for-each-ref', '--format=%(refname)'], {
    cwd: join(directory, 'acme/demo.git'),
    env: CLEAN,
  });
  return stdout.split('\n').toSorted();
}

async function head(repository: string, ref: string): Promise<string> {
  return (await execa('git', ['rev-parse', ref], { cwd: repository, env: CLEAN })).stdout;
}

describe("a run's repository", () => {
  test('is cloned with all its history', async () => {
    const place = await clone();
    const { stdout } = await execa('git', ['log', '--format=%s', 'origin/main'], { cwd: place, env: CLEAN });
    expect(stdout.split('\n')).toEqual(['The middle', 'The beginning']);
  });

  test('is fetched from again', async () => {
    const place = await clone();
    const bare = join(directory, 'acme/demo.git');
    const args = ['commit-tree', 'main^{tree}', '-p', 'main', '-m', 'The end'];
    const { stdout: end } = await execa('git', args, { cwd: bare, env: CLEAN });
    await execa('git', ['update-ref', 'refs/heads/main', end], { cwd: bare, env: CLEAN });
    expect(await git(place, 'fetch', '--quiet')).toMatchObject({ exitCode: 0 });
    expect(await head(place, 'origin/main')).toBe(end);
  });

  test.each(['0', '1', '2'])("is cloned in version %s of git's protocol", async (version) => {
    const place = await clone('--config', `protocol.version=${version}`);
    expect(await head(place, 'origin/main')).toBe(await head(join(directory, 'seed'), 'main'));
  });

  test('is reached with the credential of the platform, never with that of the run', async () => {
    const place = await clone();
    await git(place, 'push', 'origin', BRANCH);
    const shown = new Set(upstream.requests.map(({ authorization }) => authorization));
    expect([...shown]).toEqual([`Basic ${Buffer.from(`x-access-token:${PLATFORM_TOKEN}`).toString('base64')}`]);
  });
});

describe("a push of the run's branch", () => {
  test('makes the branch', async () => {
    const place = await clone();
    expect(await git(place, 'push', 'origin', BRANCH)).toMatchObject({ exitCode: 0 });
    expect(await refs()).toEqual([`refs/heads/${BRANCH}`, 'refs/heads/main']);
    expect(await head(join(directory, 'acme/demo.git'), BRANCH)).toBe(await head(place, 'HEAD'));
  });

  test('moves the branch on', async () => {
    const place = await clone();
    await git(place, 'push', 'origin', BRANCH);
    await commit(place, 'More work');
    expect(await git(place, 'push', 'origin', BRANCH)).toMatchObject({ exitCode: 0 });
    expect(await head(join(directory, 'acme/demo.git'), BRANCH)).toBe(await head(place, 'HEAD'));
  });

  test('that somebody else moved on is rejected by git itself, and overwrites nothing', async () => {
    const [first, second] = [await clone(), await clone()];
    await git(first, 'push', 'origin', BRANCH);
    const pushed = await git(second, 'push', 'origin', BRANCH);
    expect(pushed).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('rejected') as string });
    expect(await head(join(directory, 'acme/demo.git'), BRANCH)).toBe(await head(first, 'HEAD'));
  });

  test('passes with a pack larger than 1 MiB', async () => {
    const place = await clone();
    await writeFile(join(place, 'large.bin'), randomBytes(3 * 1024 * 1024));
    await commit(place, 'Something large');
    expect(await git(place, 'push', 'origin', BRANCH)).toMatchObject({ exitCode: 0 });
    expect(await head(join(directory, 'acme/demo.git'), BRANCH)).toBe(await head(place, 'HEAD'));
  });

  test('passes from a shallow clone', async () => {
    const place = await clone('--depth', '1');
    expect(await git(place, 'push', 'origin', BRANCH)).toMatchObject({ exitCode: 0 });
    expect(await head(join(directory, 'acme/demo.git'), BRANCH)).toBe(await head(place, 'HEAD'));
  });
});

describe('git shows why it may not', () => {
  const only = `this run may push to ${BRANCH} only`;

  test.each<[string, string[], string]>([
    ['push another branch', [`${BRANCH}:refs/heads/other`], `${only}, not to refs/heads/other`],
    ['push to the base branch', [`${BRANCH}:refs/heads/main`], `${only}, not to refs/heads/main`],
    ['force the base branch', ['--force', `${BRANCH}:refs/heads/main`], `${only}, not to refs/heads/main`],
    ['push its own branch together with another', [BRANCH, `${BRANCH}:refs/heads/other`], only],
    ['push a tag', [`${BRANCH}:refs/tags/v1`], `${only}, not to refs/tags/v1`],
    ['delete the base branch', ['--delete', 'main'], `${only}, not to refs/heads/main`],
    ['delete its own branch', ['--delete', BRANCH], `this run may not delete ${BRANCH}`],
  ])('%s', async (_what, args, reason) => {
    const place = await clone();
    await git(place, 'push', 'origin', BRANCH);
    const before = await refs();
    const main = await head(join(directory, 'acme/demo.git'), 'main');
    await commit(place, 'More work');
    const pushed = await git(place, 'push', 'origin', ...args);
    expect(pushed.exitCode).toBe(1);
    expect(pushed.stderr).toContain(`[remote rejected]`);
    expect(pushed.stderr).toContain(reason);
    expect(await refs()).toEqual(before);
    expect(await head(join(directory, 'acme/demo.git'), 'main')).toBe(main);
  });

  test('push another branch with a pack larger than 1 MiB', async () => {
    const place = await clone();
    await writeFile(join(place, 'large.bin'), randomBytes(3 * 1024 * 1024));
    await commit(place, 'Something large');
    const pushed = await git(place, 'push', 'origin', `${BRANCH}:refs/heads/other`);
    expect(pushed.stderr).toContain(only);
    expect(await refs()).toEqual(['refs/heads/main']);
  });

  test('push a thousand tags', async () => {
    const place = await clone();
    const tags = Array.from({ length: 1000 }, (_, n) => `create refs/tags/a-rather-long-name-of-a-tag-${n} HEAD\n`);
    await execa('git', ['update-ref', '--stdin'], { cwd: place, env: CLEAN, input: tags.join('') });
    const pushed = await git(place, 'push', 'origin', '--tags');
    expect(pushed.exitCode).not.toBe(0);
    expect(await refs()).toEqual(['refs/heads/main']);
  });
});

describe('what is refused before git is asked', () => {
  const basic = (token: string): Record<string, string> => ({
    authorization: `Basic ${Buffer.from(`run:${token}`).toString('base64')}`,
  });
  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    Promise.resolve(app.request(`/git/${path}`, { headers: basic(RUN_TOKEN), ...init }));

  test.each<[string, Record<string, string>]>([
    ['no token', {}],
    ['the token of no run', basic('ck8s_run_of_somebody_else')],
    ['the token in the wrong place', { authorization: `Bearer ${RUN_TOKEN}` }],
    ['the token as the name', { authorization: `Basic ${Buffer.from(`${RUN_TOKEN}:`).toString('base64')}` }],
    ['something that is no base64', { authorization: 'Basic §§§' }],
    ['no colon', { authorization: `Basic ${Buffer.from(RUN_TOKEN).toString('base64')}` }],
  ])('%s is answered with 401 and the way to sign in', async (_what, headers) => {
    const answer = await ask('acme/demo.git/info/refs?service=git-upload-pack', { headers });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Basic /);
    expect(await answer.json()).toMatchObject({ code: 'unauthorized' });
    expect(upstream.requests).toEqual([]);
  });

  test('git without a token cannot clone', async () => {
    const { exitCode } = await git(directory, 'clone', '--quiet', urlOf('acme/demo', null), join(directory, 'never'));
    expect(exitCode).toBe(128);
  });

  test.each([
    'acme/other.git/info/refs?service=git-upload-pack',
    'acme/demo/info/refs?service=git-upload-pack',
    'Acme/demo.git/info/refs?service=git-upload-pack',
    'acme/demo.git.git/info/refs?service=git-upload-pack',
    'acme/other.git/../demo.git/../other.git/info/refs?service=git-upload-pack',
    'acme%2Fdemo.git/x/info/refs?service=git-upload-pack',
    'acme/demo.git/info/refs',
    'acme/demo.git/info/refs?service=git-upload-archive',
    'acme/demo.git/HEAD',
    'acme/demo.git/objects/info/packs',
    'acme/demo.git/git-receive-pack',
    'acme/demo.git/info/../../other.git/info/refs?service=git-upload-pack',
  ])('%s is not found', async (path) => {
    const answer = await ask(path);
    expect(answer.status).toBe(404);
    expect(upstream.requests).toEqual([]);
  });

  test.each(['acme/other.git/git-receive-pack', 'acme/demo.git/git-upload-archive', 'acme/demo.git/info/refs'])(
    'a post to %s is not found',
    async (path) => {
      expect((await ask(path, { method: 'POST', body: '0000' })).status).toBe(404);
      expect(upstream.requests).toEqual([]);
    },
  );

  test.each(['review', 'discussion'] as const)('a run that is a %s can read and not push', async (only) => {
    kind = only;
    for (const path of ['info/refs?service=git-receive-pack', 'git-receive-pack']) {
      const method = path.startsWith('info') ? 'GET' : 'POST';
      const answer = await ask(`acme/demo.git/${path}`, method === 'GET' ? {} : { method, body: '0000' });
      expect([path, answer.status]).toEqual([path, 403]);
    }
    expect(upstream.requests).toEqual([]);
    expect((await ask('acme/demo.git/info/refs?service=git-upload-pack')).status).toBe(200);
  });

  test('git cannot clone another repository', async () => {
    const cloned = await git(directory, 'clone', '--quiet', urlOf('acme/other'), join(directory, 'never'));
    expect(cloned).toMatchObject({ exitCode: 128, stderr: expect.stringContaining('not found') as string });
  });

  test.each<[string, RequestInit]>([
    ['is empty', { body: '' }],
    ['is something else', { body: 'GET / HTTP/1.1\r\n\r\n' }],
    ['is cut off', { body: '00a0' }],
    ['goes on and on', { body: `ffff${'x'.repeat(300_000)}` }],
    [
      'is said to be compressed and is not',
      { body: '0000', headers: { ...basic(RUN_TOKEN), 'content-encoding': 'gzip' } },
    ],
  ])('a push that %s is answered with 400', async (_what, init) => {
    const answer = await ask('acme/demo.git/git-receive-pack', { method: 'POST', ...init });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: 'invalid_argument' });
    expect(upstream.requests).toEqual([]);
  });

  test("an upstream that refuses the platform's credential does not make git ask for another", async () => {
    const stale = gatewayTo(upstream.url, 'expired');
    const answer = await stale.request('/git/acme/demo.git/info/refs?service=git-upload-pack', {
      headers: basic(RUN_TOKEN),
    });
    expect(answer.status).toBe(502);
    expect(answer.headers.get('www-authenticate')).toBeNull();
  });

  test('an upstream that is away is answered with 503', async () => {
    const nowhere = await startGitUpstream(directory, PLATFORM_TOKEN);
    await nowhere.close();
    const away = gatewayTo(nowhere.url, PLATFORM_TOKEN);
    const answer = await away.request('/git/acme/demo.git/info/refs?service=git-upload-pack', {
      headers: basic(RUN_TOKEN),
    });
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ code: 'unavailable' });
  });
});
