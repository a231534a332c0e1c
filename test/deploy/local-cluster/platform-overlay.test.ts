import { mkdtempSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { expect, test } from 'vitest';
import { serviceAddress, writePlatformOverlay } from '../../../deploy/local-cluster/platform-overlay.ts';

const description = {
  name: 'codex1',
  nodeName: 'node-1',
  nodeAddress: '10.90.0.1',
  podSubnet: '10.90.0.0/16',
  serviceSubnet: '10.98.0.0/16',
  serviceAddress: '10.98.0.1',
  runtimeDirectory: '/run/codex-k8s/codex1',
  ports: {
    etcd: 1,
    etcdPeer: 2,
    etcdHealth: 3,
    apiserver: 4,
    kubelet: 5,
    kubeletHealth: 6,
    controllers: 7,
    scheduler: 8,
  },
};

test('an overlay has the addresses of its cluster, images with tags that stay strings, and secrets for nobody else', () => {
  const directory = join(mkdtempSync(join(tmpdir(), 'overlay-')), 'platform');
  writePlatformOverlay(directory, {
    description,
    images: {
      platform: 'codex-k8s/platform:123456789012',
      temporal: 'codex-k8s/temporal:y',
      postgres: 'codex-k8s/postgres:1e10',
      agent: 'codex-k8s/agent:a',
      busybox: 'codex-k8s/busybox:b',
    },
    settings: { CODEXK8S_MODEL_URL: 'http://10.90.0.1:4000/v1' },
    secrets: { 'database-url': 'postgres://x', 'postgres-password': 'hunter2hunter2' },
  });
  const kustomization = readFileSync(join(directory, 'kustomization.yaml'), 'utf8');
  const { images, patches, configMapGenerator } = parse(kustomization, { version: '1.1' }) as {
    images: { newTag: unknown }[];
    patches: { target: { name?: string }; patch: string }[];
    configMapGenerator: { literals: string[] }[];
  };
  expect(images.map(({ newTag }) => newTag)).toEqual(['123456789012', 'y', '1e10']);
  expect(configMapGenerator[0]?.literals).toEqual(
    expect.arrayContaining([
      'CODEXK8S_PUBLIC_URL=http://10.98.0.20:8080',
      'CODEXK8S_AGENT_IMAGE=codex-k8s/agent:a',
      'CODEXK8S_MODEL_URL=http://10.90.0.1:4000/v1',
    ]),
  );
  const allowed = patches.find(({ target }) => target.name === 'codex-k8s-images');
  expect(JSON.parse(allowed?.patch ?? '')).toMatchObject([
    { path: '/data', value: { images: 'codex-k8s/agent:a\ncodex-k8s/busybox:b' } },
  ]);
  expect(kustomization).not.toContain('hunter2');
  expect(statSync(join(directory, 'secrets/postgres-password')).mode & 0o077).toBe(0);
  expect(serviceAddress(description, 'temporal')).toBe('10.98.0.22');
});
