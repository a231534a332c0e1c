/** Secrets that are written for a project, and whose namespace they may be written to. */
import type { KubernetesObject } from '@kubernetes/client-node';
import { expect, test } from 'vitest';
import type { PatchOperation } from '../../../src/adapters/kubernetes/api.ts';
import { createProjectSecrets } from '../../../src/adapters/kubernetes/project-secrets.ts';
import { fakeApi } from './fake-api.ts';

const SECRET = { namespace: 'demo-i7', name: 'api', key: 'tls.key', value: 'of nobody', projectId: 'project-1' };
const LABELS = {
  'codex-k8s.dev/managed-by': 'codex-k8s-worker',
  'codex-k8s.dev/namespace-purpose': 'run',
  'codex-k8s.dev/project': 'shop',
};

function withNamespace(metadata: KubernetesObject['metadata']) {
  const find = async <Kind extends KubernetesObject>() => ({ metadata }) as Kind;
  return createProjectSecrets({ ...fakeApi(), find });
}

test('a workspace of the project is its own', async () => {
  await expect(withNamespace({ labels: LABELS }).isOfProject('shop-i1', 'shop')).resolves.toBe(true);
});

test.each<[string, KubernetesObject['metadata']]>([
  ['without labels', {}],
  ['of another project', { labels: { ...LABELS, 'codex-k8s.dev/project': 'other' } }],
  ['that the platform did not make', { labels: { 'codex-k8s.dev/project': 'shop' } }],
  ['that is no workspace', { labels: { ...LABELS, 'codex-k8s.dev/namespace-purpose': 'stack' } }],
  ['that is being deleted', { labels: LABELS, deletionTimestamp: new Date() }],
])('a namespace %s is not', async (_, metadata) => {
  await expect(withNamespace(metadata).isOfProject('shop-i1', 'shop')).resolves.toBe(false);
});

test('a namespace that is not there is not', async () => {
  await expect(createProjectSecrets(fakeApi()).isOfProject('shop-i1', 'shop')).resolves.toBe(false);
});

test('a Secret is made with the labels of its project', async () => {
  const made: KubernetesObject[] = [];
  const create = async (object: KubernetesObject) => made.push(object) > 0;
  await expect(createProjectSecrets({ ...fakeApi(), create }).writeSecret(SECRET)).resolves.toBe('written');
  expect(made).toMatchObject([
    {
      kind: 'Secret',
      metadata: { labels: { 'codex-k8s.dev/secret-purpose': 'project', 'codex-k8s.dev/project-id': 'project-1' } },
      data: { 'tls.key': Buffer.from('of nobody').toString('base64') },
    },
  ]);
});

test.each([
  ['set when the Secret is of this project', true, 'written'],
  ['not set when it is of somebody else', false, 'foreign'],
] as const)('a key of a Secret that is there is %s, in one request', async (_, passes, outcome) => {
  const patches: (readonly PatchOperation[])[] = [];
  const api = {
    ...fakeApi(),
    create: async () => false,
    patchSecret: async (_at: object, operations: readonly PatchOperation[]) => (patches.push(operations), passes),
  };
  await expect(createProjectSecrets(api).writeSecret(SECRET)).resolves.toBe(outcome);
  expect(patches).toHaveLength(1);
  expect(patches[0]).toContainEqual({
    op: 'test',
    path: '/metadata/labels/codex-k8s.dev~1project-id',
    value: 'project-1',
  });
  expect(patches[0]?.at(-1)).toMatchObject({ op: 'add', path: '/data/tls.key' });
});
