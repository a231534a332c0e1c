/** The runtime that the configuration chooses (design.md, decision 5). */
import type { AgentRuntime } from '../../activities/agents.ts';
import { createLocalRuntime } from '../adapters/local-runtime/runtime.ts';
import { agentCommand, agentEnvironment } from './agent-command.ts';
import type { WorkerConfig } from './config.ts';

/** Seconds that a Job may take longer than its run: to pull its image, to clone, and to publish. */
const JOB_ALLOWANCE_SECONDS = 1800;

/** Seconds that a finished Job stays (requirements.md R3). */
const KEEP_SECONDS = 600;

/** Loads what the chosen runtime needs, and nothing else. */
export async function createAgentRuntime(config: WorkerConfig): Promise<AgentRuntime> {
  const platformUrl = config.CODEXK8S_AGENT_URL ?? config.CODEXK8S_INTERNAL_URL;
  if (config.CODEXK8S_RUNTIME === 'local')
    return createLocalRuntime({
      root: config.CODEXK8S_RUNTIME_DIRECTORY ?? '',
      command: agentCommand(config.CODEXK8S_AGENT_COMMAND),
      platformUrl,
      env: agentEnvironment(),
    });

  const { createKubernetesApi, readKubeConfig, createKubernetesRuntime, egressFrom } =
    await import('../adapters/kubernetes/index.ts');
  const kubeconfig = readKubeConfig(config.CODEXK8S_KUBECONFIG);
  return createKubernetesRuntime({
    api: createKubernetesApi(() => readKubeConfig(config.CODEXK8S_KUBECONFIG)),
    pod: {
      image: config.CODEXK8S_AGENT_IMAGE ?? '',
      command: config.CODEXK8S_AGENT_COMMAND,
      platformUrl,
      deadlineSeconds: Math.ceil(config.CODEXK8S_AGENT_RUN_SECONDS) + JOB_ALLOWANCE_SECONDS,
      keepSeconds: KEEP_SECONDS,
      requests: {
        cpu: config.CODEXK8S_AGENT_CPU_REQUEST,
        memory: config.CODEXK8S_AGENT_MEMORY_REQUEST,
        ephemeralStorage: config.CODEXK8S_AGENT_DISK_REQUEST,
      },
      limits: {
        cpu: config.CODEXK8S_AGENT_CPU,
        memory: config.CODEXK8S_AGENT_MEMORY,
        ephemeralStorage: config.CODEXK8S_AGENT_DISK,
      },
    },
    egress: egressFrom({
      platformUrl,
      apiServer: kubeconfig.getCurrentCluster()?.server,
      listed: config.CODEXK8S_AGENT_EGRESS,
    }),
  });
}
