/** GitHub emulator on a loopback address: REST API, git over HTTP, signed webhooks, plain pages; its state is on disk. */
import { once } from 'node:events';
import { createAdaptorServer } from '@hono/node-server';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import type { EmulatorAccount } from './accounts.ts';
import { createEmulatorApp } from './app.ts';
import { openEnvironmentSecret } from './routes/environments.ts';
import { openEmulator, type Emulator } from './emulator.ts';

export type { EmulatorAccount } from './accounts.ts';

export interface GitHubEmulatorOptions {
  /** The directory of repositories and state; existing state is loaded. */
  dataDir: string;
  /** Default 127.0.0.1. */
  host?: string;
  /** Default 0: any free port. */
  port?: number;
  /** Seeded on the first start, merged on later ones. */
  accounts: readonly EmulatorAccount[];
  /** Given every request with its answer, before it is sent. */
  observe?: (request: Request, answer: Response) => Promise<void>;
}

export interface GitHubEmulator {
  /** For git and browsers, as `http://127.0.0.1:4321`. */
  url: string;
  /** The value for Octokit's `baseUrl`. */
  apiUrl: string;
  /** The value of a secret that was written into an environment, which no request shows. */
  openSecret(at: { fullName: string; environment: string; name: string }): Promise<string | undefined>;
  close(): Promise<void>;
}

/** Starts the emulator; it accepts requests when this resolves. */
export async function startGitHubEmulator(options: GitHubEmulatorOptions): Promise<GitHubEmulator> {
  const host = options.host ?? '127.0.0.1';
  let app: ReturnType<typeof createEmulatorApp> | undefined;
  const answer = (request: Request): Response | Promise<Response> =>
    app?.fetch(request) ?? new Response('starting', { status: 503 });
  const { observe } = options;
  const observed = async (request: Request): Promise<Response> => {
    const asked = request.clone();
    const answered = await answer(request);
    await observe?.(asked, answered.clone());
    return answered;
  };
  const fetch = observe ? observed : answer;
  const server = createAdaptorServer({ fetch }) as Server;
  server.requestTimeout = 0;
  // Node's five seconds end under requests of a client that is too busy to see it.
  server.keepAliveTimeout = 75_000;
  server.listen(options.port ?? 0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  try {
    const emulator = await openEmulator(options.dataDir, url, options.accounts);
    app = createEmulatorApp(emulator);
    return {
      url,
      apiUrl: url,
      openSecret: (at) => openEnvironmentSecret(emulator, at),
      close: () => stop(server, emulator),
    };
  } catch (error) {
    server.close();
    throw error;
  }
}

async function stop(server: Server, emulator: Emulator): Promise<void> {
  if (server.listening) {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }
  await emulator.close();
}
