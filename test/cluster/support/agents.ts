/** Agents on a real API server, by the runtime with the worker's own account. A shell script stands in for the agent. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CoreV1Api, type V1Job, type V1Namespace, type V1Pod } from '@kubernetes/client-node';
import { inject } from 'vitest';
import { createKubernetesApi, type KubernetesApi, readKubeConfig } from '../../../src/adapters/kubernetes/api.ts';
import { egressFrom } from '../../../src/adapters/kubernetes/egress.ts';
import type { PodSettings } from '../../../src/adapters/kubernetes/job.ts';
import { jobName } from '../../../src/adapters/kubernetes/names.ts';
import { createKubernetesRuntime } from '../../../src/adapters/kubernetes/runtime.ts';
import { installPlatform, workerKubeconfig } from '../../../src/embedded/install-platform.ts';
import { ALLOWED_IMAGES } from './red-team.ts';
import type { WorkspaceUse } from '../../../src/domain/workspace/workspaces.ts';

/** A token that is found wherever it should not be. */
export const TOKEN = 'run-token-of-this-test';

export type Runtime = ReturnType<typeof createKubernetesRuntime>;

export interface AgentOptions extends Partial<PodSettings> {
  /** What the agent does, as a shell script. */
  readonly script?: string;
  readonly patience?: number;
  /** Stands between the runtime and the API. */
  readonly through?: (api: KubernetesApi) => KubernetesApi;
}

export interface Issue {
  readonly workspace: string;
  readonly owner: string;
  readonly use: WorkspaceUse;
}

export interface Agent {
  readonly workspace: string;
  readonly runId: string;
  readonly attempt: number;
}

export interface Platform {
  /** Of the administrator, and of the worker. */
  readonly admin: KubernetesApi;
  readonly worker: KubernetesApi;
  /** The administrator's, for what {@link KubernetesApi} does not do. */
  readonly core: CoreV1Api;
  /** The path of the worker's kubeconfig. */
  readonly kubeconfig: string;
  runtime(options?: AgentOptions): Runtime;
  /** An issue that nobody else has; what is made for it goes with {@link Platform.end}. */
  issue(use?: Partial<WorkspaceUse>): Issue;
  /** Takes every workspace of these issues away, and waits for it. */
  end(): Promise<void>;
}

/** The platform, installed in the cluster of this run of vitest, or in another one. */
export async function startPlatform(adminKubeconfig = inject('kubeconfig')): Promise<Platform> {
  const directory = mkdtempSync(join(tmpdir(), 'codex-k8s-worker-'));
  const kubeconfig = join(directory, 'kubeconfig');
  await installPlatform(adminKubeconfig, ALLOWED_IMAGES);
  writeFileSync(kubeconfig, await workerKubeconfig(adminKubeconfig));
  const admin = createKubernetesApi(() => readKubeConfig(adminKubeconfig));
  const worker = createKubernetesApi(() => readKubeConfig(kubeconfig));
  const apiServer = readKubeConfig(adminKubeconfig).getCurrentCluster()?.server;
  const issues: Issue[] = [];

  function runtime({ script = 'sleep 600', patience = 1, through = (api) => api, ...pod }: AgentOptions = {}) {
    const platformUrl = `http://${inject('nodeAddress')}:8090`;
    return createKubernetesRuntime({
      api: through(worker),
      patience,
      egress: egressFrom({ platformUrl, apiServer, listed: [] }),
      pod: {
        image: inject('busyboxImage'),
        // A shell is the first process, and hears of no signal that it does not trap.
        command: ['/bin/sh', '-c', `trap 'exit 143' TERM; { ${script}; } & wait $!`, 'agent'],
        platformUrl,
        deadlineSeconds: 300,
        keepSeconds: 600,
        requests: { cpu: '20m', memory: '16Mi', ephemeralStorage: '0' },
        limits: { cpu: '500m', memory: '64Mi', ephemeralStorage: '64Mi' },
        ...pod,
      },
    });
  }

  return {
    admin,
    worker,
    core: readKubeConfig(adminKubeconfig).makeApiClient(CoreV1Api),
    kubeconfig,
    runtime,
    issue(use = {}) {
      const number = Math.floor(Math.random() * 1e9);
      const issue: Issue = {
        workspace: `codex-test-i${number}`,
        owner: `issue:1#${number}`,
        use: {
          project: 'test',
          repositoryId: 1,
          issueNumber: number,
          role: 'dev',
          mode: 'full-env',
          until: new Date(Date.now() + 3_600_000).toISOString(),
          ...use,
        },
      };
      issues.push(issue);
      return issue;
    },
    async end() {
      for (const { workspace } of issues)
        for (const { metadata } of await namespacesOf(admin, workspace))
          await admin.remove(namespaceRef(metadata?.name ?? ''));
      for (const { workspace } of issues)
        await until(`${workspace} is gone`, async () => (await namespacesOf(admin, workspace)).length === 0, 240);
      rmSync(directory, { recursive: true });
    },
  };
}

export function agentOf({ workspace }: Issue, attempt = 1, runId: string = randomUUID()): Agent {
  return { workspace, runId, attempt };
}

/** Launches an agent, and returns the name of its namespace. */
export async function launch(runtime: Runtime, issue: Issue, agent: Agent, nth = 1): Promise<string> {
  const { namespace } = await runtime.launch({ ...agent, ...issue, launch: nth, token: TOKEN });
  return namespace ?? issue.workspace;
}

/** Launches an agent, and says how it was lost. */
export async function lose(runtime: Runtime, issue: Issue, agent = agentOf(issue)) {
  await launch(runtime, issue, agent);
  return ended(runtime, agent);
}

/** Waits for an agent's end, for at most as long as its Job may take. */
export async function ended(runtime: Runtime, agent: Agent) {
  return runtime.ended(agent, AbortSignal.timeout(300_000));
}

export function namespaceRef(name: string) {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

export function refIn(namespace: string, kind: string, name: string, apiVersion = 'v1') {
  return { apiVersion, kind, metadata: { name, namespace } };
}

export function jobRef(namespace: string, agent: Agent) {
  return refIn(namespace, 'Job', jobName(agent), 'batch/v1');
}

export function secretRef(namespace: string, agent: Agent) {
  return refIn(namespace, 'Secret', jobName(agent));
}

export async function namespacesOf(api: KubernetesApi, workspace: string): Promise<V1Namespace[]> {
  return api.list<V1Namespace>('v1', 'Namespace', { labelSelector: `codex-k8s.dev/workspace=${workspace}` });
}

export async function jobsIn(api: KubernetesApi, namespace: string): Promise<V1Job[]> {
  return api.list<V1Job>('batch/v1', 'Job', { namespace });
}

export async function podsIn(api: KubernetesApi, namespace: string): Promise<V1Pod[]> {
  return api.list<V1Pod>('v1', 'Pod', { namespace });
}

/** Waits for the pod of a workspace to run, and returns it. */
export async function runningPod(api: KubernetesApi, namespace: string): Promise<V1Pod> {
  let found: V1Pod | undefined;
  await until(
    `a pod runs in ${namespace}`,
    async () => {
      found = (await podsIn(api, namespace)).find(({ status }) => status?.containerStatuses?.[0]?.state?.running);
      return found !== undefined;
    },
    180,
  );
  return found!;
}

/** Waits until something is so. */
export async function until(what: string, isSo: () => Promise<boolean>, seconds = 180): Promise<void> {
  for (const end = Date.now() + seconds * 1000; !(await isSo()); await delay(100)) {
    if (Date.now() > end) throw new Error(`not so after ${seconds} s: ${what}`);
  }
}
