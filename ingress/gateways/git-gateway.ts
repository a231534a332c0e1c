/**
 * The git gateway (docs/decisions.md, 6): clone and fetch of the run's repository, push to the run's branch only. The gateway
 * adds the platform's credential, which an agent never sees. A push is received whole and looked into before it is sent on.
 */
import { gunzipSync } from 'node:zlib';
import { Hono } from 'hono';
import { failure } from '../http/errors.ts';
import { leavesWork, type Stage } from '../../src/domain/stages/stages.ts';
import { isNoObject, readPushHead, refusal, refusePush, withoutThinPacks, type PushHead } from './receive-pack.ts';
import { spool } from './received-push.ts';
import type { RefusalEnv } from './refusals.ts';
import { createUpstream, type Upstream } from './upstream.ts';
import { basicPassword, type RunAccess } from './run-access.ts';
import type { AssignmentRow } from '../../src/store/runs/assignments.ts';

/** Looks into pushes (src/adapters/git). */
export interface PushInspection {
  /** Why the push is refused, on one line; undefined if it may pass. Throws if GitHub cannot be asked. */
  refuse(
    push: {
      readonly repository: string;
      readonly branch: string;
      readonly baseBranch: string;
      readonly stage: Stage | null;
      readonly oldId: string | null;
      readonly newId: string;
      readonly directory: string;
      readonly pack: string;
    },
    signal: AbortSignal,
  ): Promise<string | undefined>;
}

/** The right of one push of a run to be sent on (src/store/runs/push-leases.ts). */
export interface PushLease {
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

export interface GitGatewayOptions {
  readonly access: RunAccess;
  /** Where git is served: https://github.com, without a slash at its end. */
  readonly upstream: string;
  readonly token: string;
  readonly inspection: PushInspection;
  /** Undefined if the run's token has been closed meanwhile, or another push of the run is on its way. */
  readonly lease: (run: AssignmentRow) => Promise<PushLease | undefined>;
  /** Called with what kept a push from being looked into or sent on. */
  readonly onError?: (error: unknown) => void;
  readonly limits?: GitGatewayLimits;
  readonly send?: Upstream;
}

export interface GitGatewayLimits {
  /** Bytes of a push; GitHub takes 2 GiB, and no file above 100 MiB. */
  readonly pushBytes: number;
  /** Bytes of all pushes that are under way; git needs up to twice as much disk for them. */
  readonly spoolBytes: number;
  /** Milliseconds for looking into a push. */
  readonly inspectionMs: number;
  /** Milliseconds for sending a push on, and for GitHub's answer; whoever closes the run's token waits for it. */
  readonly sendMs: number;
}

export const GIT_GATEWAY_LIMITS: GitGatewayLimits = {
  pushBytes: 512 * 1024 ** 2,
  spoolBytes: 2 * 1024 ** 3,
  inspectionMs: 240_000,
  sendMs: 600_000,
};

/** The commands of a push are read up to here; a push of the run's branch needs a few hundred bytes. */
const HEAD_LIMIT = 64 * 1024;
const SERVICES = new Set(['git-upload-pack', 'git-receive-pack']);

export function createGitGateway({
  access,
  upstream,
  token,
  inspection,
  lease,
  onError = () => undefined,
  limits = GIT_GATEWAY_LIMITS,
  send = createUpstream(),
}: GitGatewayOptions): Hono<RefusalEnv> {
  const authorization = `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
  const budget = { left: limits.spoolBytes };
  /** Runs with a push that is received or looked into: one at a time, so that no run takes all of the server's time. */
  const receiving = new Set<string>();
  const app = new Hono<RefusalEnv>();

  app.on(['GET', 'POST'], '/:owner/:name/:rest{.+}', async (c) => {
    const runToken = basicPassword(c.req.header('authorization'));
    const run = await access.open(runToken);
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

    const url = `${upstream}/${owner}/${name}/${rest}${new URL(c.req.url).search}`;
    const away = (): Response => failure(c, 503, 'unavailable', 'GitHub does not answer');
    if (c.req.method === 'GET' || service === 'git-upload-pack') {
      const body = c.req.method === 'POST' ? c.req.raw.body : null;
      const answer = await forward(url, c.req.raw, body, service).catch(away);
      return service === 'git-receive-pack' && answer.ok ? askForWholePacks(answer) : answer;
    }

    const refused = (head: PushHead, reason: string): Response => {
      c.set('refusal', reason);
      return c.body(new Uint8Array(refusal(head, reason)), 200, {
        'content-type': 'application/x-git-receive-pack-result',
        'cache-control': 'no-cache',
      });
    };
    const received = await receive(c.req.raw);
    if ('malformed' in received) return failure(c, 400, 'invalid_argument', received.malformed);
    const { head, bytes, reader } = received;
    const [command] = head.commands;
    const reason = refusePush(head.commands, run.branch);
    if (reason !== undefined) {
      if (reader) await drain(reader);
      return refused(head, reason);
    }
    // Without a command it is git's question whether it may push, before it sends a large pack.
    if (!command) return forward(url, c.req.raw, new Uint8Array(bytes), service).catch(away);

    if (receiving.has(run.runId)) return failure(c, 503, 'unavailable', 'another push of this run is under way');
    receiving.add(run.runId);
    const push = await spool(
      bytes.subarray(0, head.length),
      bytes.subarray(head.length),
      reader,
      limits.pushBytes,
      budget,
    ).catch((error: unknown) => {
      receiving.delete(run.runId);
      throw error;
    });
    let sending = false;
    try {
      if (push.cut === 'no_space')
        return failure(c, 503, 'unavailable', 'too many large pushes are under way; push again later');
      if (push.cut === 'too_large')
        return refused(head, `a push may have ${(limits.pushBytes / 1024 ** 2).toLocaleString('en-US')} MiB at most`);
      const wrong = await inspection.refuse(
        {
          repository: run.repositoryFullName,
          branch: run.branch,
          baseBranch: run.baseBranch,
          stage: run.stage,
          oldId: isNoObject(command.oldId) ? null : command.oldId,
          newId: command.newId,
          directory: push.directory,
          pack: push.pack,
        },
        AbortSignal.any([c.req.raw.signal, AbortSignal.timeout(limits.inspectionMs)]),
      );
      if (wrong !== undefined) return refused(head, wrong);
      // The token may have been closed since the push began: from here on whoever closes it waits for this push.
      const leased = await lease(run);
      if (!leased)
        return (await access.open(runToken))
          ? failure(c, 503, 'unavailable', 'another push of this run is under way; push again later')
          : failure(c, 401, 'unauthorized', 'the run is over');
      const cleanUp = async (): Promise<void> => {
        await Promise.all([push.remove(), leased.release().catch(onError)]);
      };
      try {
        const { body, length } = await push.send();
        const answer = await forward(url, c.req.raw, body, service, {
          length,
          lost: AbortSignal.any([leased.lost, AbortSignal.timeout(limits.sendMs)]),
        });
        sending = true;
        return afterwards(answer, cleanUp);
      } catch (error) {
        await cleanUp();
        throw error;
      }
    } catch (error) {
      onError(error);
      return away();
    } finally {
      receiving.delete(run.runId);
      if (!sending) await push.remove();
    }
  });

  async function forward(
    url: string,
    request: Request,
    body: Body | null,
    service: string,
    push?: { readonly length: number; readonly lost: AbortSignal },
  ): Promise<Response> {
    const headers = new Headers({ authorization });
    for (const name of ['accept', 'content-type', 'git-protocol', 'user-agent']) {
      const value = request.headers.get(name);
      if (value !== null) headers.set(name, value);
    }
    if (push) headers.set('content-length', String(push.length));
    const encoding = request.headers.get('content-encoding');
    if (encoding !== null && service === 'git-upload-pack') headers.set('content-encoding', encoding);
    const response = await send(url, {
      method: request.method,
      headers,
      body,
      // A push goes on when its agent hangs up: half a push is none, and its lease says that it is under way.
      signal: push ? push.lost : request.signal,
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

type Received =
  | {
      readonly head: PushHead;
      /** What has been read: the commands, and the start of the pack. */
      readonly bytes: Buffer;
      /** The rest of the pack; absent if all has been read. */
      readonly reader?: ReadableStreamDefaultReader<Uint8Array>;
    }
  | { readonly malformed: string };

/** Reads a push up to its pack. */
async function receive(request: Request): Promise<Received> {
  if (request.body === null) return { malformed: 'the push is empty' };
  if (request.headers.get('content-encoding') === 'gzip') {
    // Git compresses only small requests; a push with a pack comes as it is.
    const packed = await upTo(HEAD_LIMIT, request.body);
    if (!packed) return { malformed: 'a compressed push is larger than one ever is' };
    try {
      const bytes = gunzipSync(packed, { maxOutputLength: HEAD_LIMIT });
      const head = readPushHead(bytes);
      return head ? { head, bytes } : { malformed: 'this is not a push' };
    } catch {
      return { malformed: 'the push is not what its encoding says, or too large for it' };
    }
  }
  const reader = request.body.getReader();
  let bytes = Buffer.alloc(0);
  for (;;) {
    const { done, value } = await reader.read();
    if (value) bytes = Buffer.concat([bytes, value]);
    try {
      const head = readPushHead(bytes);
      if (head) return { head, bytes, reader };
    } catch (error) {
      return { malformed: error instanceof Error ? error.message : 'this is not a push' };
    }
    if (done || bytes.length > HEAD_LIMIT) return { malformed: 'this is not a push' };
  }
}

/** The answer to `info/refs`, which asks git for packs without missing deltas. */
function askForWholePacks(answer: Response): Response {
  let start: Buffer | undefined = Buffer.alloc(0);
  const changed = answer.body?.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        if (!start) return controller.enqueue(chunk);
        start = Buffer.concat([start, chunk]);
        const whole = start.length > HEAD_LIMIT ? start : withoutThinPacks(start);
        if (!whole) return;
        controller.enqueue(new Uint8Array(whole));
        start = undefined;
      },
      flush(controller) {
        if (start) controller.enqueue(new Uint8Array(start));
      },
    }),
  );
  return new Response(changed ?? null, { status: answer.status, headers: answer.headers });
}

/** The answer to a push, which is read to its end whether or not its agent still reads it; then cleans up. */
function afterwards(answer: Response, cleanUp: () => Promise<void>): Response {
  const reader = answer.body?.getReader();
  let isRead = true;
  async function pass(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      for (let next = await reader?.read(); next && !next.done; next = await reader?.read())
        if (isRead) controller.enqueue(next.value);
    } catch (error) {
      if (isRead) controller.error(error);
      isRead = false;
    }
    await cleanUp();
    if (isRead) controller.close();
  }
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      void pass(controller);
    },
    cancel() {
      isRead = false;
    },
  });
  return new Response(body, { status: answer.status, headers: answer.headers });
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
