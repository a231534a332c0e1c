/** Clone, fetch and push over HTTP, with a token as the password. */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Hono, type Context } from 'hono';
import { mayAct } from '../access.ts';
import { accountOf } from '../accounts.ts';
import type { RepoRow, UserRow } from '../rows.ts';
import type { Emulator } from '../emulator.ts';
import { runHttpBackend } from './cgi.ts';

const PUSH = 'git-receive-pack';

/** `info/refs`, `git-upload-pack` and `git-receive-pack` of every repository. */
export function gitRoutes(emulator: Emulator): Hono {
  const app = new Hono();
  app.get('/:owner/:repo/info/refs', async (c) => serve(c, emulator, c.req.query('service') ?? ''));
  app.post('/:owner/:repo/:service{git-upload-pack|git-receive-pack}', async (c) =>
    serve(c, emulator, c.req.param('service')),
  );
  return app;
}

async function serve(c: Context, emulator: Emulator, service: string): Promise<Response> {
  const { rows, tokens } = emulator;
  const header = c.req.header('authorization');
  const account = accountOf(rows, tokens, header);
  const name = `${c.req.param('owner')}/${c.req.param('repo')?.replace(/\.git$/, '')}`;
  const repo = rows.repos.findOneBy('full_name', name);
  const needed = service === PUSH ? 'write' : 'read';
  if (header && !account) return challenge('Invalid username or token.');
  if (!account && (needed === 'write' || !repo || repo.private)) return challenge('Authentication is required.');
  if (!repo || !mayAct(rows, account, repo, 'read')) return new Response('Repository not found.\n', { status: 404 });
  if (!mayAct(rows, account, repo, needed)) return new Response(`Permission to ${name}.git denied.\n`, { status: 403 });
  if (c.req.method === 'POST' && service === PUSH && account) return receive(c, emulator, repo, account);
  return backend(c, emulator, repo, account, c.req.raw.body && Readable.fromWeb(c.req.raw.body));
}

/**
 * Receives a push. The pack is stored in a file first, so that a slow sender does not block other writes. The response is sent
 * when the API shows what was pushed and all of it is on disk.
 */
async function receive(c: Context, emulator: Emulator, repo: RepoRow, account: UserRow): Promise<Response> {
  const spool = await mkdtemp(join(tmpdir(), 'github-emulator-push-'));
  try {
    const file = join(spool, 'pack');
    const sent = c.req.raw.body ? Readable.fromWeb(c.req.raw.body) : Readable.from([]);
    await pipeline(sent, createWriteStream(file));
    const { size } = await stat(file);
    return await emulator.change(account, async () => {
      const answer = await backend(c, emulator, repo, account, createReadStream(file), size);
      const report = await answer.arrayBuffer();
      await emulator.pulls.followGit(repo, account);
      return new Response(report, { status: answer.status, headers: answer.headers });
    });
  } finally {
    await rm(spool, { recursive: true, force: true });
  }
}

async function backend(
  c: Context,
  emulator: Emulator,
  repo: RepoRow,
  account: UserRow | undefined,
  body: Readable | null,
  size?: number,
): Promise<Response> {
  const url = new URL(c.req.url);
  const action = url.pathname.replace(/^\/[^/]+\/[^/]+/, '');
  const directory = emulator.mirror.directory(repo);
  const length = size ?? Number(c.req.header('content-length') ?? Number.NaN);
  return runHttpBackend(join(directory, '..'), {
    method: c.req.method,
    path: `/${repo.full_name.split('/')[1]}.git${action}`,
    query: url.search.slice(1),
    headers: c.req.raw.headers,
    body,
    ...(Number.isFinite(length) && { contentLength: length }),
    user: account?.login,
  });
}

function challenge(message: string): Response {
  return new Response(`${message}\n`, { status: 401, headers: { 'WWW-Authenticate': 'Basic realm="GitHub"' } });
}
