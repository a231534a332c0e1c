/** The platform of the tests: protocol.ts against memory, the git gateway and the model gateway, on one port. */
import type { Server } from 'node:http';
import { createServer } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { LogBatch, Report, type Assignment, type LogLine } from '../../../src/agent/platform/protocol.ts';
import { passwordOf, serveGit } from './git-gateway.ts';

export interface TestPlatform {
  readonly url: string;
  readonly token: string;
  assignment: Assignment | undefined;
  /** `damaged`: it is not what was stored. */
  conversation: { threadId: string; content: string; damaged?: boolean } | undefined;
  /** Commits that could not be pushed. */
  kept: { headSha: string; bundle: Buffer } | undefined;
  /** By its number: a repeated line is the same line. */
  readonly lines: Map<number, LogLine>;
  readonly reports: Report[];
  /** The run is over: every call is answered 401. */
  isOver: boolean;
  /** Why the agent's turn must end; null: it need not. */
  endTurn: 'parked' | 'steer' | null;
  /** Status codes for the next pushes, before git sees them. */
  readonly pushTrouble: number[];
  /** Texts of the whole log, in order. */
  log(): string[];
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
}

/** Starts the platform for one run at a time. */
export async function startPlatform(options: {
  token: string;
  gitRoot: string;
  modelUrl: () => string;
  /** For TLS. */
  tls?: { readonly cert: string; readonly key: string } | undefined;
}): Promise<TestPlatform> {
  const app = new Hono();
  let server: Server | undefined;
  let port = 0;

  async function listen(): Promise<void> {
    await new Promise<void>((resolve) => {
      const tls = options.tls ? { createServer, serverOptions: options.tls } : {};
      server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port, ...tls }, (address) => {
        port = address.port;
        resolve();
      }) as Server;
    });
  }

  async function goAway(): Promise<void> {
    const closed = new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
    server?.closeAllConnections();
    await closed;
  }

  await listen();
  const platform: TestPlatform = {
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    token: options.token,
    assignment: undefined,
    conversation: undefined,
    kept: undefined,
    lines: new Map(),
    reports: [],
    isOver: false,
    endTurn: null,
    pushTrouble: [],
    log: () => [...platform.lines.entries()].toSorted(([a], [b]) => a - b).map(([, line]) => line.text),
    goAway,
    comeBack: listen,
  };

  app.use('*', async (c, next) => {
    const bearer = c.req.header('authorization')?.replace(/^Bearer /, '');
    const isKnown = bearer === options.token || passwordOf(c.req.raw) === options.token;
    if (isKnown && !platform.isOver) return next();
    return c.text('unauthorized', 401, { 'www-authenticate': 'Basic realm="git"' });
  });
  const agent = '/api/v1/agent';
  app.get(`${agent}/assignment`, (c) => (platform.assignment ? c.json(platform.assignment) : c.notFound()));
  app.get(`${agent}/conversation`, (c) => {
    if (platform.conversation?.damaged) return c.body(null, 412);
    return platform.conversation ? c.body(platform.conversation.content) : c.notFound();
  });
  app.put(`${agent}/conversation`, async (c) => {
    platform.conversation = { threadId: c.req.header('x-thread-id') ?? '', content: await c.req.text() };
    return c.body(null, 204, { etag: tagOf(platform.conversation.content) });
  });
  app.patch(`${agent}/conversation`, async (c) => {
    const { conversation } = platform;
    if (!conversation || c.req.header('if-match') !== tagOf(conversation.content)) return c.body(null, 412);
    conversation.content += await c.req.text();
    return c.body(null, 204, { etag: tagOf(conversation.content) });
  });
  app.get(`${agent}/commits`, (c) => (platform.kept ? c.body(new Uint8Array(platform.kept.bundle)) : c.notFound()));
  app.put(`${agent}/commits`, async (c) => {
    platform.kept = {
      headSha: c.req.header('x-head-sha') ?? '',
      bundle: Buffer.from(await c.req.arrayBuffer()),
    };
    return c.body(null, 204);
  });
  app.get(`${agent}/directives`, async (c) => {
    for (let looks = 0; looks < 20 && platform.endTurn === null && !c.req.raw.signal.aborted; looks += 1)
      await delay(50);
    return c.json({ endTurn: platform.endTurn && { reason: platform.endTurn } });
  });
  app.post(`${agent}/log`, async (c) => {
    for (const line of LogBatch.parse(await c.req.json()).lines) platform.lines.set(line.n, line);
    return c.body(null, 204);
  });
  app.post(`${agent}/report`, async (c) => {
    platform.reports.push(Report.parse(await c.req.json()));
    return c.body(null, 204);
  });
  app.all('/git/*', async (c) => {
    const trouble = c.req.query('service') === 'git-receive-pack' ? platform.pushTrouble.shift() : undefined;
    if (trouble !== undefined) return c.text('trouble', trouble as 503);
    return serveGit(options.gitRoot, c.req.path.slice('/git'.length), c.req.raw);
  });
  app.all('/model/*', async (c) => {
    const headers = { 'content-type': 'application/json' };
    const body = c.req.method === 'POST' ? await c.req.text() : null;
    const url = options.modelUrl() + c.req.path.slice('/model/v1'.length);
    return fetch(url, { method: c.req.method, headers, body }).catch(() => c.text('the model is away', 502));
  });
  return platform;
}

function tagOf(content: string): string {
  return `"${content.length}"`;
}
