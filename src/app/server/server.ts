/**
 * The server: webhooks, the inbox relay, the agents' gateways, the staff API and the dashboard. It may be started before its
 * dependencies: it listens at once, is not ready, and waits for them.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { sql } from 'drizzle-orm';
import type { Hono } from 'hono';
import { Registry } from 'prom-client';
import { createInboxRelay } from '../../../ingress/relay/inbox-relay.ts';
import { createIssueWorkflows } from '../../../ingress/relay/issue-signals.ts';
import { judgeAgain } from '../../../ingress/relay/judge-again.ts';
import { createRunUpdates } from '../../../ingress/relay/run-updates.ts';
import { createGitHub } from '../../adapters/github/index.ts';
import { GitHubAsksToWait } from '../../adapters/github/waits.ts';
import { settleLostCalls } from '../../store/money/ledger.ts';
import { budgetLimits } from '../config/money.ts';
import { readPromptSeeds } from '../../adapters/prompt-seeds.ts';
import { createRunTokens } from '../../adapters/run-tokens.ts';
import { listenForChanges } from '../../store/connection/changes.ts';
import { connect, PAGES_CONNECTION } from '../../store/connection/database.ts';
import { createGitHubBudget } from '../../store/github/budget.ts';
import { createGitHubWaits, findGitHubWait } from '../../store/github/waits.ts';
import { createIntake, INTAKE_CONNECTION } from '../../store/intake/intake.ts';
import { serverConfig, type ServerConfig } from '../config/server-config.ts';
import { writeLimits } from '../config/shared-config.ts';
import { temporalAccess } from '../config/temporal-config.ts';
import { PRODUCTION_LIMITS, type Limits } from '../config/limits.ts';
import { connectionOptions } from '../../temporal/access.ts';
import { dataConverter } from '../../temporal/data-converter.ts';
import { createFailingTasks, WorkflowTasksFailing } from '../../temporal/failing-tasks.ts';
import { NoWorker, watchWorkers } from '../../temporal/worker-presence.ts';
import { createLogger } from '../process/log.ts';
import { listen, type TlsFiles } from '../../../ingress/http/listen.ts';
import { createMetrics } from '../../../ingress/http/metrics.ts';
import type { ServerWrappers } from '../process/wrappers.ts';
import { leave, notifyReady, persistently, stopSignal, untilAborted } from '../process/process-life.ts';
import { presentRepository } from '../../store/projects/present-repository.ts';
import { createPromptOverrides } from '../../use-cases/prompt-overrides.ts';
import { createRepositoryBinding } from '../../use-cases/repository-binding.ts';
import { createServerApp } from './server-app.ts';

/** Milliseconds for open requests at shutdown. */
/** Between looks for calls of the model whose server is gone. */
const SWEEP_MS = 60_000;
const DRAIN_MS = 10_000;
/** Milliseconds after that for closing connections to Postgres and Temporal. */
const CLOSE_MS = 5000;

export async function runServer(
  config: ServerConfig = serverConfig(),
  around: ServerWrappers = {},
  limits: Limits = PRODUCTION_LIMITS,
): Promise<void> {
  const stop = stopSignal();
  const log = createLogger('server', config.CODEXK8S_LOG_LEVEL);
  const onError = (error: unknown): void => log.warn({ err: error }, 'server: a background task failed and is retried');
  const registry = new Registry();
  const metrics = createMetrics(registry);
  // Intake has its own pool, so that no page can delay a webhook.
  const intake = connect(config.DATABASE_URL, { ...INTAKE_CONNECTION, around: around.postgres?.('intake') });
  const pages = connect(config.DATABASE_URL, { ...PAGES_CONNECTION, around: around.postgres?.('pages') });
  // Agents' gateways and the inbox relay, which no page can delay either.
  const agents = connect(config.DATABASE_URL, { name: 'agents', max: 8, around: around.postgres?.('agents') });
  const temporal = Connection.lazy(connectionOptions(temporalAccess(config)));
  const client = new Client({ connection: temporal, namespace: config.CODEXK8S_TEMPORAL_NAMESPACE, dataConverter });
  const failingTasks = createFailingTasks({ client, log });
  metrics.watchTasks(() => failingTasks.count());
  const workers = watchWorkers({ client, log });
  const issueWorkflows = createIssueWorkflows(client);
  const workflows = around.workflows?.(issueWorkflows) ?? issueWorkflows;
  const gitHub = createGitHub({
    apiUrl: config.CODEXK8S_GITHUB_API_URL,
    token: config.CODEXK8S_GITHUB_TOKEN_FILE,
    labels: config.CODEXK8S_LABELS_FILE,
    waits: createGitHubWaits(agents.db, config.CODEXK8S_GITHUB_API_URL),
    budget: createGitHubBudget(agents.db, config.CODEXK8S_GITHUB_API_URL, writeLimits(config)),
    limits: limits.github,
  });
  const github = around.github?.(gitHub) ?? gitHub;
  const [secret = ''] = config.CODEXK8S_WEBHOOK_SECRETS_FILE;
  const updates = createRunUpdates(client);

  const { app, gateways, health, close } = createServerApp({
    config,
    log,
    registry,
    metrics,
    intake: createIntake(intake.db, limits.intakeCommitMs),
    pages,
    agents,
    workflows,
    updates,
    tokens: createRunTokens(config.CODEXK8S_RUN_TOKEN_KEY_FILE),
    github,
    repositories: createRepositoryBinding({
      db: agents.db,
      github,
      webhook: { url: `${config.CODEXK8S_PUBLIC_URL}/api/v1/webhooks/github`, secret },
      labels: config.CODEXK8S_LABELS_FILE,
    }),
    prompts: createPromptOverrides({
      db: agents.db,
      promptSeed: readPromptSeeds(fileURLToPath(new URL('../../../prompts', import.meta.url))),
    }),
    onRenamed({ id, owner, name }) {
      presentRepository(pages.db, github, id, { owner, name }).catch(onError);
    },
    checks: { postgres: async () => void (await intake.db.execute(sql`select 1`)) },
    bodies: limits.bodies,
    gatewayLimits: limits.gateways,
    workers,
    degraded: {
      temporal: async () => void (await temporal.workflowService.getSystemInfo({})),
      async workers() {
        if (workers.absentSince() !== undefined) throw new NoWorker();
      },
      async workflows() {
        if (failingTasks.count() > 0) throw new WorkflowTasksFailing();
      },
      async github() {
        const wait = await findGitHubWait(pages.db);
        if (wait) throw new GitHubAsksToWait(wait);
      },
    },
  });

  const { fetch = (own: Hono['fetch']) => own } = around;
  const servers = [
    await listen(fetch(app.fetch), { host: config.CODEXK8S_HOST, port: config.CODEXK8S_PORT }, limits.requests),
  ];
  const { CODEXK8S_GATEWAYS_HOST: gatewaysHost, CODEXK8S_GATEWAYS_PORT: gatewaysPort } = config;
  if (gatewaysHost !== undefined && gatewaysPort !== undefined)
    servers.push(
      await listen(
        fetch(gateways.fetch),
        { host: gatewaysHost, port: gatewaysPort, tls: gatewaysTls(config, onError) },
        limits.requests,
      ),
    );
  const { CODEXK8S_METRICS_HOST: metricsHost, CODEXK8S_METRICS_PORT: metricsPort } = config;
  if (metricsHost !== undefined && metricsPort !== undefined)
    servers.push(await listen(health.fetch, { host: metricsHost, port: metricsPort }, limits.requests));
  const relay = createInboxRelay({
    db: agents.db,
    workflows: around.relay?.(workflows) ?? workflows,
    onError,
    limits: limits.relay,
  });
  const sweep = setInterval(() => {
    settleLostCalls(agents.db, budgetLimits(config)).catch(onError);
  }, SWEEP_MS).unref();
  // The policy may be another than that of the server before.
  void persistently(() => judgeAgain(agents.db, config.CODEXK8S_POLICY_FILE, updates), {
    signal: stop,
    onFailure: onError,
  });
  // A lost notification costs half a second: the relay polls, too.
  const listening = persistently(
    () =>
      listenForChanges(
        pages.sql,
        ({ kind, key }) => {
          if (kind === 'facts') relay.wake();
          if (kind === 'task_failing') failingTasks.add(key);
        },
        () => relay.wake(),
      ),
    { signal: stop, onFailure: onError },
  );
  log.info(
    { host: config.CODEXK8S_HOST, port: config.CODEXK8S_PORT, url: config.CODEXK8S_PUBLIC_URL },
    'server is listening',
  );
  notifyReady();

  await untilAborted(stop);
  const drained = Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  const relayStopped = relay.stop();
  clearInterval(sweep);
  failingTasks.stop();
  workers.stop();
  await close();
  await Promise.race([drained, delay(DRAIN_MS, undefined, { ref: false })]);
  for (const server of servers) server.closeAllConnections();
  await relayStopped;
  // Closing can hang if Postgres or Temporal is unreachable.
  const closed = Promise.allSettled([
    unlisten(listening),
    temporal.close(),
    intake.close(),
    pages.close(),
    agents.close(),
  ]);
  await Promise.race([closed, delay(CLOSE_MS, undefined, { ref: false })]);
  log.info('server stopped');
  leave();
}

function gatewaysTls(config: ServerConfig, onError: (error: unknown) => void): TlsFiles | undefined {
  const { CODEXK8S_GATEWAYS_TLS_CERT_FILE: certificate, CODEXK8S_GATEWAYS_TLS_KEY_FILE: key } = config;
  return certificate === undefined || key === undefined ? undefined : { certificate, key, onError };
}

async function unlisten(listening: Promise<(() => Promise<void>) | undefined>): Promise<void> {
  const stopListening = await listening;
  await stopListening?.();
}
