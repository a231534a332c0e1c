/** The baseline: an administrator creates the same Job in an existing namespace, without the platform. */
import { randomUUID } from 'node:crypto';
import type { V1Job } from '@kubernetes/client-node';
import { createKubernetesApi, readKubeConfig } from '../../src/adapters/kubernetes/api.ts';
import { jobObject, type PodSettings } from '../../src/adapters/kubernetes/job.ts';
import { CONTAINER, jobName, LABELS, MANAGED_BY, OBJECTS } from '../../src/adapters/kubernetes/names.ts';
import { eventually } from '../../test/support/stack.ts';
import { now } from '../start/clock.ts';
import type { Sightings } from './sightings.ts';
import { momentsSince, timeInLog, type Timeline } from './timeline.ts';

export interface BareSetting {
  readonly kubeconfig: string;
  readonly project: string;
  readonly pod: PodSettings;
  readonly sightings: Sightings;
}

/** The Secret with which all bare Jobs start. */
const SECRET = 'ready-made';

/** A start takes no longer than this on any machine on which it would be measured. */
const LIMIT_MS = 120_000;

export interface BareStarts {
  /** Answers what was seen from the call on. */
  start(): Promise<Timeline>;
  /** The same of many Jobs at once; all times are since the first call. */
  startAtOnce(count: number): Promise<Timeline[]>;
  remove(): Promise<void>;
}

/** Makes the namespace, with the account and the Secret that the Job names. */
export async function prepareBare({ kubeconfig, project, pod, sightings }: BareSetting): Promise<BareStarts> {
  const api = createKubernetesApi(() => readKubeConfig(kubeconfig));
  const namespace = `codex-k8s-bare-${project}`;
  const home = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  await api.create(home);
  await api.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: OBJECTS.account, namespace } });
  const data = { token: Buffer.from('none').toString('base64') };
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: SECRET, namespace }, data };
  await api.apply(secret);
  await eventually('the namespace has its certificates', async () =>
    api.find({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kube-root-ca.crt', namespace } }),
  );

  async function startFrom(since?: number): Promise<Timeline> {
    const runId = randomUUID();
    const job = bareJob(namespace, runId, { project, pod });
    const begun = since ?? now();
    await api.create(job);
    await eventually(`the end of the bare Job ${runId}`, () => sightings.of(runId).ended, LIMIT_MS);
    const log = await eventually(`the log of the bare Job ${runId}`, async () => {
      const selection = { namespace, labelSelector: `${LABELS.runId}=${runId}` };
      const [made] = await api.list('v1', 'Pod', selection);
      return api.logEnd({ namespace, name: made?.metadata?.name ?? '', container: CONTAINER }, 1000);
    });
    const { job: seen, pod: podSeen, bound } = sightings.of(runId);
    return momentsSince(begun, { job: seen, released: seen, pod: podSeen, bound, firstInstruction: timeInLog(log) });
  }

  return {
    start: startFrom,
    async startAtOnce(count) {
      const begun = now();
      return Promise.all(Array.from({ length: count }, () => startFrom(begun)));
    },
    remove: () => api.remove(home),
  };
}

/** The Job as the platform makes it, but not suspended and with a Secret that is there. */
function bareJob(namespace: string, runId: string, { project, pod }: Pick<BareSetting, 'project' | 'pod'>): V1Job {
  const use = { project, repositoryId: 0, issueNumber: 0, role: 'dev', mode: 'full-env', until: '' } as const;
  const run = { namespace, runId, attempt: 1, launch: 1, use };
  const text = JSON.stringify(jobObject(run, pod))
    .replace('"suspend":true', '"suspend":false')
    .replace(`"secretName":"${jobName(run)}"`, `"secretName":"${SECRET}"`)
    // The platform takes no notice of what is not its own.
    .replaceAll(`"${LABELS.managedBy}":"${MANAGED_BY}"`, `"${LABELS.managedBy}":"bench"`);
  return JSON.parse(text) as V1Job;
}
