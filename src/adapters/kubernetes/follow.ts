/**
 * Follows a run's Job to its end. A watch says that something has changed; what it means is read anew each time, so a watch
 * that broke, grew too old (410) or skipped an event loses nothing. Only of pods that are gone by then is what the watch showed
 * last believed: a Job's controller takes them away as soon as it has counted them.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { CoreV1Event, KubernetesObject, V1Job, V1Pod } from '@kubernetes/client-node';
import type { TerminationReason } from '../../domain/run/termination-reasons.ts';
import { createChangeSignal, type ChangeSignal } from '../change-signal.ts';
import type { KubernetesApi } from './api.ts';
import { jobName, LABELS } from './names.ts';
import { KubernetesRefusal } from './refusals.ts';
import { diagnose, type PodObservation } from './diagnosis.ts';

export interface FollowedRun {
  readonly namespace: string;
  readonly runId: string;
  readonly attempt: number;
}

/** Milliseconds between two looks when nothing is told: while the agent works, and while it does not yet. */
const LOOK_MS = 30_000;
const LOOK_STUCK_MS = 3000;

/** What comes together is looked at together. Milliseconds. */
const GATHER_MS = 50;

/** Milliseconds before a watch that ended is begun again, and before the API is asked again that did not answer; at most. */
const AGAIN_MS = 1000;
const AGAIN_AT_MOST_MS = 10_000;

/** Milliseconds that the API may ask for before it is asked again; at most. */
const ASKED_AT_MOST_MS = 60_000;

/** Resolves with how the agent was lost, or how its pod ended; rejects with the signal's reason, or when the API refuses. */
export async function follow(
  api: KubernetesApi,
  run: FollowedRun,
  signal: AbortSignal,
  { patience = 1, now = Date.now }: { patience?: number; now?: () => number } = {},
): Promise<{ termination: TerminationReason; detail: string; pod: string | undefined }> {
  const seen = new Map<string, V1Pod>();
  using changes = watchAll(api, run, signal, (pod) => remember(seen, pod));
  let stuck: { readonly termination: TerminationReason; readonly detail: string } | undefined;
  // When each kind of trouble was seen first, since the agent worked last: what is new has all of its time.
  const troubles = new Map<string, number>();
  for (;;) {
    const observation = await untilAnswered(() => look(api, run, seen), signal);
    const diagnosis = diagnose(observation);
    const pod = observation.pods[0]?.metadata?.name;
    if (diagnosis.state === 'ended') {
      // One that never began has not worked for too long.
      const { termination, detail } = diagnosis.termination === 'deadline_exceeded' && stuck ? stuck : diagnosis;
      return { termination, detail, pod };
    }
    if (diagnosis.state === 'stuck') {
      const { termination, detail, patienceMs } = diagnosis;
      stuck = { termination, detail };
      const trouble = `${termination} ${patienceMs}`;
      const since = troubles.get(trouble) ?? now();
      troubles.set(trouble, since);
      if (now() - since >= patience * patienceMs) return { termination, detail, pod };
    } else {
      stuck = undefined;
      troubles.clear();
    }
    await changes.next(stuck ? LOOK_STUCK_MS : LOOK_MS, signal);
  }
}

/** Asks again for as long as the API does not answer. Rejects when it refuses, and with the signal's reason. */
export async function untilAnswered<Answer>(ask: () => Promise<Answer>, signal: AbortSignal): Promise<Answer> {
  for (let wait = AGAIN_MS; ; wait = Math.min(2 * wait, AGAIN_AT_MOST_MS)) {
    signal.throwIfAborted();
    try {
      return await ask();
    } catch (error) {
      if (error instanceof KubernetesRefusal && error.code < 500 && error.code !== 429) throw error;
      const asked = error instanceof KubernetesRefusal ? error.waitMs : undefined;
      await pause(Math.min(asked ?? wait, ASKED_AT_MOST_MS), signal);
    }
  }
}

/** Rejects with the signal's reason: `delay` has one of its own. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}

/** Reads the Job, its pods and, until it works, their events. `seen`: its pods as they were last, by their uid. */
async function look(api: KubernetesApi, run: FollowedRun, seen: Map<string, V1Pod>): Promise<PodObservation> {
  const { namespace } = run;
  const name = jobName(run);
  // Before the Job, which says that its deadline has come before it takes its pods away.
  const ofRun = await podsOfRun(api, run);
  const job = await api.find<V1Job>({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name, namespace } });
  const uid = job?.metadata?.uid;
  if (uid === undefined) return { job, pods: [], gone: [], events: [] };
  const pods = ofRun.filter((pod) => isOf(uid, pod));
  const there = new Set(pods.map(({ metadata }) => metadata?.uid));
  const gone = [...seen.values()].filter((pod) => isOf(uid, pod) && !there.has(pod.metadata?.uid));
  for (const pod of pods) remember(seen, pod);
  if (pods.some(({ status }) => status?.containerStatuses?.some(({ state }) => state?.running || state?.terminated)))
    return { job, pods, gone, events: [] };
  const about = new Set([uid, ...there]);
  const events = await api.list<CoreV1Event>('v1', 'Event', { namespace });
  return { job, pods, gone, events: events.filter(({ involvedObject }) => about.has(involvedObject.uid)) };
}

function remember(seen: Map<string, V1Pod>, pod: V1Pod): void {
  if (pod.metadata?.uid !== undefined) seen.set(pod.metadata.uid, pod);
}

function isOf(job: string | undefined, { metadata }: V1Pod): boolean {
  return metadata?.ownerReferences?.some(({ uid }) => uid === job) ?? false;
}

/** The pods of the Job with this `uid`: there may be others, of a Job that had its name before. */
export async function podsOf(api: KubernetesApi, run: FollowedRun, uid: string | undefined): Promise<V1Pod[]> {
  return (await podsOfRun(api, run)).filter((pod) => isOf(uid, pod));
}

async function podsOfRun(api: KubernetesApi, run: FollowedRun): Promise<V1Pod[]> {
  return api.list<V1Pod>('v1', 'Pod', selectionOf(run));
}

function selectionOf({ namespace, runId, attempt }: FollowedRun) {
  return { namespace, labelSelector: `${LABELS.runId}=${runId},${LABELS.attempt}=${attempt}` };
}

/** Watches the Job and its pods. A watch begins with what is there, so nothing is missed between two of them. */
function watchAll(
  api: KubernetesApi,
  run: FollowedRun,
  signal: AbortSignal,
  onPod: (pod: V1Pod) => void,
): Pick<ChangeSignal, 'next'> & Disposable {
  const over = new AbortController();
  const watching = AbortSignal.any([over.signal, signal]);
  const changes = createChangeSignal({ gatherMs: GATHER_MS });
  const { namespace } = run;
  void keepWatching(`/api/v1/namespaces/${namespace}/pods`, selectionOf(run));
  void keepWatching(`/apis/batch/v1/namespaces/${namespace}/jobs`, { fieldSelector: `metadata.name=${jobName(run)}` });

  function onEvent(object: KubernetesObject): void {
    if (object.kind === 'Pod') onPod(object);
    changes.notify();
  }

  async function keepWatching(path: string, selection: { labelSelector?: string; fieldSelector?: string }) {
    while (!watching.aborted) {
      await api.watch(path, selection, onEvent, watching);
      changes.notify();
      await delay(AGAIN_MS, undefined, { signal: watching }).catch(() => undefined);
    }
  }

  return { next: changes.next, [Symbol.dispose]: () => over.abort() };
}
