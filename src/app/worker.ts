/** The worker: workflows and activities. Any number of them may run. */
import { fileURLToPath } from 'node:url';
import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type LogLevel,
} from '@temporalio/worker';
import { createActivities } from '../../activities/index.ts';
import { TASK_QUEUE } from '../../workflows/messages.ts';
import { createGitHub } from '../adapters/github/index.ts';
import { createLocalRuntime } from '../adapters/local-runtime/runtime.ts';
import { readPromptSeeds } from '../adapters/prompt-seeds.ts';
import { createRunTokens } from '../adapters/run-tokens.ts';
import { connect } from '../read-model/database.ts';
import { agentCommand, agentEnvironment } from './agent-command.ts';
import { workerConfig, type WorkerConfig } from './config.ts';
import { createLogger, type Logger } from './log.ts';
import { notifyReady, untilSignal } from './process-life.ts';

/**
 * Those that wait for an agent are told soon, and another worker waits on; the others finish. What has not by the limit,
 * which is below the 30 s that a deploy waits, is given up and done again.
 */
const SHUTDOWN_GRACE = '1 second';
const SHUTDOWN_LIMIT = '20 seconds';

export async function runWorker(config: WorkerConfig = workerConfig()): Promise<void> {
  const log = createLogger('worker', config.CODEXK8S_LOG_LEVEL);
  Runtime.install({ logger: temporalLogger(log), shutdownSignals: [] });
  const database = connect(config.DATABASE_URL, { name: 'worker' });
  const connection = await NativeConnection.connect({ address: config.CODEXK8S_TEMPORAL_ADDRESS });
  const worker = await Worker.create({
    connection,
    namespace: config.CODEXK8S_TEMPORAL_NAMESPACE,
    taskQueue: TASK_QUEUE,
    workflowBundle: await bundleWorkflowCode({
      workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)),
      logger: temporalLogger(log),
    }),
    activities: createActivities({
      db: database.db,
      github: createGitHub({ apiUrl: config.CODEXK8S_GITHUB_API_URL, token: config.CODEXK8S_GITHUB_TOKEN_FILE }),
      runtime: createLocalRuntime({
        root: config.CODEXK8S_RUNTIME_DIRECTORY,
        command: agentCommand(),
        platformUrl: config.CODEXK8S_INTERNAL_URL,
        env: agentEnvironment(),
      }),
      promptSeed: readPromptSeeds(fileURLToPath(new URL('../../prompts', import.meta.url))),
      runToken: createRunTokens(config.CODEXK8S_RUN_TOKEN_KEY_FILE).issue,
      defaults: {
        model: config.CODEXK8S_AGENT_MODEL,
        reasoningEffort: config.CODEXK8S_AGENT_REASONING,
        dashboardUrl: config.CODEXK8S_PUBLIC_URL,
        environmentHours: config.CODEXK8S_ENVIRONMENT_HOURS,
      },
    }),
    maxConcurrentActivityTaskExecutions: config.CODEXK8S_WORKER_ACTIVITIES,
    shutdownGraceTime: SHUTDOWN_GRACE,
    shutdownForceTime: SHUTDOWN_LIMIT,
  });
  log.info({ taskQueue: TASK_QUEUE }, 'worker ready');
  notifyReady();
  try {
    await worker.runUntil(untilSignal());
  } finally {
    await Promise.allSettled([connection.close(), database.close()]);
    log.info('worker stopped');
  }
}

/** Temporal's log lines in ours. */
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
