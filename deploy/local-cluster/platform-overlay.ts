/**
 * Settings of one local cluster for deploy/kubernetes/local: its images, and addresses in place of names, since it has no
 * DNS. Written as a kustomization that builds upon it.
 */
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClusterDescription } from './description.ts';

const MANIFESTS = fileURLToPath(new URL('../kubernetes/', import.meta.url));

/** JSON is YAML, in which a tag of digits stays a string. */
const stringify = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

const SERVICES = ['server', 'postgres', 'temporal'] as const;

export interface PlatformOverlay {
  readonly description: ClusterDescription;
  readonly images: {
    readonly platform: string;
    readonly temporal: string;
    readonly postgres: string;
    readonly agent: string;
    readonly busybox: string;
  };
  /** Settings of server and worker that override those of deploy/kubernetes/platform. */
  readonly settings: Readonly<Record<string, string>>;
  /** The keys of the Secret `codex-k8s`, and `postgres-password`. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** The fixed address of a Service, from the part of the range that Kubernetes does not assign dynamically. */
export function serviceAddress({ serviceSubnet }: ClusterDescription, service: (typeof SERVICES)[number]): string {
  const [first, second] = serviceSubnet.split('.');
  return `${first}.${second}.0.${20 + SERVICES.indexOf(service)}`;
}

/** Writes the overlay into a directory of its own, with a copy of the manifests, for `kubectl apply -k`. */
export function writePlatformOverlay(
  directory: string,
  { description, images, settings, secrets }: PlatformOverlay,
): void {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(join(directory, 'secrets'), { recursive: true, mode: 0o700 });
  // kustomize accepts relative paths only.
  for (const folder of ['base', 'platform', 'stores', 'local'])
    cpSync(join(MANIFESTS, folder), join(directory, 'manifests', folder), { recursive: true });
  const { 'postgres-password': password = '', ...keys } = secrets;
  for (const [name, value] of Object.entries({ ...keys, 'postgres-password': password }))
    writeFileSync(join(directory, 'secrets', name), value, { mode: 0o600 });
  const server = serviceAddress(description, 'server');
  const merged = {
    CODEXK8S_PUBLIC_URL: `http://${server}:8080`,
    CODEXK8S_AGENT_URL: `http://${server}:8090`,
    CODEXK8S_TEMPORAL_ADDRESS: 'temporal.codex-k8s.svc:7233',
    CODEXK8S_AGENT_IMAGE: images.agent,
    ...settings,
  };
  writeFileSync(join(directory, 'this-machine.yaml'), stringify(thisMachine(description)));
  writeFileSync(
    join(directory, 'kustomization.yaml'),
    stringify({
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      namespace: 'codex-k8s',
      resources: ['manifests/local', 'this-machine.yaml'],
      images: [
        // The image's name after deploy/kubernetes/platform has added the registry.
        image('registry.example.org/codex-k8s/platform', images.platform),
        image('temporalio/temporal', images.temporal),
        image('postgres', images.postgres),
      ],
      configMapGenerator: [
        {
          name: 'codex-k8s-settings',
          behavior: 'merge',
          literals: Object.entries(merged).map(([name, value]) => `${name}=${value}`),
        },
      ],
      secretGenerator: [
        { name: 'codex-k8s', files: Object.keys(keys).map((name) => `secrets/${name}`) },
        {
          name: 'postgres',
          files: ['password=secrets/postgres-password'],
          options: { disableNameSuffixHash: true },
        },
      ],
      patches: [
        ...SERVICES.map((service) => addressPatch(service, description)),
        ...namePatches(description),
        imagesPatch([images.agent, images.busybox]),
      ],
    }),
  );
}

function image(name: string, local: string): object {
  const [newName, newTag] = local.split(':');
  return { name, newName, newTag };
}

function addressPatch(service: (typeof SERVICES)[number], description: ClusterDescription): object {
  const value = serviceAddress(description, service);
  return {
    target: { kind: 'Service', name: service },
    patch: stringify([{ op: 'add', path: '/spec/clusterIP', value }]),
  };
}

/** What agents may use for pods of their own: there is no registry, so the images that the node has. */
function imagesPatch(images: readonly string[]): object {
  return {
    target: { kind: 'ConfigMap', name: 'codex-k8s-images' },
    patch: stringify([{ op: 'add', path: '/data', value: { images: images.join('\n') } }]),
  };
}

/** Host names, since the cluster has no DNS. */
function namePatches(description: ClusterDescription): object[] {
  const value = SERVICES.map((service) => ({
    ip: serviceAddress(description, service),
    hostnames: [`${service}.codex-k8s.svc`],
  }));
  const patch = stringify([
    { op: 'add', path: '/spec/template/spec/hostAliases', value },
    { op: 'add', path: '/spec/template/spec/dnsPolicy', value: 'Default' },
  ]);
  return ['Deployment', 'Job'].map((kind) => ({ target: { kind }, patch }));
}

/** GitHub, the model and the API server are on this machine, at any port. */
function thisMachine({ nodeAddress }: ClusterDescription): object {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'this-machine', labels: { 'app.kubernetes.io/part-of': 'codex-k8s' } },
    spec: {
      podSelector: { matchLabels: { 'app.kubernetes.io/name': 'codex-k8s' } },
      policyTypes: ['Egress'],
      egress: [{ to: [{ ipBlock: { cidr: `${nodeAddress}/32` } }] }],
    },
  };
}
