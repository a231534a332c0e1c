import { describe, expect, test } from 'vitest';
import { egressFrom, withApiServers } from '../../../src/adapters/kubernetes/egress.ts';

const SERVER = { 'app.kubernetes.io/name': 'codex-k8s', 'app.kubernetes.io/component': 'server' };

const of = (platformUrl: string, apiServer?: string) => egressFrom({ platformUrl, apiServer, listed: [] });

describe('the platform’s gateways', () => {
  test.each([
    ['http://10.88.0.1:8090', { address: '10.88.0.1', port: 8090 }],
    ['https://10.88.0.1', { address: '10.88.0.1', port: 443 }],
    ['http://10.88.0.1', { address: '10.88.0.1', port: 80 }],
    ['http://[fd00::1]:8090/', { address: 'fd00::1', port: 8090 }],
    ['http://server.codex-k8s.svc:8090', { namespace: 'codex-k8s', podLabels: SERVER, port: 8090 }],
    ['http://server.codex-k8s.svc.cluster.local:8090', { namespace: 'codex-k8s', podLabels: SERVER, port: 8090 }],
  ])('at %s', (url, gateways) => {
    expect(of(url).gateways).toEqual(gateways);
  });

  test.each([
    'http://localhost:8090',
    'https://codex.example.org',
    'http://server:8090',
    'http://a.b.c.d:8090',
    'http://example.org',
  ])('cannot be at %s: a policy names no host', (url) => {
    expect(() => of(url)).toThrow(/must name an IP address or a Service of the cluster/);
  });
});

describe('the API server', () => {
  test.each([
    ['https://10.90.0.1:6443', { address: '10.90.0.1', port: 6443 }],
    ['https://10.90.0.1', { address: '10.90.0.1', port: 443 }],
    ['https://[fd00::1]:6443', { address: 'fd00::1', port: 6443 }],
  ])('at %s', (url, apiServer) => {
    expect(of('http://10.88.0.1:8090', url).apiServers).toEqual([apiServer]);
  });

  test.each([undefined, 'https://127.0.0.1:6443', 'https://[::1]:6443', 'https://kubernetes.example.org'])(
    'at %s is none that a pod could be let through to',
    (url) => {
      expect(of('http://10.88.0.1:8090', url).apiServers).toEqual([]);
    },
  );
});

describe('the API server, as the cluster itself knows it', () => {
  const egress = of('http://10.88.0.1:8090', 'https://10.96.0.1');
  const slice = {
    addressType: 'IPv4',
    endpoints: [{ addresses: ['172.18.0.2'] }, { addresses: ['172.18.0.3'] }],
    ports: [{ name: 'https', port: 6443 }],
  };
  const at = async (found?: object) =>
    (await withApiServers({ find: async <Kind>() => found as Kind | undefined }, egress)).apiServers;

  test('is let through to beside its Service, wherever it runs', async () => {
    expect(await at(slice)).toEqual([
      { address: '10.96.0.1', port: 443 },
      { address: '172.18.0.2', port: 6443 },
      { address: '172.18.0.3', port: 6443 },
    ]);
  });

  test('is named once where both are the same', async () => {
    const same = { ...slice, endpoints: [{ addresses: ['10.96.0.1'] }], ports: [{ port: 443 }] };
    expect(await at(same)).toEqual([{ address: '10.96.0.1', port: 443 }]);
  });

  test('is where the kubeconfig says when the cluster says nothing', async () => {
    expect(await at()).toEqual([{ address: '10.96.0.1', port: 443 }]);
  });
});

test('what the project lists goes along', () => {
  const { listed } = egressFrom({ platformUrl: 'http://10.0.0.1:1', apiServer: undefined, listed: ['203.0.113.0/24'] });
  expect(listed).toEqual(['203.0.113.0/24']);
});
