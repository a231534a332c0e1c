/** A GitHub of one's own on the loopback: REST API, git over HTTP, signed webhooks, plain pages, kept on disk. */
import { once } from 'node:events';
import { createAdaptorServer } from '@hono/node-server';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import type { SandboxAccount } from './accounts.ts';
import { createSandboxApp } from './app.ts';
import { openSandbox, type Sandbox } from './emulator.ts';

export type { SandboxAccount } from './accounts.ts';

export interface GitHubSandboxOptions {
  /** Where repositories and state lie; what is there is taken up again. */
  dataDir: string;
  /** Default 127.0.0.1. */
  host?: string;
  /** Default 0: any free port. */
  port?: number;
  /** Seeded on the first start, merged on later ones. */
  accounts: readonly SandboxAccount[];
}

export interface GitHubSandbox {
  /** For git and browsers, as `http://127.0.0.1:4321`. */
  url: string;
  /** What Octokit's `baseUrl` takes. */
  apiUrl: string;
  close(): Promise<void>;
}

/** Starts the stand-in; it answers when this returns. */
export async function startGitHubSandbox(options: GitHubSandboxOptions): Promise<GitHubSandbox> {
  const host = options.host ?? '127.0.0.1';
  let app: ReturnType<typeof createSandboxApp> | undefined;
  const fetch = (request: Request): Response | Promise<Response> =>
    app?.fetch(request) ?? new Response('starting', { status: 503 });
  const server = createAdaptorServer({ fetch }) as Server;
  server.requestTimeout = 0;
  server.listen(options.port ?? 0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  try {
    const sandbox = await openSandbox(options.dataDir, url, options.accounts);
    app = createSandboxApp(sandbox);
    return { url, apiUrl: url, close: () => stop(server, sandbox) };
  } catch (error) {
    server.close();
    throw error;
  }
}

async function stop(server: Server, sandbox: Sandbox): Promise<void> {
  if (server.listening) {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }
  await sandbox.close();
}
