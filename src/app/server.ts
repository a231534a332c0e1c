/** The server: webhooks, the relay to Temporal, the agents' gateways, the staff API and the dashboard. */
import type { Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { createAdaptorServer } from '@hono/node-server';
import { Client, Connection } from '@temporalio/client';
import { sql } from 'drizzle-orm';
import { Registry } from 'prom-client';
import { createHandOver } from '../../ingress/hand-over.ts';
import { createIssueWorkflows } from '../../ingress/issues.ts';
import { createGitHub } from '../adapters/github/index.ts';
import { createRunTokens } from '../adapters/run-tokens.ts';
import { listenForChanges } from '../read-model/changes.ts';
import { connect } from '../read-model/database.ts';
import { serverConfig, type ServerConfig } from './config.ts';
import { createLogger } from './log.ts';
import { createMetrics } from './metrics.ts';
import { notifyReady, untilSignal } from './process-life.ts';
import { createRepositoryBinding } from './repository-binding.ts';
import { createServerApp } from './server-app.ts';

/** Requests under way get this long at the end. */
const DRAIN_MS = 10_000;

export async function runServer(config: ServerConfig = serverConfig()): Promise<void> {
  const log = createLogger('server', config.CODEXK8S_LOG_LEVEL);
  const onError = (error: unknown): void => log.warn({ err: error }, 'something failed and is tried again');
  const registry = new Registry();
  const metrics = createMetrics(registry);
  // Intake has connections of its own, so that no page can keep a webhook waiting.
  const intake = connect(config.DATABASE_URL, { name: 'intake', max: 8, statementTimeoutMs: 4000 });
  const pages = connect(config.DATABASE_URL, { name: 'pages', max: 8, statementTimeoutMs: 10_000 });
  const temporal = Connection.lazy({ address: config.CODEXK8S_TEMPORAL_ADDRESS });
  const workflows = createIssueWorkflows(
    new Client({ connection: temporal, namespace: config.CODEXK8S_TEMPORAL_NAMESPACE }),
  );
  const handOver = createHandOver({ db: pages.db, workflows, onError });
  const github = createGitHub({ apiUrl: config.CODEXK8S_GITHUB_API_URL, token: config.CODEXK8S_GITHUB_TOKEN_FILE });
  const [secret = ''] = config.CODEXK8S_WEBHOOK_SECRETS_FILE;

  const { app, close } = createServerApp({
    config,
    log,
    registry,
    metrics,
    intake: intake.db,
    pages,
    workflows,
    tokens: createRunTokens(config.CODEXK8S_RUN_TOKEN_KEY_FILE),
    repositories: createRepositoryBinding({
      db: pages.db,
      github,
      webhook: { url: `${config.CODEXK8S_PUBLIC_URL}/api/v1/webhooks/github`, secret },
    }),
    checks: { postgres: async () => void (await intake.db.execute(sql`select 1`)) },
    degraded: { temporal: async () => void (await temporal.workflowService.getSystemInfo({})) },
  });

  const server = createAdaptorServer({ fetch: app.fetch, serverOptions: { maxHeaderSize: 16 * 1024 } }) as Server;
  Object.assign(server, { headersTimeout: 10_000, requestTimeout: 300_000, connectionsCheckingInterval: 2000 });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.CODEXK8S_PORT, config.CODEXK8S_HOST, resolve);
  });
  const unlisten = await listenForChanges(pages.sql, ({ kind }) => {
    if (kind === 'facts') handOver.wake();
  });
  log.info({ host: config.CODEXK8S_HOST, port: config.CODEXK8S_PORT, url: config.CODEXK8S_PUBLIC_URL }, 'server ready');
  notifyReady();

  await untilSignal();
  const drained = new Promise((resolve) => server.close(resolve));
  await close();
  await Promise.race([drained, delay(DRAIN_MS, undefined, { ref: false })]);
  server.closeAllConnections();
  await handOver.stop();
  await Promise.allSettled([unlisten(), temporal.close(), intake.close(), pages.close()]);
  log.info('server stopped');
}
