/** Sees objects of the cluster come and change, to the millisecond: their own timestamps count in seconds. */
import { Watch, type V1Job, type V1Namespace, type V1Pod, type V1ResourceQuota } from '@kubernetes/client-node';
import { readKubeConfig } from '../../src/adapters/kubernetes/api.ts';
import { LABELS, MANAGED_BY, OBJECTS } from '../../src/adapters/kubernetes/names.ts';
import { now } from '../start/clock.ts';

/** When each was first seen, in ms since 1970. */
export interface Sighting {
  namespace?: number;
  /** All that is in the namespace before a Job is: the quota comes last. */
  objects?: number;
  job?: number;
  /** The Job is not suspended. */
  released?: number;
  pod?: number;
  /** It is bound to a node. */
  bound?: number;
  ended?: number;
}

export interface Sightings {
  /** What was seen of a run, and of the namespace that its Job is in. */
  of(runId: string): Sighting;
  close(): void;
}

/** What is watched, by its path. */
interface Watched {
  '/api/v1/namespaces': V1Namespace;
  '/api/v1/resourcequotas': V1ResourceQuota;
  '/apis/batch/v1/jobs': V1Job;
  '/api/v1/pods': V1Pod;
}

/** Watches what carries the project's label, with an account that may see it. */
export async function watchCluster(kubeconfig: string, project: string): Promise<Sightings> {
  const runs = new Map<string, Sighting>();
  const namespaces = new Map<string, Sighting>();
  const homes = new Map<string, string>();
  const closed = new AbortController();
  const watch = new Watch(readKubeConfig(kubeconfig));
  // Between two runs nothing may happen for a while, and it gives up after half a minute.
  Object.assign(watch, { requestTimeoutMs: 600_000 });

  async function follow<Path extends keyof Watched>(
    path: Path,
    labelSelector: string,
    note: (object: Watched[Path], at: number) => void,
  ): Promise<void> {
    const heard = (phase: string, object: Watched[Path]): void => {
      if (phase === 'ADDED' || phase === 'MODIFIED') note(object, now());
    };
    const again = (): void => {
      if (!closed.signal.aborted) setTimeout(() => void follow(path, labelSelector, note), 500).unref();
    };
    const request = await watch.watch(path, { labelSelector }, heard, again);
    closed.signal.addEventListener('abort', () => request.abort());
  }

  const ofProject = `${LABELS.project}=${project}`;
  await Promise.all([
    follow('/api/v1/namespaces', ofProject, ({ metadata }, at) => {
      entry(namespaces, metadata?.name).namespace ??= at;
    }),
    follow('/api/v1/resourcequotas', `${LABELS.managedBy}=${MANAGED_BY}`, ({ metadata }, at) => {
      if (metadata?.name === OBJECTS.quota) entry(namespaces, metadata.namespace).objects ??= at;
    }),
    follow('/apis/batch/v1/jobs', ofProject, ({ metadata, spec }, at) => {
      const runId = metadata?.labels?.[LABELS.runId] ?? '';
      homes.set(runId, metadata?.namespace ?? '');
      const seen = entry(runs, runId);
      seen.job ??= at;
      if (spec?.suspend !== true) seen.released ??= at;
    }),
    follow('/api/v1/pods', ofProject, ({ metadata, spec, status }, at) => {
      const seen = entry(runs, metadata?.labels?.[LABELS.runId]);
      seen.pod ??= at;
      if (spec?.nodeName) seen.bound ??= at;
      if (status?.phase === 'Failed' || status?.phase === 'Succeeded') seen.ended ??= at;
    }),
  ]);

  return {
    of: (runId) => ({ ...namespaces.get(homes.get(runId) ?? ''), ...runs.get(runId) }),
    close: () => closed.abort(),
  };
}

function entry(of: Map<string, Sighting>, key = ''): Sighting {
  const found = of.get(key) ?? {};
  of.set(key, found);
  return found;
}
