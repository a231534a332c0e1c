/** Fixtures for tests of the GitHub emulator: a running emulator, clients, a working copy, a receiver of webhooks. */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Octokit } from '@octokit/rest';
import { execa } from 'execa';
import { createRecorder, type Recorder } from '../../support/github-schema/recorder.ts';
import { startGitHubEmulator, type GitHubEmulator } from '../../../src/emulators/github/server.ts';

export const ACCOUNTS = [
  { login: 'octo', token: 'token-octo', type: 'User' },
  { login: 'reviewer', token: 'token-reviewer', type: 'User' },
  { login: 'stranger', token: 'token-stranger', type: 'User' },
  { login: 'codex-k8s[bot]', token: 'token-bot', type: 'Bot' },
] as const;

const SECRET = 'a secret of the hook';

const STORY = { 'story.txt': 'once\nupon\na time\nthe end\n' };

/** The repository that every test works on. */
export const DEMO = { owner: 'octo', repo: 'demo' } as const;

export async function freshDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'github-emulator-'));
}

/** An emulator all of whose answers are compared with GitHub's description; closing it fails when one does not agree. */
export interface CheckedEmulator extends GitHubEmulator {
  readonly recorder: Recorder;
}

export async function startEmulator(dataDir?: string): Promise<CheckedEmulator> {
  const recorder = createRecorder();
  const emulator = await startGitHubEmulator({
    dataDir: dataDir ?? (await freshDirectory()),
    accounts: ACCOUNTS,
    observe: (request, answer) => recorder.observe(request, answer),
  });
  return {
    ...emulator,
    recorder,
    async close() {
      await emulator.close();
      recorder.expectDocumented();
    },
  };
}

export function client({ apiUrl }: { apiUrl: string }, token = 'token-octo'): Octokit {
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  return new Octokit({ baseUrl: apiUrl, auth: token, log });
}

/** The URL to clone and push with. */
export function remote({ url }: { url: string }, token = 'token-octo', path = 'octo/demo'): string {
  return `${url.replace('http://', `http://anything:${token}@`)}/${path}.git`;
}

/** A clone with commits in it. */
export class WorkingCopy {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async create(): Promise<WorkingCopy> {
    const copy = new WorkingCopy(await freshDirectory());
    await copy.git('init', '--quiet', '--initial-branch=main');
    return copy;
  }

  async git(...args: string[]): Promise<string> {
    const identity = ['-c', 'user.name=Octo', '-c', 'user.email=octo@example.com', '-c', 'credential.helper='];
    const env = { GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_GLOBAL: '/dev/null' };
    return (await execa('git', [...identity, ...args], { cwd: this.directory, env })).stdout;
  }

  /** Writes files, commits them and gives the commit's hash. */
  async commit(files: Record<string, string>, message = 'a change'): Promise<string> {
    for (const [path, content] of Object.entries(files)) await writeFile(join(this.directory, path), content);
    await this.git('add', '--all');
    await this.git('commit', '--quiet', `--message=${message}`);
    return this.git('rev-parse', 'HEAD');
  }
}

/** The emulator, client and working copy that most tests use. */
export interface Stage {
  emulator: CheckedEmulator;
  octo: Octokit;
  copy: WorkingCopy;
}

/** Starts an emulator with a repository whose main branch has one file. */
export async function startWithDemo(): Promise<Stage> {
  const emulator = await startEmulator();
  const octo = client(emulator);
  await octo.repos.createForAuthenticatedUser({ name: 'demo' });
  const copy = await WorkingCopy.create();
  await copy.commit({ 'story.txt': 'once\nupon\na time\n' }, 'begin');
  await copy.git('push', '--quiet', remote(emulator), 'main');
  return { emulator, octo, copy };
}

/** Pushes a branch with one changed file and opens a pull request for it. */
export async function openPull(
  { emulator, copy }: Pick<Stage, 'emulator' | 'copy'>,
  {
    branch = 'topic',
    files = STORY,
    body = '',
  }: { branch?: string; files?: Record<string, string>; body?: string } = {},
): Promise<number> {
  const octo = client(emulator);
  await octo.repos.addCollaborator({ ...DEMO, username: 'codex-k8s[bot]', permission: 'push' });
  await copy.git('checkout', '--quiet', '-B', branch, 'main');
  await copy.commit(files, `work on ${branch}`);
  await copy.git('push', '--quiet', remote(emulator), branch);
  const pull = await client(emulator, 'token-bot').pulls.create({
    ...DEMO,
    head: branch,
    base: 'main',
    title: `Change ${branch}`,
    body,
  });
  return pull.data.number;
}

export interface Received {
  event: string;
  headers: Record<string, string>;
  raw: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- payloads are what the tests look into
  body: any;
}

/** An endpoint for webhooks that answers with `status`. Closing it fails when a payload was not as GitHub describes it. */
export class Receiver {
  readonly received: Received[] = [];
  readonly recorder = createRecorder();
  status = 200;
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const raw = Buffer.concat(chunks).toString('utf8');
      const headers = request.headers as Record<string, string>;
      const [event, body] = [headers['x-github-event'] ?? '', JSON.parse(raw) as Record<string, unknown>];
      this.received.push({ event, headers, raw, body });
      this.recorder.delivered(event, body);
      response.writeHead(this.status).end('received');
    });
  });

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    receiver.#server.listen(0, '127.0.0.1');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/webhook`;
  }

  /** The names of what came in, as `issues.labeled`. */
  get names(): string[] {
    return this.received.map(({ event, body }) => (body.action ? `${event}.${body.action}` : event));
  }

  named(name: string): Received[] {
    return this.received.filter((_, index) => this.names[index] === name);
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    this.recorder.expectDocumented();
  }
}

export async function addHook(octo: Octokit, receiver: Receiver, events: string[] = ['*']): Promise<number> {
  const config = { url: receiver.url, content_type: 'json', secret: SECRET };
  return (await octo.repos.createWebhook({ ...DEMO, config, events })).data.id;
}

/** The expected value of GitHub's signature header for a body. */
export function signatureOf(raw: string): string {
  return `sha256=${createHmac('sha256', SECRET).update(raw).digest('hex')}`;
}
