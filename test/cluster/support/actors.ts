/** Who acts on the API server in the tests of policies and permissions, and the workspace that they act in. */
import { execFile } from 'node:child_process';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { KubeConfig } from '@kubernetes/client-node';
import { type PolicyRule, permissionsOf, type RuntimeMode } from '../../../src/domain/agent/permissions.ts';
import type { Role } from '../../../src/domain/stages/stages.ts';
import { installPlatform } from '../../../src/embedded/install-platform.ts';
import { type Act, ALLOWED_IMAGES, type Json, OURS, named, podSpec } from './red-team.ts';

/** What the API server answered. */
export interface Answer {
  readonly status: number;
  readonly message: string;
  readonly object: Json & {
    readonly metadata?: { readonly name?: string; readonly uid?: string };
    readonly items?: Answer['object'][];
  };
}

/** Somebody with an identity of his own at the API server. */
export interface Actor {
  readonly config: KubeConfig;
  act(act: Omit<Act, 'does'>): Promise<Answer>;
}

/** The cluster's administrator, with the platform's manifests applied and in force. */
export async function administrator(kubeconfig: string): Promise<Actor> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  await installPlatform(kubeconfig, ALLOWED_IMAGES);
  // What the program has applied, kubectl can, and takes nothing away that is not in the manifests.
  const base = new URL('../../../deploy/kubernetes/base', import.meta.url).pathname;
  const apply = ['apply', '--server-side', '--force-conflicts', '-k', base];
  await promisify(execFile)('kubectl', ['--kubeconfig', kubeconfig, ...apply]);
  const admin = actor(config);
  const worker = await accountOf(admin, 'codex-k8s', 'codex-k8s-worker');
  await until('the policies are in force', async () => {
    const { message } = await worker.act({
      method: 'POST',
      path: '/api/v1/namespaces?dryRun=All',
      body: named('rt-not-marked', {}),
    });
    return message.includes('a workspace carries the labels');
  });
  return admin;
}

/** A service account, with a token that was asked for it. */
export async function accountOf(admin: Actor, namespace: string, name: string): Promise<Actor> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const { object, message } = await admin.act({ method: 'POST', path, body: { spec: { expirationSeconds: 3600 } } });
  const token = (object['status'] as { token?: string } | undefined)?.token;
  const cluster = admin.config.getCurrentCluster();
  if (token === undefined || !cluster) throw new Error(`no token for ${namespace}/${name}: ${message}`);
  const config = new KubeConfig();
  config.loadFromClusterAndUser(cluster, { name, token });
  return actor(config);
}

/** A workspace as the worker makes it, for an agent of `role`. */
export async function workspace(worker: Actor, namespace: string, role: Role, mode: RuntimeMode): Promise<void> {
  const rules: readonly PolicyRule[] = permissionsOf(role, mode);
  const labels = OURS;
  const apply = async (path: string, body: Json): Promise<void> => {
    const { status, message } = await worker.act({
      method: 'PATCH',
      path: `${path}?fieldManager=codex-k8s&force=true`,
      patch: 'application/apply-patch+yaml',
      body,
    });
    if (status > 201) throw new Error(`${path}: ${status} ${message}`);
  };
  await apply(`/api/v1/namespaces/${namespace}`, namespaceOf(namespace, role, mode));
  const core = `/api/v1/namespaces/${namespace}`;
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', automountServiceAccountToken: false };
  await apply(`${core}/serviceaccounts/default`, named('default', account, { labels }));
  await apply(`${core}/serviceaccounts/codex-runner`, named('codex-runner', account, { labels }));
  await apply(
    `${rbac}/roles/codex-runner`,
    named('codex-runner', { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', rules }, { labels }),
  );
  await apply(
    `${rbac}/rolebindings/codex-runner`,
    named(
      'codex-runner',
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'codex-runner' },
        subjects: [{ kind: 'ServiceAccount', name: 'codex-runner', namespace }],
      },
      { labels },
    ),
  );
  await apply(
    `${core}/resourcequotas/codex-run-quota`,
    named('codex-run-quota', { apiVersion: 'v1', kind: 'ResourceQuota', spec: { hard: { pods: '20' } } }, { labels }),
  );
  await apply(
    `${core}/limitranges/codex-run-limits`,
    named(
      'codex-run-limits',
      {
        apiVersion: 'v1',
        kind: 'LimitRange',
        spec: { limits: [{ type: 'Container', defaultRequest: { cpu: '10m', memory: '16Mi' } }] },
      },
      { labels },
    ),
  );
  await apply(
    `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies/codex-run-network`,
    named(
      'codex-run-network',
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
      },
      { labels },
    ),
  );
}

/** The namespace of a workspace, with everything that marks it. */
export function namespaceOf(name: string, role: Role, mode: RuntimeMode): Json {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      labels: {
        ...OURS,
        'codex-k8s.dev/namespace-purpose': 'run',
        'codex-k8s.dev/runtime-mode': mode,
        'codex-k8s.dev/agent-role': role,
        'pod-security.kubernetes.io/enforce': 'restricted',
        'pod-security.kubernetes.io/enforce-version': 'latest',
      },
      annotations: {
        'codex-k8s.dev/owner': `issue:1#${name.length}`,
        'codex-k8s.dev/mountable-secrets': 'project-registry, project-database',
      },
    },
  };
}

/** The Job of a run as the worker makes it, with its token. */
export function runJob(job: string, spec: Json = {}): { readonly job: Json; readonly token: Json } {
  const labels = { ...OURS, 'codex-k8s.dev/run-id': job };
  const run = podSpec({
    restartPolicy: 'Never',
    serviceAccountName: 'codex-runner',
    automountServiceAccountToken: true,
    volumes: [
      { name: 'token', secret: { secretName: job } },
      { name: 'work', emptyDir: {} },
    ],
    ...spec,
  });
  return {
    token: named(job, { apiVersion: 'v1', kind: 'Secret', stringData: { token: 'a run token' } }, { labels }),
    job: named(
      job,
      {
        apiVersion: 'batch/v1',
        kind: 'Job',
        spec: { suspend: true, backoffLimit: 0, template: { metadata: { labels }, spec: run } },
      },
      { labels },
    ),
  };
}

/** Waits until something is so. */
export async function until(what: string, isSo: () => Promise<boolean>, seconds = 180): Promise<void> {
  for (const end = Date.now() + seconds * 1000; !(await isSo()); await sleep(200)) {
    if (Date.now() > end) throw new Error(`not so after ${seconds} s: ${what}`);
  }
}

/** The same act, or any other data, with what its placeholders stand for. */
export function inPlace<T>(data: T, places: Readonly<Record<string, string>>): T {
  const put = JSON.stringify(data).replaceAll(/\{(\w+)\}/g, (whole, place: string) => places[place] ?? whole);
  return JSON.parse(put) as T;
}

function actor(config: KubeConfig): Actor {
  return { config, act: async (act) => send(config, act) };
}

async function send(config: KubeConfig, { method, path, body, patch }: Omit<Act, 'does'>): Promise<Answer> {
  const url = new URL(path, config.getCurrentCluster()?.server);
  const type = method === 'PATCH' ? (patch ?? 'application/merge-patch+json') : 'application/json';
  const sentBody = body === undefined ? '' : JSON.stringify(body);
  const headers = { 'content-type': type, 'content-length': Buffer.byteLength(sentBody), accept: 'application/json' };
  const options = { method, headers };
  await config.applyToHTTPSOptions(options);
  return new Promise((resolve, reject) => {
    const sent = request(url, options, (response) => {
      text(response).then((answer) => resolve(read(response.statusCode ?? 0, answer)), reject);
    });
    sent.on('error', reject);
    sent.end(sentBody);
  });
}

function read(status: number, answer: string): Answer {
  const object = answer.startsWith('{') ? (JSON.parse(answer) as Answer['object']) : {};
  return { status, message: typeof object['message'] === 'string' ? object['message'] : answer.slice(0, 300), object };
}
