/**
 * The worker: workflows and activities. Any number of workers may run, and each may be started before its dependencies: it
 * waits for Temporal, and its activities are retried while Postgres or GitHub is unavailable.
 */
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, type LogLevel, type WorkerOptions } from '@temporalio/worker';
import { createActivities } from '../../../activities/index.ts';
import { createIssueWorkflows } from '../../../ingress/relay/issue-signals.ts';
import { TASK_QUEUE } from '../../../workflows/messages.ts';
import { createGitHub } from '../../adapters/github/index.ts';
import { readPromptSeeds } from '../../adapters/prompt-seeds.ts';
import { createRunTokens } from '../../adapters/run-tokens.ts';
import { createSealing } from '../../adapters/sealing.ts';
import { createRedactor } from '../../domain/agent/redaction.ts';
import { networkWords } from '../../domain/workspace/network-findings.ts';
import { storeNetworkFinding } from '../../store/workspaces/cluster-findings.ts';
import { announce } from '../../store/connection/changes.ts';
import { connect } from '../../store/connection/database.ts';
import { createIntake } from '../../store/intake/intake.ts';
import { createGitHubBudget } from '../../store/github/budget.ts';
import { createGitHubWaits } from '../../store/github/waits.ts';
import { beatEvery } from '../../temporal/activity-heartbeats.ts';
import { writeLimits } from '../config/shared-config.ts';
import { temporalAccess } from '../config/temporal-config.ts';
import { workerConfig, type WorkerConfig } from '../config/worker-config.ts';
import { PRODUCTION_LIMITS, type Limits } from '../config/limits.ts';
import { connectionOptions, type TemporalAccess } from '../../temporal/access.ts';
import { dataConverter } from '../../temporal/data-converter.ts';
import { createLogger, type Logger } from '../process/log.ts';
import { keepProbeFiles, type ProbeFiles } from './probe-files.ts';
import { leave, notifyReady, persistently, stopSignal, untilAborted } from '../process/process-life.ts';
import type { WorkerWrappers } from '../process/wrappers.ts';
import { ensureSchedules, type SweepSettings } from '../../temporal/schedules.ts';
import { createTaskFailureReporter, WatchedWorker } from '../../temporal/watched-worker.ts';
import { createAgentRuntime } from './agent-runtime.ts';
import { createProjectTools } from '../process/project-tools.ts';
import { createClusterSecrets } from './cluster-secrets.ts';
import { createCallPerformer } from './call-performer.ts';
import { createRunPermits } from '../../temporal/run-permits.ts';
import { workflowCode } from '../../temporal/workflow-code.ts';
import { createAgentTools } from '../process/agent-tools.ts';
import { createWorkflowRecords } from '../../temporal/workflow-records.ts';

export async function runWorker(
  config: WorkerConfig = workerConfig(),
  around: WorkerWrappers = {},
  limits: Limits = PRODUCTION_LIMITS,
): Promise<void> {
  const stop = stopSignal();
  const log = createLogger('worker', config.CODEXK8S_LOG_LEVEL);
  const probes = keepProbeFiles(config.CODEXK8S_PROBE_DIRECTORY);
  Runtime.install({
    logger: temporalLogger(log),
    telemetryOptions: { logging: { forward: {} } },
    shutdownSignals: [],
  });
  const database = connect(config.DATABASE_URL, { name: 'worker', around: around.postgres?.('postgres') });
  const github = createGitHub({
    apiUrl: config.CODEXK8S_GITHUB_API_URL,
    token: config.CODEXK8S_GITHUB_TOKEN_FILE,
    labels: config.CODEXK8S_LABELS_FILE,
    waits: createGitHubWaits(database.db, config.CODEXK8S_GITHUB_API_URL),
    budget: createGitHubBudget(database.db, config.CODEXK8S_GITHUB_API_URL, writeLimits(config)),
    limits: limits.github,
  });
  const runtime = await createAgentRuntime(config, limits, {
    async onFinding(finding) {
      const words = networkWords(finding);
      if (words) log.warn({ ...finding, advice: words.advice }, `network policies of the cluster: ${words.agents}`);
      else log.info(finding, 'network policies of the cluster are enforced');
      await storeNetworkFinding(database.db, finding);
    },
    onProblem: (error) => log.warn({ err: error }, 'network policy probe failed'),
  });
  const access = temporalAccess(config);
  const temporal = Connection.lazy(connectionOptions(access));
  const client = new Client({ connection: temporal, namespace: config.CODEXK8S_TEMPORAL_NAMESPACE, dataConverter });
  const records = { ...createIssueWorkflows(client), ...createWorkflowRecords(client) };
  const permits = createRunPermits(client, config.CODEXK8S_RUN_LIMITS);
  const performer = createCallPerformer({
    db: database.db,
    performers: {
      ...createAgentTools({
        db: database.db,
        github: around.github?.(github) ?? github,
        address: config.CODEXK8S_AGENT_URL ?? config.CODEXK8S_INTERNAL_URL,
      }),
      ...createProjectTools(config, {
        db: database.db,
        github: around.github?.(github) ?? github,
        cluster: await createClusterSecrets(config, database.db),
      }),
    },
    sealing: createSealing(config.CODEXK8S_RUN_TOKEN_KEY_FILE),
  });
  const options: WorkerOptions = {
    namespace: config.CODEXK8S_TEMPORAL_NAMESPACE,
    taskQueue: TASK_QUEUE,
    workflowBundle: await workflowCode(config.CODEXK8S_WORKFLOW_BUNDLE, temporalLogger(log)),
    dataConverter,
    activities: createActivities(
      {
        db: database.db,
        github: around.github?.(github) ?? github,
        runtime: around.runtime?.(runtime) ?? runtime,
        promptSeed: readPromptSeeds(fileURLToPath(new URL('../../../prompts', import.meta.url))),
        runToken: createRunTokens(config.CODEXK8S_RUN_TOKEN_KEY_FILE).issue,
        intake: createIntake(database.db, limits.intakeCommitMs),
        commentLimits: limits.comments,
        workflows: around.workflows?.(records) ?? records,
        permits: around.workflows?.(permits) ?? permits,
        // The account whose commits and labels are the platform's own.
        agentLogin: config.CODEXK8S_GIT_BOT_USERNAME,
        performer: around.performer?.(performer) ?? performer,
        policy: config.CODEXK8S_POLICY_FILE,
        serverAnswers: () => answers(`${config.CODEXK8S_INTERNAL_URL}/healthz`),
        defaults: {
          cli: config.CODEXK8S_AGENT_CLI,
          model: config.CODEXK8S_AGENT_MODEL,
          claudeModel: config.CODEXK8S_AGENT_CLAUDE_MODEL,
          reasoningEffort: config.CODEXK8S_AGENT_REASONING,
          dashboardUrl: config.CODEXK8S_PUBLIC_URL,
          workspaceHours: config.CODEXK8S_WORKSPACE_HOURS.all,
          workspaceHoursByRole: config.CODEXK8S_WORKSPACE_HOURS.byRole,
          waitHours: {
            question: config.CODEXK8S_QUESTION_HOURS,
            approval: config.CODEXK8S_APPROVAL_HOURS,
            paused: config.CODEXK8S_PAUSE_HOURS,
          },
          triggersPerHour: config.CODEXK8S_TRIGGERS_PER_HOUR,
        },
      },
      createRedactor([config.CODEXK8S_GITHUB_TOKEN_FILE, config.CODEXK8S_RUN_TOKEN_KEY_FILE, config.DATABASE_URL]),
    ),
    interceptors: {
      activity: [beatEvery(limits.worker.beatMs), ...(around.activities ?? [])],
    },
    maxConcurrentActivityTaskExecutions: config.CODEXK8S_WORKER_ACTIVITIES,
    maxCachedWorkflows: config.CODEXK8S_WORKER_CACHED_WORKFLOWS,
    maxHeartbeatThrottleInterval: limits.worker.heartbeatMs,
    shutdownGraceTime: limits.worker.shutdownGraceMs,
    shutdownForceTime: limits.worker.shutdownLimitMs,
  };

  const onTaskFailed = createTaskFailureReporter({
    client,
    announce: async (key) => announce(database.db, { kind: 'task_failing', key }),
    log,
  });
  const scheduled = persistently(() => ensureSchedules(client, sweepSettings(config)), {
    signal: stop,
    onFailure: (error, againInMs) =>
      log.warn({ err: error, againInMs }, 'sweeps: creating the Schedules failed, retrying'),
  });
  await persistently(() => work(access, options, { stop, log, onTaskFailed, probes }), {
    signal: stop,
    onFailure: (error, againInMs) =>
      log.warn(
        { err: error, address: config.CODEXK8S_TEMPORAL_ADDRESS, againInMs },
        'Temporal is unreachable or refused the worker, retrying',
      ),
  });
  await scheduled;
  await temporal.close().catch(() => undefined);
  await database.close().catch((error: unknown) => log.warn({ err: error }, 'closing the Postgres pool failed'));
  log.info('worker stopped');
  leave();
}

function sweepSettings(config: WorkerConfig): SweepSettings {
  return {
    redeliverySeconds: config.CODEXK8S_SWEEP_REDELIVERY_SECONDS,
    reconcileSeconds: config.CODEXK8S_SWEEP_RECONCILE_SECONDS,
    workspaceSeconds: config.CODEXK8S_SWEEP_WORKSPACE_SECONDS,
    graceSeconds: config.CODEXK8S_SWEEP_GRACE_SECONDS,
    orphanSeconds: config.CODEXK8S_SWEEP_ORPHAN_SECONDS,
    retention: {
      bodiesDays: config.CODEXK8S_KEEP_BODIES_DAYS,
      logsDays: config.CODEXK8S_KEEP_LOGS_DAYS,
      conversationsDays: config.CODEXK8S_KEEP_CONVERSATIONS_DAYS,
      statusCommentsDays: config.CODEXK8S_KEEP_STATUS_COMMENTS_DAYS,
    },
  };
}

/** Milliseconds for a response of `/healthz`; whether Postgres answers, the worker finds out itself. */
const READY_LIMIT_MS = 5000;

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(READY_LIMIT_MS) }).catch(() => undefined);
  await response?.body?.cancel();
  return response?.ok === true;
}

/** Connects and runs the worker until `stop`. Rejects if Temporal is unreachable at the start, or lacks the namespace. */
async function work(
  access: TemporalAccess,
  options: WorkerOptions,
  {
    stop,
    log,
    onTaskFailed,
    probes,
  }: { stop: AbortSignal; log: Logger; onTaskFailed: ReturnType<typeof createTaskFailureReporter>; probes: ProbeFiles },
): Promise<void> {
  const connecting = NativeConnection.connect(connectionOptions(access));
  connecting.catch(() => undefined); // it may reject after `stop`
  await Promise.race([connecting, untilAborted(stop)]);
  if (stop.aborted) return;
  const connection = await connecting;
  try {
    const worker = await WatchedWorker.createWatched({ ...options, connection }, onTaskFailed);
    const end = (): void => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
    };
    const working = worker.run();
    stop.addEventListener('abort', end, { once: true });
    if (stop.aborted) end();
    log.info({ taskQueue: options.taskQueue }, 'worker ready');
    notifyReady();
    probes.ready(true);
    await working.finally(() => stop.removeEventListener('abort', end));
  } finally {
    probes.ready(false);
    // A worker that has failed may still use the connection; the next attempt opens another one.
    await connection.close().catch(() => undefined);
  }
}

/** Passes Temporal's log lines to the process's log. */
function temporalLogger(log: Logger): DefaultLogger {
  const levels: Record<LogLevel, 'debug' | 'info' | 'warn' | 'error'> = {
    TRACE: 'debug',
    DEBUG: 'debug',
    INFO: 'info',
    WARN: 'warn',
    ERROR: 'error',
  };
  return new DefaultLogger('INFO', ({ level, message, meta }) => log[levels[level]](meta ?? {}, message));
}
