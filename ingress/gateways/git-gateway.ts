/**
 * The git gateway (docs/decisions.md, 6): clone and fetch of the run's repository, push to the run's branch only. The gateway
 * adds the platform's credential, which an agent never sees.
 */
import { gunzipSync } from 'node:zlib';
import { Hono } from 'hono';
import { failure } from '../http/errors.ts';
import { leavesWork } from '../../src/domain/stages/stages.ts';
import { readPushHead, refusal, refusePush } from './receive-pack.ts';
import { basicPassword, type RunAccess } from './run-access.ts';

export interface GitGatewayOptions {
  readonly access: RunAccess;
  /** Where git is served: https://github.com, without a slash at its end. */
  readonly upstream: string;
  readonly token: string;
}

/** The commands of a push are read up to here; a push of the run's branch needs a few hundred bytes. */
const HEAD_LIMIT = 64 * 1024;
const SERVICES = new Set(['git-upload-pack', 'git-receive-pack']);

export function createGitGateway({ access, upstream, token }: GitGatewayOptions): Hono {
  const authorization = `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
  const app = new Hono();

  app.on(['GET', 'POST'], '/:owner/:name/:rest{.+}', async (c) => {
    const run = await access.open(basicPassword(c.req.header('authorization')));
    if (!run) {
      c.header('WWW-Authenticate', 'Basic realm="codex-k8s"');
      return failure(c, 401, 'unauthorized', 'the run token is not valid, or its run is over');
    }
    const { owner, name, rest } = c.req.param();
    if (`${owner}/${name}` !== `${run.repositoryFullName}.git`)
      return failure(c, 404, 'not_found', "this is not the run's repository");
    const service = c.req.method === 'GET' ? (c.req.query('service') ?? '') : rest;
    const known = c.req.method === 'GET' ? rest === 'info/refs' : true;
    if (!known || !SERVICES.has(service))
      return failure(c, 404, 'not_found', 'only git over smart HTTP is served here');

    if (service === 'git-receive-pack' && !leavesWork(run))
      return failure(c, 403, 'forbidden', 'this run only reads; nothing can be pushed');

    let body: Body | null = null;
    if (c.req.method === 'POST') {
      const push = service === 'git-receive-pack' ? await inspect(c.req.raw, run.branch) : { body: c.req.raw.body };
      if ('refused' in push)
        return c.body(new Uint8Array(push.refused), 200, {
          'content-type': 'application/x-git-receive-pack-result',
          'cache-control': 'no-cache',
        });
      if ('malformed' in push) return failure(c, 400, 'invalid_argument', push.malformed);
      ({ body } = push);
    }
    const url = `${upstream}/${owner}/${name}/${rest}${new URL(c.req.url).search}`;
    return forward(url, c.req.raw, body, service).catch(() => failure(c, 503, 'unavailable', 'GitHub does not answer'));
  });

  async function forward(url: string, request: Request, body: Body | null, service: string): Promise<Response> {
    const headers = new Headers({ authorization });
    for (const name of ['accept', 'content-type', 'git-protocol', 'user-agent']) {
      const value = request.headers.get(name);
      if (value !== null) headers.set(name, value);
    }
    const encoding = request.headers.get('content-encoding');
    if (encoding !== null && service === 'git-upload-pack') headers.set('content-encoding', encoding);
    const response = await fetch(url, {
      method: request.method,
      headers,
      body,
      redirect: 'manual',
      signal: request.signal,
      ...(body === null ? {} : { duplex: 'half' }),
    });
    const answered = new Headers({ 'cache-control': 'no-cache' });
    const type = response.headers.get('content-type');
    if (type !== null) answered.set('content-type', type);
    // A 401 from upstream is the platform's trouble; git must not ask the agent for another password.
    return new Response(response.body, { status: response.status === 401 ? 502 : response.status, headers: answered });
  }
  return app;
}

/** What fetch takes as a body here. */
type Body = ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer>;

type Inspected = { readonly body: Body | null } | { readonly refused: Buffer } | { readonly malformed: string };

/** Reads a push up to its pack, and lets it pass only when it changes the run's branch and nothing else. */
async function inspect(request: Request, branch: string): Promise<Inspected> {
  if (request.body === null) return { malformed: 'the push is empty' };
  if (request.headers.get('content-encoding') === 'gzip') {
    // Git compresses only small requests; a push with a pack comes as it is.
    const packed = await upTo(HEAD_LIMIT, request.body);
    if (!packed) return { malformed: 'a compressed push is larger than one ever is' };
    try {
      const bytes = gunzipSync(packed, { maxOutputLength: HEAD_LIMIT });
      return inspectBuffered(bytes, branch, (head) => new Uint8Array(head));
    } catch {
      return { malformed: 'the push is not what its encoding says, or too large for it' };
    }
  }
  const reader = request.body.getReader();
  let head = Buffer.alloc(0);
  for (;;) {
    const { done, value } = await reader.read();
    if (value) head = Buffer.concat([head, value]);
    const decided = inspectBuffered(head, branch, (start) => resumed(start, reader));
    if (!('malformed' in decided) || decided.malformed !== INCOMPLETE) {
      if ('refused' in decided) await drain(reader);
      return decided;
    }
    if (done || head.length > HEAD_LIMIT) return { malformed: 'this is not a push' };
  }
}

const INCOMPLETE = 'incomplete';

function inspectBuffered(head: Buffer, branch: string, pass: (head: Buffer) => Body): Inspected {
  try {
    const push = readPushHead(head);
    if (!push) return { malformed: INCOMPLETE };
    const reason = refusePush(push.commands, branch);
    return reason === undefined ? { body: pass(head) } : { refused: refusal(push, reason) };
  } catch (error) {
    return { malformed: error instanceof Error ? error.message : 'this is not a push' };
  }
}

/** The request's body as it was before its start was read. */
function resumed(head: Buffer, reader: ReadableStreamDefaultReader<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(head)),
    async pull(controller) {
      const { done, value } = await reader.read();
      if (value) controller.enqueue(value);
      if (done) controller.close();
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

/** The whole of a stream, or undefined when it is longer. */
async function upTo(limit: number, stream: ReadableStream<Uint8Array>): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Git reads the answer only after it has sent all of its pack. */
async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await reader.read()).done);
}
