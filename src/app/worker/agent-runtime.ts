/** The configured runtime (docs/decisions.md, 5). */
import { readFileSync } from 'node:fs';
import type { AgentRuntime } from '../../../activities/agents/agents.ts';
import type { PodSettings } from '../../adapters/kubernetes/index.ts';
import { createLocalRuntime } from '../../adapters/local-runtime/runtime.ts';
import type { NetworkFinding } from '../../domain/workspace/network-findings.ts';
import { serviceAddresses } from '../../network/service-addresses.ts';
import { agentCommand, agentEnvironment, trusting } from '../agent/agent-command.ts';
import type { WorkerConfig } from '../config/worker-config.ts';
import type { Limits } from '../config/limits.ts';

/** Seconds that a Job gets beyond its run's limit: to pull its image, to clone, and to publish. */
const JOB_ALLOWANCE_SECONDS = 1800;

/** Seconds until a finished Job is deleted (`ttlSecondsAfterFinished`). */
const KEEP_SECONDS = 600;

/** Creates the runtime; the modules of the other one are not loaded. */
export async function createAgentRuntime(
  config: WorkerConfig,
  { localRuntime }: Pick<Limits, 'localRuntime'>,
  {
    onFinding,
    onProblem,
  }: { onFinding: (finding: NetworkFinding) => Promise<void>; onProblem: (error: unknown) => void },
): Promise<AgentRuntime> {
  const platformUrl = config.CODEXK8S_AGENT_URL ?? config.CODEXK8S_INTERNAL_URL;
  if (config.CODEXK8S_RUNTIME === 'local')
    return createLocalRuntime({
      root: config.CODEXK8S_RUNTIME_DIRECTORY ?? '',
      command: agentCommand(config.CODEXK8S_AGENT_COMMAND),
      platformUrl,
      env: { ...agentEnvironment(), ...trusting(config.CODEXK8S_AGENT_CA_FILE) },
      limits: localRuntime,
    });

  const { createKubernetesApi, createKubernetesRuntime, createRecordedNetworkGuard, egressFrom, readKubeConfig } =
    await import('../../adapters/kubernetes/index.ts');
  const kubeconfig = readKubeConfig(config.CODEXK8S_KUBECONFIG);
  const api = createKubernetesApi(() => readKubeConfig(config.CODEXK8S_KUBECONFIG));
  const pod = podSettings(config, platformUrl);
  const egress = egressFrom({
    platformUrl,
    apiServer: kubeconfig.getCurrentCluster()?.server,
    listed: config.CODEXK8S_AGENT_EGRESS,
  });
  const network = createRecordedNetworkGuard(
    {
      api,
      pod,
      egress,
      forbidden: [
        ...serviceAddresses(config.DATABASE_URL, config.CODEXK8S_TEMPORAL_ADDRESS),
        ...config.CODEXK8S_AGENT_FORBIDDEN,
      ],
      allowUnenforced: config.CODEXK8S_ALLOW_UNENFORCED_NETWORK_POLICY,
    },
    onFinding,
  );
  // Probe before the first launch needs the result; a launch repeats a failed probe.
  network.finding().catch(onProblem);
  return createKubernetesRuntime({ api, pod: { ...pod, command: config.CODEXK8S_AGENT_COMMAND }, egress, network });
}

function podSettings(config: WorkerConfig, platformUrl: string): PodSettings {
  const { CODEXK8S_AGENT_CA_FILE: authorities } = config;
  return {
    image: config.CODEXK8S_AGENT_IMAGE ?? '',
    platformUrl,
    authorities: authorities === undefined ? undefined : readFileSync(authorities, 'utf8'),
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
  };
}
