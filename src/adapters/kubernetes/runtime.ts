/**
 * The Kubernetes runtime: a workspace is a namespace, an agent is a Job in it. All names are computed, so whoever comes
 * after a crash finds the same Job; a Job is made suspended and set going when its token is there, so that a token never lies
 * about without an owner.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { V1Job, V1Pod } from '@kubernetes/client-node';
import type { WorkspaceUse } from '../../domain/workspace/workspaces.ts';
import type { TerminationReason } from '../../domain/run/termination-reasons.ts';
import { needsToken } from '../../domain/agent/permissions.ts';
import type { KubernetesApi } from './api.ts';
import {
  ensureWorkspace,
  ForeignWorkspace,
  listWorkspaces,
  namespacesOf,
  removeWorkspace,
  unlessLeaving,
  type WorkspaceEntry,
} from './workspace.ts';
import { withApiServers } from './egress.ts';
import { follow, podsOf, untilAnswered } from './follow.ts';
import { jobObject, tokenSecret, type PodSettings, type RunPod } from './job.ts';
import { ANNOTATIONS, CONTAINER, jobName, LABELS, MANAGED_BY } from './names.ts';
import type { Egress } from './objects.ts';
import { hasBegun } from './diagnosis.ts';

export interface KubernetesRuntimeOptions {
  readonly api: KubernetesApi;
  readonly pod: PodSettings;
  readonly egress: Egress;
  /** Asked before an agent is started. */
  readonly network?: { assertSafe(): Promise<void> };
  /** How patient to be with what is stuck, as a factor; for tests. */
  readonly patience?: number;
}

interface AgentRef {
  readonly workspace: string;
  readonly runId: string;
  readonly attempt: number;
}

/** Bytes of a lost agent's log that are kept (docs/reliability.md T43). */
const LOG_BYTES = 256 * 1024;

/** Milliseconds for a Job that gives way to be gone, and for pods that were asked to stop. */
const GIVE_WAY_MS = 30_000;
const STOP_MS = 45_000;
const LOOK_MS = 300;

export function createKubernetesRuntime({ api, pod, egress, network, patience = 1 }: KubernetesRuntimeOptions) {
  const jobRef = (namespace: string, name: string) => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace },
  });

  async function jobsIn(namespace: string, selector = ''): Promise<V1Job[]> {
    return api.list<V1Job>('batch/v1', 'Job', {
      namespace,
      labelSelector: [`${LABELS.managedBy}=${MANAGED_BY}`, selector].filter(Boolean).join(','),
    });
  }

  /** Makes the Job of a launch, or finds it. An earlier launch of the same attempt gives way if its agent never began. */
  async function ensureJob(run: RunPod): Promise<V1Job> {
    const ref = jobRef(run.namespace, jobName(run));
    const until = Date.now() + GIVE_WAY_MS;
    while (!(await api.create(jobObject(run, pod)))) {
      const found = await api.find<V1Job>(ref);
      if (!found) continue;
      const { labels, annotations, uid } = found.metadata ?? {};
      if (labels?.[LABELS.managedBy] !== MANAGED_BY || labels?.[LABELS.runId] !== run.runId)
        throw new ForeignWorkspace(`${run.namespace}/${ref.metadata.name} is somebody else's Job: it is left as it is`);
      if (Number(annotations?.[ANNOTATIONS.launch]) >= run.launch || (await podsOf(api, run, uid)).some(hasBegun))
        return found;
      // First the token, which would be collected later, when there is one of the same name again.
      await api.remove({ ...ref, apiVersion: 'v1', kind: 'Secret' });
      await api.remove(ref, uid);
      if (Date.now() > until)
        throw new Error(`the Job ${ref.metadata.name} that could not start is still being deleted`);
      await delay(LOOK_MS);
    }
    const made = await api.find<V1Job>(ref);
    if (!made) throw new Error(`the Job ${ref.metadata.name} was deleted just now`);
    return made;
  }

  /** Has the Job of a launch work, and no other Job of the workspace. */
  async function startJob(run: RunPod, token: string): Promise<void> {
    const { namespace } = run;
    for (const { metadata } of await jobsIn(namespace))
      if (metadata?.name && metadata.name !== jobName(run))
        await api.remove(jobRef(namespace, metadata.name), metadata.uid);
    const job = await ensureJob(run);
    if (!job.spec?.suspend) return;
    await api.apply(tokenSecret(run, { uid: job.metadata?.uid ?? '' }, token, pod));
    await api.change(jobRef(namespace, jobName(run)), { spec: { suspend: false } });
  }

  return {
    /** Returns the namespace, where it has not the workspace's name. */
    async launch({
      workspace,
      owner,
      token,
      use,
      ...agent
    }: AgentRef & { launch: number; owner: string; token: string; use: WorkspaceUse }): Promise<{
      namespace?: string;
    }> {
      await network?.assertSafe();
      const reachable = needsToken(use.role, use.mode) ? await withApiServers(api, egress) : egress;
      const wanted = { workspace, owner, runId: agent.runId, use, egress: reachable, image: pod.image };
      const namespace = await unlessLeaving(workspace, ensureWorkspace(api, wanted));
      await unlessLeaving(workspace, startJob({ ...agent, namespace, use }, token));
      return namespace === workspace ? {} : { namespace };
    },

    /** Resolves when the agent's pod is gone or can never be. `log`: the end of what its container wrote. */
    async ended(
      agent: AgentRef,
      signal: AbortSignal,
    ): Promise<{ detail: string; termination: TerminationReason; log?: string; pod?: string }> {
      const [found] = await untilAnswered(() => namespacesOf(api, agent.workspace), signal);
      const namespace = found?.metadata?.name;
      if (namespace === undefined) return { termination: 'agent_lost', detail: 'its namespace is gone' };
      const { termination, detail, pod: name } = await follow(api, { ...agent, namespace }, signal, { patience });
      const log =
        name === undefined
          ? undefined
          : await api.logEnd({ namespace, name, container: CONTAINER }, LOG_BYTES).catch(() => undefined);
      return {
        termination,
        detail,
        ...(log ? { log } : {}),
        ...(name === undefined ? {} : { pod: `${namespace}/${name}` }),
      };
    },

    async stop({ workspace, runId }: Pick<AgentRef, 'workspace' | 'runId'>): Promise<void> {
      const until = Date.now() + STOP_MS;
      const ofRun = `${LABELS.runId}=${runId}`;
      for (const { metadata } of await namespacesOf(api, workspace)) {
        const namespace = metadata?.name ?? '';
        for (const job of await jobsIn(namespace, ofRun))
          await api.remove(jobRef(namespace, job.metadata?.name ?? ''), job.metadata?.uid);
        // A pod on a node that is lost never goes: its token opens nothing any more.
        while (
          (await api.list<V1Pod>('v1', 'Pod', { namespace, labelSelector: ofRun })).length > 0 &&
          Date.now() < until
        )
          await delay(LOOK_MS);
      }
    },

    /** Waits until it is gone, unless told not to. */
    async removeWorkspace(
      workspace: { name: string; owner: string },
      { wait = true }: { wait?: boolean } = {},
    ): Promise<{ held?: string }> {
      return removeWorkspace(api, workspace, wait ? undefined : 0);
    },

    async listWorkspaces(): Promise<WorkspaceEntry[]> {
      return listWorkspaces(api);
    },
  };
}
