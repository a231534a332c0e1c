import type { KubernetesObject, V1ResourceQuota } from '@kubernetes/client-node';
import { beforeEach, describe, expect, test } from 'vitest';
import { toFailure } from '../../../activities/failures.ts';
import type { ObjectRef } from '../../../src/adapters/kubernetes/api.ts';
import { createKubernetesRuntime } from '../../../src/adapters/kubernetes/runtime.ts';
import type { WorkspaceUse } from '../../../src/domain/workspace/workspaces.ts';
import { fakeApi, FAILED, JOB, podOf, refusal, RUN, type FakeApi } from './fake-api.ts';

const AGENT = {
  workspace: RUN.namespace,
  runId: RUN.runId,
  attempt: 1,
  launch: 1,
  owner: 'issue:7#42',
  token: 'a token',
  use: {
    project: 'demo',
    repositoryId: 7,
    issueNumber: 42,
    role: 'dev',
    mode: 'full-env',
    until: '2026-11-22T10:00:00.000Z',
  },
} as const;

const AMOUNT = { cpu: '1', memory: '1Gi', ephemeralStorage: '1Gi' };

let api: FakeApi;
let runtime: ReturnType<typeof createKubernetesRuntime>;

beforeEach(() => {
  api = fakeApi();
  runtime = createKubernetesRuntime({
    api,
    egress: { gateways: { port: 1, address: '10.0.0.1' }, apiServers: [], listed: [] },
    pod: {
      image: 'agent:1',
      platformUrl: 'http://10.0.0.1:1',
      deadlineSeconds: 60,
      keepSeconds: 60,
      requests: AMOUNT,
      limits: AMOUNT,
    },
  });
});

/** What was written, in order. */
const written = () => api.calls.filter((call) => !/^(find|list)/.test(call));

describe('a launch', () => {
  test('makes the namespace, what is in it, the Job, its token, and then sets the Job going', async () => {
    expect(await runtime.launch(AGENT)).toEqual({});
    expect([...new Set(written())]).toEqual([
      'create Namespace',
      'apply ServiceAccount',
      'apply Role',
      'apply NetworkPolicy',
      'apply LimitRange',
      'apply ResourceQuota',
      'apply RoleBinding',
      'create Job',
      'apply Secret',
      'change Job',
    ]);
  });

  test('that finds its Job going does nothing to it', async () => {
    api.job = JOB;
    await runtime.launch(AGENT);
    expect(written().slice(-1)).toEqual(['create Job']);
  });

  test.each(['create', 'apply', 'change'] as const)('whose %s timed out is made good by the next', async (call) => {
    api.fail(call, new Error('time-out'));
    await expect(runtime.launch(AGENT)).rejects.toThrow('time-out');
    await runtime.launch(AGENT);
    expect(written().slice(-2)).toEqual(['apply Secret', 'change Job']);
  });

  test('leaves a Job of the same name alone that somebody else has made', async () => {
    api.job = { ...JOB, metadata: { ...JOB.metadata, labels: {} } };
    await expect(runtime.launch(AGENT)).rejects.toMatchObject({ name: 'ForeignWorkspace' });
    expect(written().slice(-1)).toEqual(['create Job']);
    expect(api.job).toBeDefined();
  });

  test('takes away Job and token of a launch that could not start', async () => {
    api.job = JOB;
    api.pods = [podOf({ phase: 'Pending' })];
    await runtime.launch({ ...AGENT, launch: 2 });
    expect(written().slice(-6)).toEqual([
      'create Job',
      'remove Secret',
      'remove Job',
      'create Job',
      'apply Secret',
      'change Job',
    ]);
  });

  test('does not take away one whose agent has begun, or has ended meanwhile', async () => {
    api.job = JOB;
    api.pods = [FAILED];
    await runtime.launch({ ...AGENT, launch: 2 });
    expect(written().slice(-1)).toEqual(['create Job']);
  });
});

describe('the size of a workspace', () => {
  /** Namespaces that were made, and their quotas. */
  let namespaces: Map<string | undefined, KubernetesObject>;
  let quotas: Map<string | undefined, V1ResourceQuota>;

  beforeEach(() => {
    namespaces = new Map();
    quotas = new Map();
    const usual = { ...api };
    api.create = async (object) => {
      if (object.kind !== 'Namespace') return usual.create(object);
      if (namespaces.has(object.metadata?.name)) return false;
      namespaces.set(object.metadata?.name, object);
      return true;
    };
    api.apply = async (object) => {
      if (object.kind === 'Namespace') namespaces.set(object.metadata?.name, object);
      if (object.kind === 'ResourceQuota') quotas.set(object.metadata?.namespace, object);
      return usual.apply(object);
    };
    api.find = async <Kind extends KubernetesObject>(ref: ObjectRef) =>
      ref.kind === 'Namespace' ? (namespaces.get(ref.metadata.name) as Kind | undefined) : usual.find<Kind>(ref);
  });

  const run = async (use: Partial<WorkspaceUse>) => runtime.launch({ ...AGENT, use: { ...AGENT.use, ...use } });

  /** What a namespace says of its size, and the pods that its quota has. */
  function sized(name: string = RUN.namespace) {
    return {
      size: namespaces.get(name)?.metadata?.annotations?.['codex-k8s.dev/size'],
      pods: quotas.get(name)?.spec?.hard?.['pods'],
    };
  }

  /** Annotates the namespace with another size. */
  function annotateSize(size: string): void {
    const { metadata } = namespaces.get(RUN.namespace)!;
    metadata!.annotations = { ...metadata!.annotations, 'codex-k8s.dev/size': size };
  }

  test('that is new is what its stage asks for', async () => {
    await run({ stage: 'arch', role: 'sa' });
    expect(sized()).toEqual({ size: 'reading', pods: '5' });
  });

  test('grows with a stage that asks for more', async () => {
    await run({ stage: 'arch', role: 'sa' });
    await run({ stage: 'qa', role: 'qa' });
    expect(sized()).toEqual({ size: 'testing', pods: '30' });
  });

  test('does not shrink with a stage that asks for less', async () => {
    await run({ stage: 'qa', role: 'qa' });
    await run({ stage: 'dev' });
    expect(sized()).toEqual({ size: 'testing', pods: '30' });
  });

  test('does not shrink for a reviewer, who has the code only', async () => {
    await run({ stage: 'dev' });
    await run({ role: 'reviewer', mode: 'code-only' });
    expect(sized()).toEqual({ size: 'working', pods: '20' });
  });

  test('is what the stage asks for when its annotation names no known size', async () => {
    await run({ stage: 'qa', role: 'qa' });
    annotateSize('huge');
    await run({ stage: 'arch', role: 'sa' });
    expect(sized()).toEqual({ size: 'reading', pods: '5' });
  });

  test('begins anew with the namespace', async () => {
    await run({ stage: 'qa', role: 'qa', baseCommit: 'abc123' });
    await run({ stage: 'arch', role: 'sa', baseCommit: 'def456' });
    expect(sized(`${RUN.namespace}-2`)).toEqual({ size: 'reading', pods: '5' });
  });
});

describe('what the API refuses', () => {
  const failureOf = async (error: Error): Promise<unknown> => {
    api.fail('create', error);
    return runtime.launch(AGENT).then(
      () => undefined,
      (thrown: unknown) => toFailure(thrown),
    );
  };

  test.each([409, 429, 500, 504])('with %i is tried again', async (code) => {
    expect(await failureOf(refusal(code))).toMatchObject({ type: 'KubernetesFailed', nonRetryable: false });
  });

  test('with 429 is tried again when it says', async () => {
    expect(await failureOf(refusal(429, { waitMs: 7000 }))).toMatchObject({ nextRetryDelay: 7000 });
  });

  test('with 401 is tried again: a person replaces credentials', async () => {
    expect(await failureOf(refusal(401))).toMatchObject({ type: 'KubernetesUnauthorized', nonRetryable: false });
  });

  test('in a namespace that is being deleted just now is tried again', async () => {
    api.fail('apply', refusal(403, { causes: ['NamespaceTerminating'] }));
    await expect(runtime.launch(AGENT)).rejects.toMatchObject({ name: 'WorkspaceLeaving' });
    expect(await failureOf(refusal(403, { causes: ['NamespaceTerminating'] }))).not.toHaveProperty(
      'nonRetryable',
      true,
    );
  });

  test.each([403, 422])('with %i otherwise is shown to people', async (code) => {
    expect(await failureOf(refusal(code))).toMatchObject({ type: 'KubernetesRefused', nonRetryable: true });
  });
});
