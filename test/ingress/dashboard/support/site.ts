/** The dashboard and the staff API over a database, without a socket. */
import { Hono } from 'hono';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { createStaffAccess } from '../../../../ingress/api/access.ts';
import { createDashboard } from '../../../../ingress/dashboard/dashboard.ts';
import { answerErrors, answerNotFound, RequestRefused } from '../../../../ingress/http/errors.ts';
import { createLive, type Live } from '../../../../ingress/live/live.ts';
import { createStaffApi } from '../../../../ingress/api/routes.ts';
import { createPromptOverrides } from '../../../../src/use-cases/prompt-overrides.ts';
import type { RepositoryBinding } from '../../../../src/use-cases/repository-binding.ts';
import type { RunControl } from '../../../../ingress/api/cancel.ts';
import type { RunUpdates } from '../../../../ingress/relay/run-updates.ts';
import { DEFAULT_POLICY } from '../../../../src/domain/approvals/default-policy.ts';
import type { ApprovalPolicy } from '../../../../src/domain/approvals/policy.ts';
import { openRequest } from '../../../../src/domain/run/requests.ts';
import { connect, type Connection } from '../../../../src/store/connection/database.ts';
import { startTestDatabase, type TestDatabase } from '../../../support/postgres.ts';
import { clear } from './world.ts';

export const STAFF_TOKEN = 'staff-token-of-the-tests';
export const ORIGIN = 'http://127.0.0.1:8080';

/** What became of the labels of every repository. */
export const LABEL_CHANGES = {
  created: ['run:dev', 'run:qa'],
  updated: ['need:input'],
  unchanged: ['run:debug'],
  left: [],
  waiting: null,
};

/** What became of those of acme/limited. */
const LIMITED = { ...LABEL_CHANGES, left: ['run:ops', 'run:plan'], waiting: 'GitHub asks to wait until noon: enough' };

export interface Site {
  /** Asks as what is given: a browser's page on this machine by default. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  readonly app: Hono;
  readonly live: Live;
  readonly canceled: Parameters<RunControl['cancelRun']>[0][];
  /** What runs' workflows were asked for. */
  readonly updates: RunUpdates;
  readonly updated: { readonly kind: keyof RunUpdates; readonly input: object }[];
  readonly bound: Parameters<RepositoryBinding['bind']>[0][];
  readonly logged: Record<string, unknown>[];
}

export interface SiteOptions {
  readonly readsOpen?: boolean;
  /** Since when no worker takes tasks. */
  readonly noWorkerSince?: Date;
  readonly control?: RunControl;
  readonly updates?: Partial<RunUpdates>;
  readonly policy?: ApprovalPolicy;
  readonly live?: Partial<Parameters<typeof createLive>[0]>;
}

/** Puts both together as the server does. */
export function createSite({ db, sql }: Connection, options: SiteOptions = {}): Site {
  const canceled: Site['canceled'] = [];
  const updated: Site['updated'] = [];
  const bound: Site['bound'] = [];
  const logged: Site['logged'] = [];
  const log = { error: (fields: Record<string, unknown>) => void logged.push(fields) };
  const live = createLive({ sql, onError: (err) => log.error({ err }), ...options.live });
  const control: RunControl = options.control ?? {
    async cancelRun(input) {
      canceled.push(input);
      return true;
    },
  };
  const updates: RunUpdates = {
    async answer(input) {
      updated.push({ kind: 'answer', input });
      const { runId, text, actor, surface } = input;
      const at = '2026-11-30T12:00:00.000Z';
      const opened = openRequest(
        { text: 'Which?', options: [] },
        { runId, n: 1, askedAt: at, deadline: '2026-12-07T12:00:00.000Z' },
      );
      return { done: true, result: { ...opened, answer: { text, option: null, actor, at, surface } } };
    },
    async parked() {},
    async pause(input) {
      updated.push({ kind: 'pause', input });
      const until = '2026-12-07T12:00:00.000Z';
      return {
        done: true,
        result: { kind: 'paused', request: null, for: 'an operator', since: '2026-11-30T12:00:00.000Z', until },
      };
    },
    async resume(input) {
      updated.push({ kind: 'resume', input });
      return { done: true, result: null };
    },
    ...options.updates,
  };
  const access = createStaffAccess({ staffToken: STAFF_TOKEN, readsOpen: options.readsOpen ?? true });
  const workers = { absentSince: () => options.noWorkerSince };
  const shared = { db, policy: options.policy ?? DEFAULT_POLICY, control, updates, access, workers, log };
  const repositories: RepositoryBinding = {
    async bind(input) {
      bound.push(input);
      return { repositoryId: 1, project: input.project, hookId: 2, labels: LABEL_CHANGES, trigger: 'agent:dev' };
    },
    async syncLabels(fullName) {
      if (fullName === 'acme/unbound') throw new RequestRefused('failed_precondition', 'acme/unbound is not bound');
      return fullName === 'acme/limited' ? LIMITED : LABEL_CHANGES;
    },
    addMember: async ({ login }) => ({ id: 3, login }),
    removeMember: async ({ login }) => ({ id: 3, login }),
  };
  const prompts = createPromptOverrides({ db, promptSeed: (name, locale) => `Seed ${name}.${locale}\n` });
  const app = new Hono();
  app.onError(answerErrors(log));
  app.notFound(answerNotFound);
  app.route('/api/v1', createStaffApi({ ...shared, repositories, prompts }));
  const urls = { githubUrl: 'https://github.example', temporalWebUrl: 'http://temporal', temporalNamespace: 'space' };
  app.route('/', createDashboard({ ...shared, ...urls, live, secureCookies: false }));
  return {
    app,
    live,
    canceled,
    updates,
    updated,
    bound,
    logged,
    async ask(path, init = {}) {
      const headers = { host: '127.0.0.1:8080', ...(init.headers as Record<string, string> | undefined) };
      return app.request(`${ORIGIN}${path}`, { ...init, headers });
    },
  };
}

/** A database and a site for the tests of a file. Each test begins with empty tables. */
export function useSite(options: SiteOptions = {}) {
  let database: TestDatabase;
  let connection: Connection;
  let site: Site;

  beforeAll(async () => {
    database = await startTestDatabase();
    connection = connect(database.url, { name: 'test' });
    site = createSite(connection, options);
  });
  afterAll(async () => {
    await site?.live.close();
    await connection?.close();
    await database?.stop();
  });
  beforeEach(async () => {
    await clear(connection.db);
    site.canceled.length = 0;
    site.updated.length = 0;
  });

  return {
    get connection(): Connection {
      return connection;
    },
    get site(): Site {
      return site;
    },
  };
}

/** The headers of a request with the staff token. */
export const BEARER = { authorization: `Bearer ${STAFF_TOKEN}` };

/** A POST of a form from one of our own pages. */
export function form(fields: Record<string, string>, headers: Record<string, string> = {}): RequestInit {
  return {
    method: 'POST',
    body: new URLSearchParams(fields).toString(),
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'sec-fetch-site': 'same-origin',
      ...headers,
    },
  };
}
