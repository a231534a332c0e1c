/** The manifests that install the platform, read as they lie in the repository. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type {
  KubernetesObject,
  V1Container,
  V1Deployment,
  V1NetworkPolicy,
  V1PodTemplateSpec,
  V1Service,
} from '@kubernetes/client-node';
import { parse, parseAllDocuments } from 'yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { egressFrom } from '../../src/adapters/kubernetes/index.ts';
import { SETTINGS } from '../../src/app/config/all-settings.ts';
import { temporalAccess } from '../../src/app/config/temporal-config.ts';
import { createAuthority, type Authority } from '../support/certificates.ts';
import { serverConfig } from '../../src/app/config/server-config.ts';
import { workerConfig } from '../../src/app/config/worker-config.ts';
import { PLATFORM_SOURCES } from '../../deploy/local-cluster/images/platform-images.ts';
import { readTemporalDev } from '../../src/embedded/temporal/dev-settings.ts';
import { temporalArguments } from '../../src/embedded/temporal/temporal.ts';
import { fileOf } from '../diagnostics/support.ts';

const ROOT = fileURLToPath(new URL('../../deploy/kubernetes/', import.meta.url));
const KNOWN = new Set([...SETTINGS.server, ...SETTINGS.worker]);

/** Variables of the images of others. */
const FOREIGN = /^(POSTGRES_|PGDATA$|HOME$)/;

interface Kustomization {
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
  readonly patches?: readonly { readonly path?: string }[];
  readonly images?: readonly { readonly name: string; readonly newName?: string }[];
  readonly secretGenerator?: readonly { readonly literals?: unknown; readonly files?: readonly string[] }[];
  readonly configMapGenerator?: readonly { readonly literals?: readonly string[]; readonly envs?: readonly string[] }[];
}

const folders = readdirSync(ROOT).filter((name) => existsSync(join(ROOT, name, 'kustomization.yaml')));
const kustomization = (folder: string): Kustomization =>
  parse(readFileSync(join(ROOT, folder, 'kustomization.yaml'), 'utf8')) as Kustomization;

/** The objects of a folder itself, without those of the folders that it builds upon. */
function objectsOf(folder: string): KubernetesObject[] {
  return (kustomization(folder).resources ?? [])
    .filter((resource) => resource.endsWith('.yaml'))
    .flatMap((resource) => parseAllDocuments(readFileSync(join(ROOT, folder, resource), 'utf8')))
    .map((document) => document.toJS() as KubernetesObject);
}

const installed = folders.filter((folder) => folder !== 'base').flatMap(objectsOf);
const pods = installed.flatMap((object) => {
  const { template } = ((object as V1Deployment).spec ?? {}) as { template?: V1PodTemplateSpec };
  return template ? [{ name: `${object.kind} ${object.metadata?.name}`, kind: object.kind, template }] : [];
});

function containersOf({ spec }: V1PodTemplateSpec): V1Container[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
}

function named(kind: string, name: string): KubernetesObject {
  const found = installed.find((object) => object.kind === kind && object.metadata?.name === name);
  if (!found) throw new Error(`no ${kind} ${name}`);
  return found;
}

/** `NAME=value` lines of a file. */
function settingsIn(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

const shared = settingsIn(readFileSync(join(ROOT, 'platform/settings.env'), 'utf8'));

test('server and worker are there twice, and every folder names files that exist', () => {
  for (const name of ['server', 'worker']) expect((named('Deployment', name) as V1Deployment).spec?.replicas).toBe(2);
  for (const folder of folders)
    for (const resource of kustomization(folder).resources ?? [])
      expect([resource, existsSync(join(ROOT, folder, resource))]).toEqual([resource, true]);
});

describe.each(pods)('the pod of $name', ({ kind, template }) => {
  const { spec } = template;

  test('fits the pod security standard restricted, and more', () => {
    expect(spec?.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(spec?.securityContext?.runAsUser).toBeGreaterThan(0);
    expect(spec).not.toHaveProperty('hostNetwork');
    expect(spec?.enableServiceLinks).toBe(false);
    for (const { securityContext } of containersOf(template))
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    for (const volume of spec?.volumes ?? [])
      expect(Object.keys(volume).some((key) => ['secret', 'emptyDir', 'configMap'].includes(key))).toBe(true);
  });

  test('says what it needs and what it may use', () => {
    for (const { resources } of containersOf(template)) {
      expect(Object.keys(resources?.requests ?? {}).toSorted()).toEqual(['cpu', 'memory']);
      expect(resources?.limits).toHaveProperty('memory');
    }
  });

  test('is asked whether it has started, works and lives, unless it ends by itself', () => {
    for (const container of kind === 'Job' ? [] : (spec?.containers ?? []))
      expect(container).toMatchObject({
        startupProbe: expect.anything(),
        readinessProbe: expect.anything(),
        livenessProbe: expect.anything(),
      });
  });

  test('carries the recommended labels', () => {
    for (const label of ['name', 'component', 'part-of'])
      expect(template.metadata?.labels).toHaveProperty([`app.kubernetes.io/${label}`]);
  });

  test('has no secret in its environment, and no variable that nobody reads', () => {
    for (const { env = [], envFrom = [] } of containersOf(template)) {
      for (const source of envFrom) expect(source).not.toHaveProperty('secretRef');
      for (const { name, valueFrom } of env) {
        expect(valueFrom).toBeUndefined();
        if (!FOREIGN.test(name)) expect(KNOWN).toContain(name);
      }
      expect(env.map(({ name }) => name)).not.toContain('DATABASE_URL');
    }
  });

  test('reads secrets from files that are mounted', () => {
    for (const { env = [], volumeMounts = [] } of containersOf(template)) {
      const files = env.filter(({ name }) => name.endsWith('_FILE')).map(({ value = '' }) => value);
      for (const file of files) {
        const mount = volumeMounts.find(({ mountPath }) => file.startsWith(`${mountPath}/`));
        const volume = spec?.volumes?.find(({ name }) => name === mount?.name);
        expect([file, volume?.secret === undefined]).toEqual([file, false]);
        const items = volume?.secret?.items;
        if (items) expect(items.map(({ path }) => `${mount?.mountPath}/${path}`)).toContain(file);
      }
    }
  });

  test("has longer to end than the program's own limit", () => {
    if (template.metadata?.labels?.['app.kubernetes.io/name'] === 'codex-k8s')
      expect(spec?.terminationGracePeriodSeconds).toBeGreaterThan(30);
  });
});

test('every setting in a ConfigMap is one that the program knows, and none holds a secret', () => {
  const settings = folders.flatMap((folder) =>
    (kustomization(folder).configMapGenerator ?? []).flatMap(({ literals = [], envs = [] }) =>
      Object.keys({
        ...settingsIn(literals.join('\n')),
        ...settingsIn(envs.map((file) => readFileSync(join(ROOT, folder, file), 'utf8')).join('\n')),
      }),
    ),
  );
  expect(settings).toContain('CODEXK8S_TEMPORAL_ADDRESS');
  for (const name of settings) expect(KNOWN).toContain(name);
  expect(settings.filter((name) => name.endsWith('_FILE') || name === 'DATABASE_URL')).toEqual([]);
});

test('no manifest holds a secret: generators read files that git does not keep', () => {
  expect(installed.filter(({ kind }) => kind === 'Secret')).toEqual([]);
  for (const folder of folders)
    for (const { literals, files = [] } of kustomization(folder).secretGenerator ?? []) {
      expect(literals).toBeUndefined();
      for (const file of files) {
        expect(file).toMatch(/^(\w+=)?secrets\/[\w-]+$/);
        expect(readFileSync(join(ROOT, folder, 'secrets/.gitignore'), 'utf8')).toContain('\n*\n');
      }
    }
});

/** The environment of a container, with files of this machine in place of those that are mounted. */
function environmentOf(container: V1Container | undefined): Record<string, string> {
  return Object.fromEntries(
    (container?.env ?? []).map(({ name: setting, value = '' }) => {
      if (setting === 'CODEXK8S_DATABASE_URL_FILE') return [setting, fileOf('postgres://a:b@postgres:5432/codexk8s')];
      if (setting === 'CODEXK8S_PROBE_DIRECTORY') return [setting, ROOT];
      return [setting, setting.endsWith('_FILE') ? fileOf('x'.repeat(40)) : value];
    }),
  );
}

test.each(['server', 'worker'] as const)('the %s starts with these settings', (name) => {
  const container = (named('Deployment', name) as V1Deployment).spec?.template.spec?.containers[0];
  const config = { server: serverConfig, worker: workerConfig }[name]({ ...shared, ...environmentOf(container) });
  expect(config.CODEXK8S_INTERNAL_URL).toBe('http://server.codex-k8s.svc:8080');
});

describe('the production overlay', () => {
  let authority: Authority;
  beforeAll(() => {
    authority = createAuthority();
  });
  afterAll(() => authority?.remove());

  test.each(['server', 'worker'] as const)('starts the %s with TLS to Temporal, and files that are mounted', (name) => {
    const own = authority.issue('server.codex-k8s.svc');
    const patch = parse(readFileSync(join(ROOT, 'production', `${name}-tls.yaml`), 'utf8')) as V1Deployment;
    const pod = patch.spec?.template.spec;
    const [container] = pod?.containers ?? [];
    const base = (named('Deployment', name) as V1Deployment).spec?.template.spec?.containers[0];
    const mounted = (pod?.volumes ?? []).flatMap(({ name: volume, secret }) => {
      const at = container?.volumeMounts?.find((mount) => mount.name === volume)?.mountPath;
      return (secret?.items ?? []).map(({ path }) => `${at}/${path}`);
    });
    const files = (container?.env ?? []).map(({ name: setting, value = '' }) => {
      expect(mounted).toContain(value);
      return [setting, setting.endsWith('_KEY_FILE') ? own.key : own.certificate];
    });
    const settings = settingsIn(
      (kustomization('production').configMapGenerator ?? []).flatMap(({ literals = [] }) => literals).join('\n'),
    );
    const env = {
      ...shared,
      ...environmentOf(base),
      ...settings,
      ...(Object.fromEntries(files) as NodeJS.Dict<string>),
    };
    const config = { server: serverConfig, worker: workerConfig }[name](env);
    expect(temporalAccess(config).tls).toMatchObject({
      clientCertPair: {},
      serverRootCACertificate: expect.anything(),
    });
    expect(config.CODEXK8S_AGENT_URL).toMatch(/^https:/);
    expect(config).toHaveProperty(name === 'server' ? 'CODEXK8S_GATEWAYS_TLS_KEY_FILE' : 'CODEXK8S_AGENT_CA_FILE');
  });
});

test('agents find the gateways: address, Service, pods and network policies agree', () => {
  const { gateways } = egressFrom({
    platformUrl: shared['CODEXK8S_AGENT_URL'] ?? '',
    apiServer: undefined,
    listed: [],
  });
  const server = (named('Deployment', 'server') as V1Deployment).spec;
  const service = (named('Service', 'server') as V1Service).spec;
  expect(gateways).toMatchObject({ namespace: 'codex-k8s', port: 8090 });
  expect(server?.template.metadata?.labels).toMatchObject('podLabels' in gateways ? gateways.podLabels : {});
  expect(service?.selector).toEqual(server?.selector.matchLabels);
  expect(service?.ports).toContainEqual({ name: 'gateways', port: 8090, targetPort: 'gateways' });
  expect(server?.template.spec?.containers[0]?.ports).toContainEqual({ name: 'gateways', containerPort: 8090 });
  expect((named('NetworkPolicy', 'server-ingress') as V1NetworkPolicy).spec?.ingress).toContainEqual({
    from: [{ namespaceSelector: { matchLabels: { 'codex-k8s.dev/managed-by': 'codex-k8s-worker' } } }],
    ports: [{ protocol: 'TCP', port: 8090 }],
  });
});

test('nobody speaks to anybody unless a policy says so', () => {
  expect((named('NetworkPolicy', 'default-deny') as V1NetworkPolicy).spec).toEqual({
    podSelector: {},
    policyTypes: ['Ingress', 'Egress'],
  });
});

test("images are placeholders, and the platform's is one for all its containers", () => {
  const images = pods.flatMap(({ template }) => containersOf(template).map(({ image }) => image));
  expect(new Set(images)).toEqual(new Set(['codex-k8s/platform', 'postgres:18', 'temporalio/temporal:1.5.1']));
  expect(kustomization('platform').images).toEqual([
    expect.objectContaining({ name: 'codex-k8s/platform', newName: 'registry.example.org/codex-k8s/platform' }),
  ]);
});

test("the trial's Temporal has what temporal-dev.yaml says", () => {
  const settings = readTemporalDev(new URL('../../temporal-dev.yaml', import.meta.url));
  const container = (named('StatefulSet', 'temporal') as V1Deployment).spec?.template.spec?.containers[0];
  const wanted = temporalArguments(
    { dataDirectory: '', port: 7233, uiPort: 8233, settings },
    '/var/lib/temporal/temporal.db',
  );
  const given = (container?.args ?? []).flatMap((argument) => {
    const [flag = '', ...value] = argument.split('=');
    return value.length === 0 ? [flag] : [flag, value.join('=')];
  });
  const listening = (flags: string[]): string[] =>
    flags.filter((flag, at) => !/^--(ui-)?ip$/.test(flag) && !/^--(ui-)?ip$/.test(flags[at - 1] ?? ''));
  expect(listening(given).toSorted()).toEqual(listening(wanted).toSorted());
  expect(container?.image).toBe(`temporalio/temporal:${settings.cli}`);
  const retention = (named('Job', 'temporal-retention') as V1Deployment).spec?.template.spec?.containers[0];
  expect(retention?.args).toContain(`--retention=${settings.namespace.retentionDays}d`);
});

test("the local cluster's image of the platform holds what the Dockerfile copies", () => {
  const dockerfile = readFileSync(join(ROOT, '../images/Dockerfile'), 'utf8');
  const [, platform = ''] = dockerfile.split('FROM runtime AS platform');
  const copied = [...platform.matchAll(/^COPY (?!--from)(?<paths>.+) \S+$/gm)].flatMap(
    ({ groups }) => groups?.['paths']?.split(' ') ?? [],
  );
  expect(copied.filter((path) => path !== 'deploy/write-workflow-bundle.ts').toSorted()).toEqual(
    PLATFORM_SOURCES.toSorted(),
  );
});
