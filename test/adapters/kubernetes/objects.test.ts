import type { V1LimitRange, V1NetworkPolicy, V1ResourceQuota, V1Role } from '@kubernetes/client-node';
import { describe, expect, test } from 'vitest';
import {
  fingerprintOf,
  namespaceObject,
  objectsOf,
  type WorkspacePlan,
} from '../../../src/adapters/kubernetes/objects.ts';
import { SIZES, type WorkspaceUse } from '../../../src/domain/workspace/workspaces.ts';
import { grantedToAgents, permissionsOf } from '../../../src/domain/agent/permissions.ts';

const USE: WorkspaceUse = {
  project: 'demo',
  repositoryId: 7,
  issueNumber: 42,
  role: 'dev',
  mode: 'full-env',
  until: '2026-11-22T10:00:00.000Z',
};

const PLAN: WorkspacePlan = {
  namespace: 'codex-demo-i42-2',
  workspace: 'codex-demo-i42',
  owner: 'issue:7#42',
  runId: 'run-1',
  use: { ...USE, baseCommit: 'abc123', correlationId: 'delivery-1' },
  size: 'working',
  image: 'agent:1',
  egress: {
    gateways: { port: 8090, address: '10.88.0.1' },
    apiServers: [{ address: '10.90.0.1', port: 6443 }],
    listed: ['203.0.113.0/24'],
  },
};

const CHECKOUT: WorkspacePlan = { ...PLAN, use: { ...USE, mode: 'code-only' }, size: 'checkout' };

function find<Kind extends ReturnType<typeof objectsOf>[number]>(plan: WorkspacePlan, kind: Kind['kind']): Kind {
  return objectsOf(plan).find((object): object is Kind => object.kind === kind)!;
}

describe('the fingerprint of a workspace', () => {
  test.each<[string, Partial<WorkspacePlan>]>([
    ['image', { image: 'agent:2' }],
    ['project', { use: { ...USE, project: 'other' } }],
    ['base commit', { use: { ...USE, baseCommit: 'c0ffee' } }],
  ])('changes with its %s', (_what, change) => {
    expect(fingerprintOf({ ...PLAN, ...change })).not.toBe(fingerprintOf(PLAN));
  });

  test.each<[string, Partial<WorkspaceUse>]>([
    ['role', { role: 'qa' }],
    ['mode', { mode: 'code-only' }],
    ['stage', { stage: 'qa' }],
    ['lease', { until: '2027-01-01T00:00:00.000Z' }],
    ['list of addresses', { egress: ['198.51.100.7/32'] }],
  ])('stays when only its %s changes, so that a revise works where the work was', (_what, change) => {
    expect(fingerprintOf({ ...PLAN, use: { ...PLAN.use, ...change } })).toBe(fingerprintOf(PLAN));
  });
});

test('a namespace says whose it is, for how long, and what may run in it', () => {
  const { metadata } = namespaceObject(PLAN, new Date('2026-11-21T10:00:00Z'));
  expect(metadata).toEqual({
    name: 'codex-demo-i42-2',
    labels: {
      'codex-k8s.dev/managed-by': 'codex-k8s-worker',
      'codex-k8s.dev/namespace-purpose': 'run',
      'codex-k8s.dev/runtime-mode': 'full-env',
      'codex-k8s.dev/project': 'demo',
      'codex-k8s.dev/repository-id': '7',
      'codex-k8s.dev/issue-number': '42',
      'codex-k8s.dev/agent-role': 'dev',
      'codex-k8s.dev/run-id': 'run-1',
      'codex-k8s.dev/workspace': 'codex-demo-i42',
      'pod-security.kubernetes.io/enforce': 'restricted',
      'pod-security.kubernetes.io/enforce-version': 'latest',
    },
    annotations: {
      'codex-k8s.dev/owner': 'issue:7#42',
      'codex-k8s.dev/fingerprint': fingerprintOf(PLAN),
      'codex-k8s.dev/size': 'working',
      'codex-k8s.dev/base-commit': 'abc123',
      'codex-k8s.dev/correlation-id': 'delivery-1',
      'codex-k8s.dev/namespace-lease-expires-at': '2026-11-22T10:00:00.000Z',
      'codex-k8s.dev/namespace-lease-updated-at': '2026-11-21T10:00:00.000Z',
    },
  });
});

test('every object lies in the namespace, not in the workspace’s name, and is marked', () => {
  for (const { metadata } of objectsOf(PLAN)) {
    expect(metadata?.namespace).toBe('codex-demo-i42-2');
    expect(metadata?.labels).toEqual({ 'codex-k8s.dev/managed-by': 'codex-k8s-worker' });
  }
});

test('an agent has the permissions of its role, and with a checkout only none', () => {
  expect(find<V1Role>(PLAN, 'Role').rules).toEqual(permissionsOf('dev', 'full-env'));
  expect(find<V1Role>(CHECKOUT, 'Role').rules).toEqual([]);
});

describe('the quota', () => {
  const hard = (plan: WorkspacePlan) => find<V1ResourceQuota>(plan, 'ResourceQuota').spec?.hard;

  test.each([
    ['checkout', ['3', '2', '4Gi', '8', '16Gi', '24Gi']],
    ['reading', ['5', '3', '6Gi', '10', '20Gi', '32Gi']],
    ['working', ['20', '4', '8Gi', '12', '24Gi', '60Gi']],
    ['testing', ['30', '6', '12Gi', '16', '32Gi', '80Gi']],
  ] as const)('of a workspace for %s is made of its size', (size, [pods, cpu, memory, maxCpu, maxMemory, disk]) => {
    expect(hard({ ...PLAN, size })).toMatchObject({
      pods,
      'requests.cpu': cpu,
      'requests.memory': memory,
      'limits.cpu': maxCpu,
      'limits.memory': maxMemory,
      'limits.ephemeral-storage': disk,
    });
  });

  test('is that of the workspace’s size, even if the run would do with less', () => {
    expect(hard({ ...CHECKOUT, size: 'testing' })).toMatchObject({ pods: '30' });
  });

  test.each(SIZES)('counts everything that an agent may create for $size', ({ size }) => {
    const counted = Object.keys(hard({ ...PLAN, size }) ?? {});
    const created = grantedToAgents()
      .filter(({ verbs }) => verbs.includes('create'))
      .flatMap(({ apiGroups, resources }) =>
        apiGroups.flatMap((group) => resources.map((resource) => (group === '' ? resource : `${resource}.${group}`))),
      )
      .filter((resource) => !resource.includes('/'));
    expect(created).toContain('configmaps');
    expect(counted).toEqual(expect.arrayContaining(created.map((kind) => `count/${kind}`)));
  });

  test('counts what controllers leave behind for a Deployment or a StatefulSet that is changed again and again', () => {
    expect(hard(PLAN)).toMatchObject({ 'count/replicasets.apps': '300', 'count/controllerrevisions.apps': '100' });
  });

  test('counts Secrets, and limits the volumes by number and size', () => {
    expect(hard(PLAN)).toMatchObject({
      'count/secrets': '50',
      'count/persistentvolumeclaims': '10',
      'requests.storage': '50Gi',
    });
  });

  test('lets nothing be reachable from outside', () => {
    expect(hard(PLAN)).toMatchObject({ 'services.nodeports': '0', 'services.loadbalancers': '0' });
  });
});

test.each([
  ['checkout', '1Gi'],
  ['reading', '1Gi'],
  ['working', '1Gi'],
  ['testing', '2Gi'],
] as const)('a container for %s that asks for nothing may use %s of memory', (size, memory) => {
  const [limits] = find<V1LimitRange>({ ...PLAN, size }, 'LimitRange').spec?.limits ?? [];
  expect(limits).toMatchObject({
    defaultRequest: { cpu: '250m', memory: '256Mi' },
    _default: { cpu: '1', memory, 'ephemeral-storage': memory },
  });
});

test('a container that asks for nothing gets what the quota counts', () => {
  const quota = Object.keys(find<V1ResourceQuota>(PLAN, 'ResourceQuota').spec?.hard ?? {});
  const { _default, defaultRequest } = find<V1LimitRange>(PLAN, 'LimitRange').spec?.limits[0] ?? {};
  const given = [
    ...Object.keys(defaultRequest ?? {}).map((name) => `requests.${name}`),
    ...Object.keys(_default ?? {}).map((name) => `limits.${name}`),
  ];
  expect(given).toEqual(expect.arrayContaining(quota.filter((name) => /^(requests|limits)\.(?!storage)/.test(name))));
});

test('a container that asks for nothing keeps no disk free', () => {
  const [limits] = find<V1LimitRange>(PLAN, 'LimitRange').spec?.limits ?? [];
  expect(limits?.defaultRequest).toMatchObject({ 'ephemeral-storage': '0' });
});

describe('the network policy', () => {
  const targets = (plan: WorkspacePlan) =>
    find<V1NetworkPolicy>(plan, 'NetworkPolicy').spec?.egress?.map(({ to, ports }) => [
      to?.map((peer) => peer.ipBlock?.cidr ?? peer.namespaceSelector?.matchLabels ?? peer.podSelector),
      ports?.map(({ port }) => port),
    ]);
  const DNS = [[{ 'kubernetes.io/metadata.name': 'kube-system' }], [53, 53]];

  test('of a whole workspace: names, the platform, itself, the API server, and what is listed', () => {
    expect(targets(PLAN)).toEqual([
      DNS,
      [['10.88.0.1/32'], [8090]],
      [[{}], undefined],
      [['10.90.0.1/32'], [6443]],
      [['203.0.113.0/24'], [80, 443]],
    ]);
  });

  test('of a checkout: names, the platform, and what is listed', () => {
    expect(targets(CHECKOUT)).toEqual([DNS, [['10.88.0.1/32'], [8090]], [['203.0.113.0/24'], [80, 443]]]);
  });

  test('holds every pod, in both directions', () => {
    for (const plan of [PLAN, CHECKOUT])
      expect(find<V1NetworkPolicy>(plan, 'NetworkPolicy').spec).toMatchObject({
        podSelector: {},
        policyTypes: ['Ingress', 'Egress'],
      });
  });

  test('lets in what is in the namespace, and nothing at all to a checkout', () => {
    expect(find<V1NetworkPolicy>(PLAN, 'NetworkPolicy').spec?.ingress).toEqual([{ _from: [{ podSelector: {} }] }]);
    expect(find<V1NetworkPolicy>(CHECKOUT, 'NetworkPolicy').spec?.ingress).toEqual([]);
  });

  test('does not lead an agent without a token to the API server', () => {
    const { spec } = find<V1NetworkPolicy>({ ...PLAN, use: { ...USE, role: 'pm' } }, 'NetworkPolicy');
    expect(JSON.stringify(spec?.egress)).not.toContain('10.90.0.1');
  });

  test('opens nothing that is not there: no API server, no list', () => {
    const egress = { ...PLAN.egress, apiServers: [], listed: [] };
    expect(targets({ ...PLAN, egress })).toEqual([DNS, [['10.88.0.1/32'], [8090]], [[{}], undefined]]);
  });

  test('adds what the project lists to what the installation does, each block once', () => {
    const use = { ...CHECKOUT.use, egress: ['198.51.100.7/32', '203.0.113.0/24'] };
    expect(targets({ ...CHECKOUT, use })?.[2]).toEqual([
      ['203.0.113.0/24', '198.51.100.7/32'],
      [80, 443],
    ]);
  });

  test('opens what only the project lists', () => {
    const use = { ...CHECKOUT.use, egress: ['198.51.100.7/32'] };
    const egress = { ...PLAN.egress, listed: [] };
    expect(targets({ ...CHECKOUT, use, egress })?.[2]).toEqual([['198.51.100.7/32'], [80, 443]]);
  });

  test('keeps the cloud’s metadata shut where a list is so wide that it would hold it', () => {
    const use = { ...CHECKOUT.use, egress: ['169.0.0.0/8'] };
    expect(find<V1NetworkPolicy>({ ...CHECKOUT, use }, 'NetworkPolicy').spec?.egress?.[2]?.to).toEqual([
      { ipBlock: { cidr: '203.0.113.0/24' } },
      { ipBlock: { cidr: '169.0.0.0/8', except: ['169.254.0.0/16'] } },
    ]);
  });

  test('names the server’s pods where the platform runs in the cluster, and addresses of both kinds', () => {
    const podLabels = { 'app.kubernetes.io/component': 'server' };
    const inside = { ...PLAN.egress, gateways: { port: 8090, namespace: 'codex-k8s', podLabels } };
    expect(find<V1NetworkPolicy>({ ...CHECKOUT, egress: inside }, 'NetworkPolicy').spec?.egress?.[1]?.to).toEqual([
      {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'codex-k8s' } },
        podSelector: { matchLabels: podLabels },
      },
    ]);
    const six = { ...PLAN.egress, gateways: { port: 8090, address: 'fd00::1' } };
    expect(targets({ ...CHECKOUT, egress: six })?.[1]).toEqual([['fd00::1/128'], [8090]]);
  });
});
