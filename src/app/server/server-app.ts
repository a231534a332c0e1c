/** All routes of the server. */
import { Hono } from 'hono';
import type { Registry } from 'prom-client';
import { createDashboard } from '../../../ingress/dashboard/dashboard.ts';
import { answerErrors, answerNotFound } from '../../../ingress/http/errors.ts';
import { createAgentApi } from '../../../ingress/gateways/agent-api.ts';
import { createGitGateway } from '../../../ingress/gateways/git-gateway.ts';
import { budgetLimits } from '../config/money.ts';
import { findParkedCall } from '../../store/runs/tool-calls.ts';
import { createMeter } from '../../../ingress/gateways/model/metering.ts';
import { createModelGateway } from '../../../ingress/gateways/model/model-gateway.ts';
import { createUpstream, silenceLimits, type GatewayLimits } from '../../../ingress/gateways/upstream.ts';
import { createRefusals } from '../../../ingress/gateways/refusals.ts';
import { createRunAccess, type RunTokenVerifier } from '../../../ingress/gateways/run-access.ts';
import { createGitHubWebhook } from '../../../ingress/github-webhook/route.ts';
import { createHealth, measureRequests, type Check } from '../../../ingress/http/health.ts';
import { limitBodies, type BodyLimits } from '../../../ingress/http/slow-bodies.ts';
import type { IssueWorkflows } from '../../../ingress/relay/issue-signals.ts';
import type { RunUpdates } from '../../../ingress/relay/run-updates.ts';
import { createLive } from '../../../ingress/live/live.ts';
import { createStaffAccess } from '../../../ingress/api/access.ts';
import { createStaffApi, type Workers } from '../../../ingress/api/routes.ts';
import { createPushInspection } from '../../adapters/git/push-inspection.ts';
import type { PromptOverrides } from '../../use-cases/prompt-overrides.ts';
import type { RepositoryBinding } from '../../use-cases/repository-binding.ts';
import { createRedactor } from '../../domain/agent/redaction.ts';
import { appendBadTokens, appendRefusal } from '../../store/audit/gateway-events.ts';
import { leasePush } from '../../store/runs/push-leases.ts';
import type { Connection } from '../../store/connection/database.ts';
import type { RenamedRepository } from '../../store/intake/arrivals.ts';
import type { Intake } from '../../store/intake/intake.ts';
import type { ServerConfig } from '../config/server-config.ts';
import type { Logger } from '../process/log.ts';
import type { GitHubForAgents } from '../process/agent-tools.ts';
import type { GitHubEnvironments } from '../../tools/secret-sync.ts';
import { createMcp } from './mcp.ts';
import type { Metrics } from '../../../ingress/http/metrics.ts';

export interface ServerParts {
  readonly config: ServerConfig;
  readonly log: Logger;
  readonly registry: Registry;
  readonly metrics: Metrics;
  readonly intake: Intake;
  /** Of pages, the staff API and metrics. */
  readonly pages: Connection;
  /** Of the agents' gateways. */
  readonly agents: Connection;
  readonly workflows: IssueWorkflows;
  readonly updates: RunUpdates;
  readonly tokens: RunTokenVerifier;
  /** What agents do on GitHub through the platform's tools. */
  readonly github: GitHubForAgents & GitHubEnvironments;
  readonly repositories: RepositoryBinding;
  readonly prompts: PromptOverrides;
  /** Called for a repository that a delivery calls otherwise than it is stored. */
  readonly onRenamed: (repository: RenamedRepository) => void;
  readonly checks: Readonly<Record<string, Check>>;
  readonly degraded: Readonly<Record<string, Check>>;
  readonly bodies: BodyLimits;
  readonly gatewayLimits: GatewayLimits;
  readonly workers: Workers;
}

/**
 * `gateways` has the routes that agents may reach, if they have a listener of their own; `health` has those of probes and
 * Prometheus. `app` has all others, and those of agents if `gateways` has none; those of `health` only for staff, and not at all
 * where `health` has a listener of its own.
 */
export function createServerApp(parts: ServerParts): {
  readonly app: Hono;
  readonly gateways: Hono;
  readonly health: Hono;
  readonly close: () => Promise<void>;
} {
  const { config, log, registry, metrics, pages } = parts;
  const { db } = pages;
  const access = createStaffAccess({
    staffToken: config.CODEXK8S_STAFF_TOKEN_FILE,
    readsOpen: config.CODEXK8S_DASHBOARD === 'open',
  });
  metrics.watchInboxes(db);
  metrics.watchGitHub(db);
  metrics.watchWorkers(() => parts.workers.absentSince());

  const app = new Hono();
  app.onError(answerErrors(log));
  app.notFound(answerNotFound);
  const measured = measureRequests(registry);
  const bodies = limitBodies(parts.bodies);
  app.use(measured, bodies);
  app.route(
    '/api/v1/webhooks/github',
    createGitHubWebhook({
      intake: parts.intake,
      secrets: config.CODEXK8S_WEBHOOK_SECRETS_FILE,
      labels: config.CODEXK8S_LABELS_FILE,
      agentLogin: config.CODEXK8S_GIT_BOT_USERNAME,
      onResult: metrics.webhook,
      onRenamed: parts.onRenamed,
      onError: (error) => log.warn({ err: error }, 'a delivery was not stored'),
    }),
  );
  const gateways = new Hono();
  gateways.onError(answerErrors(log));
  gateways.notFound(answerNotFound);
  gateways.use(measured, bodies);
  // Where they have a listener of their own, the public one knows nothing of them.
  addGateways(config.CODEXK8S_GATEWAYS_HOST === undefined ? app : gateways, parts);
  app.route(
    '/api/v1',
    createStaffApi({
      db,
      control: parts.workflows,
      updates: parts.updates,
      repositories: parts.repositories,
      prompts: parts.prompts,
      policy: config.CODEXK8S_POLICY_FILE,
      access,
      workers: parts.workers,
      log,
    }),
  );
  const health = createHealth({ checks: parts.checks, degraded: parts.degraded, registry });
  if (config.CODEXK8S_METRICS_PORT === undefined) {
    for (const path of ['/readyz', '/metrics'])
      app.use(path, async (c, next) => {
        access.requireReader(c);
        await next();
      });
    app.route('/', health);
  } else app.get('/healthz', (c) => c.json({ status: 'ok' }));
  const live = createLive({
    sql: pages.sql,
    onError: (error) => log.warn({ err: error }, 'live updates: listening to Postgres failed, retrying'),
  });
  app.route(
    '/',
    createDashboard({
      db,
      live,
      control: parts.workflows,
      updates: parts.updates,
      policy: config.CODEXK8S_POLICY_FILE,
      access,
      workers: parts.workers,
      secureCookies: config.CODEXK8S_PUBLIC_URL.startsWith('https:'),
      githubUrl: config.CODEXK8S_GITHUB_URL,
      temporalWebUrl: config.CODEXK8S_TEMPORAL_UI_URL,
      temporalNamespace: config.CODEXK8S_TEMPORAL_NAMESPACE,
      log,
    }),
  );
  return { app, gateways, health, close: () => live.close() };
}

/** Adds the routes of agents, which need a run token. */
function addGateways(app: Hono, parts: ServerParts): void {
  const {
    config,
    log,
    agents: { db },
    tokens,
    gatewayLimits,
  } = parts;
  const access = createRunAccess(db, tokens);
  const secrets = [
    config.CODEXK8S_GITHUB_TOKEN_FILE,
    config.CODEXK8S_MODEL_KEY_FILE,
    ...(config.CODEXK8S_ANTHROPIC_KEY_FILE === undefined ? [] : [config.CODEXK8S_ANTHROPIC_KEY_FILE]),
    config.CODEXK8S_STAFF_TOKEN_FILE,
    config.CODEXK8S_RUN_TOKEN_KEY_FILE,
    ...(config.CODEXK8S_PROJECT_DATABASES_URL === undefined ? [] : [config.CODEXK8S_PROJECT_DATABASES_URL]),
    ...config.CODEXK8S_WEBHOOK_SECRETS_FILE,
  ];
  const refusals = createRefusals({
    tokens,
    redact: createRedactor(secrets),
    onRefused: (refusal) => appendRefusal(db, refusal),
    onBadTokens: (from) => appendBadTokens(db, from),
    onError: (error) => log.warn({ err: error }, 'a refusal of a gateway was not recorded'),
  });
  app.use('/api/v1/agent/*', refusals('agent_api'));
  app.use('/git/*', refusals('git'));
  app.use('/model/*', refusals('model'));
  app.use('/mcp', refusals('mcp'));
  const github = { upstream: config.CODEXK8S_GITHUB_URL, token: config.CODEXK8S_GITHUB_TOKEN_FILE };
  app.route(
    '/api/v1/agent',
    createAgentApi({
      db,
      access,
      platformUrl: config.CODEXK8S_AGENT_URL ?? config.CODEXK8S_INTERNAL_URL,
      author: { name: config.CODEXK8S_GIT_BOT_USERNAME, email: config.CODEXK8S_GIT_BOT_EMAIL },
      limits: { stallSeconds: config.CODEXK8S_AGENT_STALL_SECONDS, runSeconds: config.CODEXK8S_AGENT_RUN_SECONDS },
      secrets,
    }),
  );
  app.route(
    '/git',
    createGitGateway({
      access,
      ...github,
      inspection: createPushInspection(github),
      lease: (run) => leasePush(db, run),
      send: createUpstream(silenceLimits(gatewayLimits, config.CODEXK8S_AGENT_RUN_SECONDS)),
      onError: (error) => log.warn({ err: error }, 'git gateway: a push was not sent on'),
    }),
  );
  app.route(
    '/model',
    createModelGateway({
      access,
      isParked: async ({ runId, attempt }) => (await findParkedCall(db, runId, attempt)) !== undefined,
      meter: createMeter(
        db,
        {
          limits: budgetLimits(config),
          mode: config.CODEXK8S_BUDGET_MODE,
          outputTokens: config.CODEXK8S_MODEL_OUTPUT_TOKENS,
          prices: config.CODEXK8S_MODEL_PRICES_FILE,
        },
        log,
      ),
      send: createUpstream(silenceLimits(gatewayLimits, config.CODEXK8S_AGENT_STALL_SECONDS)),
      openai: { url: config.CODEXK8S_MODEL_URL, key: config.CODEXK8S_MODEL_KEY_FILE },
      anthropic:
        config.CODEXK8S_ANTHROPIC_KEY_FILE === undefined
          ? undefined
          : { url: config.CODEXK8S_ANTHROPIC_URL, key: config.CODEXK8S_ANTHROPIC_KEY_FILE },
    }),
  );
  app.route('/mcp', createMcp(parts, { access, secrets }));
}
