/** The addresses that pods of a workspace may connect to, from the configuration. */
import { isIP } from 'node:net';
import type { V1EndpointSlice } from '@kubernetes/client-node';
import { isLoopback } from '../../network/loopback.ts';
import type { KubernetesApi } from './api.ts';
import type { Egress } from './objects.ts';

/** The labels of the server's pods (deploy/kubernetes). */
const SERVER_PODS = { 'app.kubernetes.io/name': 'codex-k8s', 'app.kubernetes.io/component': 'server' };

/**
 * `platformUrl` and `apiServer` as pods see them. The platform is an IP address, or a Service of the cluster
 * (`http://server.codex-k8s.svc:8090`). Throws for anything else: a policy cannot name a host.
 */
export function egressFrom({
  platformUrl,
  apiServer,
  listed,
}: {
  platformUrl: string;
  apiServer: string | undefined;
  listed: readonly string[];
}): Egress {
  const { host, port } = endpointOf(platformUrl);
  const api = apiServer === undefined ? undefined : endpointOf(apiServer);
  return {
    gateways: { port, ...peerOf(host) },
    apiServers: api && isIP(api.host) && !isLoopback(api.host) ? [{ address: api.host, port: api.port }] : [],
    listed,
  };
}

/** Kubernetes' own, of the Service `kubernetes`. */
const API_SERVERS = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'kubernetes', namespace: 'default' },
};

/**
 * Adds where the API server itself is now. Pods know it as a Service; most network plugins compare addresses after that was
 * translated, and a kubeconfig may name a host, which a policy cannot.
 */
export async function withApiServers(api: Pick<KubernetesApi, 'find'>, egress: Egress): Promise<Egress> {
  const slice = await api.find<V1EndpointSlice>(API_SERVERS);
  const ports = (slice?.ports ?? []).flatMap(({ port }) => port ?? []);
  const found = (slice?.endpoints ?? []).flatMap(({ addresses }) =>
    addresses.flatMap((address) => ports.map((port) => ({ address, port }))),
  );
  const isNew = (endpoint: { address: string; port: number }): boolean =>
    !egress.apiServers.some(({ address, port }) => address === endpoint.address && port === endpoint.port);
  return { ...egress, apiServers: [...egress.apiServers, ...found.filter(isNew)] };
}

function peerOf(host: string): { address: string } | { namespace: string; podLabels: Record<string, string> } {
  if (isIP(host)) return { address: host };
  const namespace = /^[a-z0-9-]+\.(?<namespace>[a-z0-9-]+)\.svc(\.[a-z0-9.-]+)?$/.exec(host)?.groups?.['namespace'];
  if (namespace === undefined)
    throw new Error(
      `CODEXK8S_AGENT_URL must name an IP address or a Service of the cluster, like http://server.codex-k8s.svc:8090; ${host} is neither`,
    );
  return { namespace, podLabels: SERVER_PODS };
}

function endpointOf(url: string): { host: string; port: number } {
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(port) || (protocol === 'https:' ? 443 : 80) };
}
