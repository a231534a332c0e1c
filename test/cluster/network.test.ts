/** Whether a cluster's network heeds policies, as a pod finds out (docs/reliability.md T49). */
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createKubernetesApi, readKubeConfig } from '../../src/adapters/kubernetes/api.ts';
import { egressFrom } from '../../src/adapters/kubernetes/egress.ts';
import { createNetworkGuard, type NetworkGuard } from '../../src/adapters/kubernetes/network.ts';
import { readDescription } from '../../deploy/local-cluster/description.ts';
import { clusterPaths } from '../../deploy/local-cluster/paths.ts';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startPlatform, type Platform } from './support/agents.ts';

let platform: Platform;
let server: Server;

beforeAll(async () => {
  platform = await startPlatform();
  server = createServer((_, response) => response.end());
  await new Promise<void>((resolve) => server.listen(0, inject('nodeAddress'), resolve));
});

afterAll(async () => {
  server.close();
  await platform.end();
});

function guard(allowUnenforced = false, port = (server.address() as AddressInfo).port): NetworkGuard {
  const platformUrl = `http://${inject('nodeAddress')}:${port}`;
  return createNetworkGuard({
    api: createKubernetesApi(() => readKubeConfig(platform.kubeconfig)),
    egress: egressFrom({ platformUrl, apiServer: undefined, listed: [] }),
    pod: {
      image: inject('agentImage'),
      platformUrl,
      deadlineSeconds: 120,
      keepSeconds: 60,
      requests: { cpu: '20m', memory: '32Mi', ephemeralStorage: '0' },
      limits: { cpu: '1', memory: '256Mi', ephemeralStorage: '64Mi' },
    },
    forbidden: [],
    allowUnenforced,
  });
}

describe('a network that heeds policies', () => {
  test('is found to', async () => {
    expect(await guard().finding()).toEqual({ state: 'enforced', detail: '' });
  });

  test('lets agents be started', async () => {
    await expect(guard().assertSafe()).resolves.toBeUndefined();
  });

  test('that does not reach the platform has an exit code of its own', async () => {
    await expect(guard(false, 9).assertSafe()).rejects.toThrow(/pods cannot reach the platform .* CODEXK8S_AGENT_URL/);
  });
});

/** Adds or deletes the rule that lets pods of the local cluster reach this machine before any policy is asked. */
async function openMachine(how: '-I' | '-D'): Promise<void> {
  const bridge = readDescription(clusterPaths(inject('clusterDataDirectory')))?.name ?? '';
  await execa('iptables', ['--wait', how, 'INPUT', '-i', bridge, '-j', 'ACCEPT']);
}

describe.runIf(inject('clusterDataDirectory') !== '')('T49: a network that ignores policies', () => {
  beforeAll(async () => openMachine('-I'));
  afterAll(async () => openMachine('-D'));

  test('lets no agent be started, and says what an agent could reach', async () => {
    await expect(guard().assertSafe()).rejects.toThrow(/network_policy_unenforced.*:443/);
  });

  test('lets agents be started where that is accepted', async () => {
    await expect(guard(true).assertSafe()).resolves.toBeUndefined();
  });
});
