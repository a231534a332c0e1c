/** Where pods of an environment may connect to, read from the addresses of the configuration. */
import { isIP } from 'node:net';
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
  const { host, port } = placeOf(platformUrl);
  const api = apiServer === undefined ? undefined : placeOf(apiServer);
  return {
    gateways: { port, ...peerOf(host) },
    apiServer: api && isIP(api.host) && !isLoopback(api.host) ? { address: api.host, port: api.port } : null,
    listed,
  };
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

function placeOf(url: string): { host: string; port: number } {
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(port) || (protocol === 'https:' ? 443 : 80) };
}

function isLoopback(host: string): boolean {
  return host.startsWith('127.') || host === '::1';
}
