/**
 * Runs the GitHub plugin of `emulate` on the emulator's own store.
 *
 * emulate's public API does not expose a built-in service's store, so nothing could be persisted or corrected. The
 * plugin itself takes the store as an argument. It is in a bundled chunk whose name is read from the entry module. The version
 * of emulate is pinned, and test/emulators/github/emulate.test.ts fails when another one keeps its plugin elsewhere.
 */
import { readFile } from 'node:fs/promises';
import { Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { correctedAnswer } from './corrections.ts';
import { completeReviewComments } from './comment-lines.ts';
import type { EmulateRows, RepoRow, UserRow } from './rows.ts';
import type { RowStore } from './store/store.ts';

/** The account of a request, in emulate's terms. `installation` is emulate's way to grant access to one repository. */
export interface EmulateUser {
  login: string;
  id: number;
  scopes: string[];
  installation?: Record<string, unknown>;
}

/** The part of emulate's webhook dispatcher that its routes call. */
export interface EmulateWebhooks {
  dispatch(event: string, action: string | undefined, payload: unknown, owner: string, repo?: string): Promise<void>;
}

type EmulateHono = Hono<{ Variables: { authUser: EmulateUser; authToken: string; authScopes: string[] } }>;

interface GitHubPlugin {
  githubPlugin: {
    register(
      app: EmulateHono,
      store: RowStore,
      webhooks: EmulateWebhooks,
      baseUrl: string,
      tokens: Map<string, EmulateUser>,
    ): void;
    seed(store: RowStore, baseUrl: string): void;
  };
  getGitHubStore(store: RowStore): EmulateRows;
}

/** Loads the plugin from the installed package; throws if a new version of emulate has moved it. */
export async function loadGitHubPlugin(): Promise<GitHubPlugin> {
  const entry = import.meta.resolve('emulate');
  const chunk = /github: \{[^]*?import\("(\.\/dist-\w+\.js)"\)/.exec(await readFile(new URL(entry), 'utf8'))?.[1];
  if (!chunk) throw new Error(`no GitHub plugin found in ${entry}: expected the layout of emulate 0.12`);
  return (await import(/* @vite-ignore */ new URL(chunk, entry).href)) as GitHubPlugin;
}

/** emulate's routes, called with a request and the account that sends it. */
export class EmulatedApi {
  readonly #app: EmulateHono = new Hono();
  readonly #users = new WeakMap<Request, EmulateUser>();
  readonly #baseUrl: string;

  constructor(
    plugin: GitHubPlugin,
    store: RowStore,
    webhooks: EmulateWebhooks,
    baseUrl: string,
    tokens: Map<string, EmulateUser>,
  ) {
    this.#baseUrl = baseUrl;
    this.#app.onError((error, c) => {
      const status = 'status' in error && typeof error.status === 'number' ? error.status : 500;
      return c.json(
        { message: error.message, documentation_url: 'https://docs.github.com/rest' },
        status as ContentfulStatusCode,
      );
    });
    this.#app.notFound((c) => c.json({ message: 'Not Found', documentation_url: 'https://docs.github.com/rest' }, 404));
    this.#app.use(async (c, next) => {
      const user = this.#users.get(c.req.raw);
      if (user) {
        c.set('authUser', user);
        c.set('authScopes', user.scopes);
      }
      await next();
    });
    this.#app.use(completeReviewComments(plugin.getGitHubStore(store)));
    plugin.githubPlugin.register(this.#app, store, webhooks, baseUrl, tokens);
  }

  /** Answers a request of the given account; without one, an anonymous request. */
  async fetch(request: Request, account?: UserRow): Promise<Response> {
    if (account)
      this.#users.set(request, { login: account.login, id: account.id, scopes: ['repo', 'user', 'admin:repo_hook'] });
    return this.#answer(request);
  }

  /** Sends a JSON request as an account. */
  async send(method: string, path: string, body: unknown, account: UserRow): Promise<Response> {
    const init = { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    return this.fetch(new Request(this.#baseUrl + path, init), account);
  }

  /** Reads something inside a repository with full access to it; `undefined` when it is not there. */
  async read(repo: RepoRow, path: string): Promise<Record<string, unknown> | undefined> {
    const request = new Request(`${this.#baseUrl}/repos/${repo.full_name}${path}`);
    this.#users.set(request, readerOf(repo));
    const response = await this.#answer(request);
    return response.ok ? ((await response.json()) as Record<string, unknown>) : undefined;
  }

  async #answer(request: Request): Promise<Response> {
    return correctedAnswer(await this.#app.fetch(request), new URL(request.url).pathname, this.#baseUrl);
  }
}

function readerOf(repo: RepoRow): EmulateUser {
  const permissions = { contents: 'read', issues: 'read', pull_requests: 'read', metadata: 'read' };
  const account = { accountId: repo.owner_id, accountType: repo.owner_type };
  const installation = { appId: 0, ...account, repositorySelection: 'all', repositoryIds: [], permissions };
  return { login: 'emulator', id: 0, scopes: [], installation };
}
