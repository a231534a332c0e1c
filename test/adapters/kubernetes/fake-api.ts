/** The narrow API as one that does what a test says. */
import type { KubernetesObject, V1Job, V1Pod } from '@kubernetes/client-node';
import type { KubernetesApi, ObjectRef } from '../../../src/adapters/kubernetes/api.ts';
import { KubernetesRefusal } from '../../../src/adapters/kubernetes/refusals.ts';

export const RUN = { namespace: 'codex-demo-i42', runId: 'run', attempt: 1 };

const UID = 'job-uid';

/** A Job of {@link RUN}, as the API shows it. */
export const JOB = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: {
    name: 'codex-k8s-run-run-1',
    namespace: RUN.namespace,
    uid: UID,
    labels: { 'codex-k8s.dev/managed-by': 'codex-k8s-worker', 'codex-k8s.dev/run-id': RUN.runId },
    annotations: { 'codex-k8s.dev/launch': '1' },
  },
  spec: { template: {} },
} satisfies V1Job;

export function podOf(status: V1Pod['status'], owner = UID): V1Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'pod',
      uid: 'pod-uid',
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'job', uid: owner }],
    },
    ...(status ? { status } : {}),
  };
}

export function containerThat(state: 'running' | number): V1Pod['status'] {
  const of = { name: 'agent', image: '', imageID: '', ready: true, restartCount: 0 };
  return {
    containerStatuses: [{ ...of, state: state === 'running' ? { running: {} } : { terminated: { exitCode: state } } }],
  };
}

export const RUNNING = podOf(containerThat('running'));
export const FAILED = podOf(containerThat(1));

export function refusal(
  code: number,
  { reason = '', causes = [] as string[], waitMs = undefined as number | undefined } = {},
) {
  return new KubernetesRefusal('do it', { code, reason, message: 'no', causes, waitMs });
}

export interface FakeApi extends KubernetesApi {
  /** What was asked for, in order. */
  readonly calls: string[];
  job: V1Job | undefined;
  pods: V1Pod[];
  events: KubernetesObject[];
  /** Fails the next calls of a kind, one each. */
  fail(call: 'find' | 'list' | 'create' | 'apply' | 'remove' | 'change', ...errors: Error[]): void;
  /** Tells all watches that are open of a change: of this object, or of one that says nothing. */
  tell(object?: KubernetesObject): void;
  /** Ends all watches that are open. */
  breakWatches(): void;
  /** Watches that were begun. */
  readonly watches: number;
}

export function fakeApi(): FakeApi {
  const failures: Record<string, Error[]> = {};
  const open = new Set<{ tell: (object: KubernetesObject) => void; end: () => void }>();
  let watches = 0;
  const called = (call: string, ref: { kind?: string } | string): void => {
    api.calls.push(`${call} ${typeof ref === 'string' ? ref : ref.kind}`);
    const error = failures[call]?.shift();
    if (error) throw error;
  };
  const api: FakeApi = {
    calls: [],
    job: undefined,
    pods: [],
    events: [],
    fail: (call, ...errors) => void (failures[call] ??= []).push(...errors),
    tell: (object = {}) => open.forEach((watch) => watch.tell(object)),
    breakWatches: () => open.forEach((watch) => watch.end()),
    get watches() {
      return watches;
    },
    apply: async (object) => (called('apply', object), object),
    create: async (object) => {
      called('create', object);
      if (object.kind !== 'Job') return true;
      if (api.job) return false;
      api.job = Object.assign(structuredClone(object), { metadata: Object.assign({ uid: UID }, object.metadata) });
      return true;
    },
    find: async <Kind extends KubernetesObject>(ref: ObjectRef) => {
      called('find', ref);
      return (ref.kind === 'Job' ? api.job : undefined) as Kind | undefined;
    },
    list: async <Kind extends KubernetesObject>(_version: string, kind: string) => {
      called('list', kind);
      const jobs = api.job ? [api.job] : [];
      return ({ Job: jobs, Pod: api.pods, Event: api.events }[kind] ?? []) as Kind[];
    },
    remove: async (ref) => {
      called('remove', ref);
      if (ref.kind === 'Job') api.job = undefined;
    },
    change: async (ref) => called('change', ref),
    patchSecret: async () => (called('change', 'Secret'), true),
    logEnd: async () => undefined,
    watch: async (_path, _selection, onEvent, signal) => {
      watches += 1;
      const { promise, resolve } = Promise.withResolvers<void>();
      const watch = { tell: onEvent, end: resolve };
      open.add(watch);
      signal.addEventListener('abort', () => resolve(), { once: true });
      await promise;
      open.delete(watch);
    },
  };
  return api;
}
