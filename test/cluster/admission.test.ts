import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import {
  accountOf,
  type Actor,
  administrator,
  type Answer,
  workspace,
  inPlace,
  namespaceOf,
  runJob,
  until,
} from './support/actors.ts';
import { HONEST_ACTS, HOSTILE_ACTS, OUT_OF_REACH, podSpec } from './support/red-team.ts';

const kubeconfig = inject('kubeconfig') || process.env['KUBECONFIG'] || '';
const id = randomUUID().slice(0, 8);
const job = `codex-k8s-run-${randomUUID()}-1`;
/** One with the Role of a developer; one whose agent may do anything in it, so that nothing but the policies stands in its way. */
const DEV = `rt-dev-${id}`;
const FREE = `rt-free-${id}`;
const FOREIGN = `rt-foreign-${id}`;
/** Somebody else's automation, with much power and no part in the platform. */
const STRANGER = `rt-stranger-${id}`;
const APPLY = 'application/apply-patch+yaml';

let admin: Actor;
let worker: Actor;
let stranger: Actor;
const agents = new Map<string, Actor>();
const places = new Map<string, Record<string, string>>();

beforeAll(async () => {
  admin = await administrator(kubeconfig);
  worker = await accountOf(admin, 'codex-k8s', 'codex-k8s-worker');
  await admin.act({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: FOREIGN } } });
  for (const namespace of [DEV, FREE]) {
    await workspace(worker, namespace, 'dev', 'full-env');
    agents.set(namespace, await accountOf(admin, namespace, 'codex-runner'));
    places.set(namespace, await startRun(namespace));
  }
  await admin.act({
    method: 'POST',
    path: `/apis/rbac.authorization.k8s.io/v1/namespaces/${FREE}/rolebindings`,
    body: {
      metadata: { name: 'rt-anything' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: 'codex-runner', namespace: FREE }],
    },
  });
  stranger = await makeStranger();
  await until('the agent may do anything', async () => {
    const path = `/api/v1/namespaces/${FREE}/resourcequotas`;
    return (await as(FREE).act({ method: 'GET', path: path.replace('resourcequotas', 'secrets') })).status === 200;
  });
});

afterAll(async () => {
  const roles = '/apis/rbac.authorization.k8s.io/v1';
  await admin.act({ method: 'DELETE', path: `${roles}/clusterrolebindings/${STRANGER}` });
  await admin.act({ method: 'DELETE', path: `${roles}/clusterroles/${STRANGER}` });
  for (const namespace of [DEV, FREE, FOREIGN]) {
    await admin.act({ method: 'DELETE', path: `/api/v1/namespaces/${namespace}` });
  }
});

function as(namespace: string): Actor {
  const agent = agents.get(namespace);
  if (!agent) throw new Error(`nobody in ${namespace}`);
  return agent;
}

async function agentDoes(namespace: string, act: (typeof OUT_OF_REACH)[number]): Promise<Answer> {
  return as(namespace).act(inPlace(act, places.get(namespace) ?? {}));
}

async function makeStranger(): Promise<Actor> {
  const made = { metadata: { name: STRANGER } };
  const roles = '/apis/rbac.authorization.k8s.io/v1';
  const rules = [{ apiGroups: ['', 'apps', 'batch', 'networking.k8s.io'], resources: ['*'], verbs: ['*'] }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: STRANGER };
  const subjects = [{ kind: 'ServiceAccount', name: STRANGER, namespace: FOREIGN }];
  await admin.act({ method: 'POST', path: `/api/v1/namespaces/${FOREIGN}/serviceaccounts`, body: made });
  await admin.act({ method: 'POST', path: `${roles}/clusterroles`, body: { ...made, rules } });
  await admin.act({ method: 'POST', path: `${roles}/clusterrolebindings`, body: { ...made, roleRef, subjects } });
  const account = await accountOf(admin, FOREIGN, STRANGER);
  await until('the stranger has its power', async () =>
    accepted(await account.act({ method: 'GET', path: '/api/v1/nodes' })),
  );
  return account;
}

/** A run that works: its Job unsuspended, its pod there. */
async function startRun(namespace: string): Promise<Record<string, string>> {
  const objects = runJob(job);
  const made = await worker.act({
    method: 'POST',
    path: `/apis/batch/v1/namespaces/${namespace}/jobs?fieldManager=codex-k8s`,
    body: objects.job,
  });
  expect(made).toMatchObject({ status: 201 });
  const token = await worker.act({
    method: 'PATCH',
    path: `/api/v1/namespaces/${namespace}/secrets/${job}?fieldManager=codex-k8s`,
    patch: APPLY,
    body: objects.token,
  });
  expect(token).toMatchObject({ status: 201 });
  const path = `/apis/batch/v1/namespaces/${namespace}/jobs/${job}`;
  expect(await worker.act({ method: 'PATCH', path, body: { spec: { suspend: false } } })).toMatchObject({
    status: 200,
  });
  let pod = '';
  await until(
    'the run has a pod that runs',
    async () => {
      const pods = await worker.act({
        method: 'GET',
        path: `/api/v1/namespaces/${namespace}/pods?labelSelector=batch.kubernetes.io/job-name=${job}`,
      });
      const found = pods.object.items?.[0];
      pod = found?.metadata?.name ?? '';
      return (found?.['status'] as { phase?: string } | undefined)?.phase === 'Running';
    },
    180,
  );
  return { namespace, job, pod, jobUid: made.object.metadata?.uid ?? '', foreign: FOREIGN };
}

test('no policy has a word that its types do not know', async () => {
  const path = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies';
  const policies = async (): Promise<Answer['object'][]> =>
    ((await admin.act({ method: 'GET', path })).object.items ?? []).filter(({ metadata }) =>
      metadata?.name?.startsWith('codex-k8s-'),
    );
  await until('all are checked', async () => (await policies()).every((policy) => policy['status'] !== undefined));
  const warnings = (await policies()).map((policy) => [
    policy.metadata?.name,
    (policy['status'] as { typeChecking?: { expressionWarnings?: unknown[] } }).typeChecking?.expressionWarnings ?? [],
  ]);
  expect(Object.fromEntries(warnings)).toEqual({
    'codex-k8s-exposure': [],
    'codex-k8s-images': [],
    'codex-k8s-namespaces': [],
    'codex-k8s-platform-objects': [],
    'codex-k8s-pods': [],
    'codex-k8s-removal': [],
    'codex-k8s-run-streams': [],
    'codex-k8s-volumes': [],
    'codex-k8s-worker': [],
  });
});

describe('T48: a developer agent', () => {
  describe.each([DEV, FREE])('in %s', (namespace) => {
    test.each(HONEST_ACTS)('does its work: $does', async (act) => {
      expect(await agentDoes(namespace, act)).toSatisfy(accepted);
    });

    test('runs a command in its own pod', async () => {
      const path = `/api/v1/namespaces/${namespace}/pods/own`;
      await until(
        'the pod runs',
        async () => {
          const { object } = await as(namespace).act({ method: 'GET', path });
          return (object['status'] as { phase?: string } | undefined)?.phase === 'Running';
        },
        180,
      );
      expect(await execIn(namespace, 'own')).toContain('uid=1000');
    });

    test('gets the pods of its Deployment', async () => {
      const path = `/apis/apps/v1/namespaces/${namespace}/deployments/own`;
      await until(
        'both run',
        async () => {
          const { object } = await as(namespace).act({ method: 'GET', path });
          return (object['status'] as { readyReplicas?: number } | undefined)?.readyReplicas === 2;
        },
        180,
      );
    });

    test('reads the log of the run', async () => {
      const path = `/api/v1/namespaces/${namespace}/pods/${places.get(namespace)?.['pod']}/log`;
      expect(await as(namespace).act({ method: 'GET', path })).toMatchObject({ status: 200 });
    });
  });

  test.each(HOSTILE_ACTS)('is refused: $does', async (act) => {
    const because = /ValidatingAdmissionPolicy|cannot \w+ resource|violates PodSecurity|service account/;
    expect(await agentDoes(DEV, act)).toMatchObject(refused(because));
  });

  test.each(HOSTILE_ACTS)('whose Role allows everything is refused by a policy: $does', async (act) => {
    expect(await agentDoes(FREE, act)).toMatchObject(refused(act.refusal));
  });

  test('is refused a pod that is too large to look at', async () => {
    const variable = { name: 'V', valueFrom: { secretKeyRef: { name: 'later', key: 'token', optional: true } } };
    const harmless = Array.from({ length: 20_000 }, (_, at) => ({ name: `V${at}`, value: '' }));
    const spec = podSpec();
    const containers = spec['containers'] as { env?: object[] }[];
    const large = { ...spec, containers: [{ ...containers[0], env: [...harmless, variable] }] };
    const body = { metadata: { name: 'large' }, spec: large };
    const answer = await as(DEV).act({ method: 'POST', path: `/api/v1/namespaces/${DEV}/pods`, body });
    expect(answer).toMatchObject({ message: expect.stringContaining('ValidatingAdmissionPolicy') as string });
    expect(answer).not.toSatisfy(accepted);
  });

  test.each(OUT_OF_REACH)('has no permission for this at all: $does', async (act) => {
    expect(await agentDoes(DEV, act)).toMatchObject(refused(/cannot \w+ resource/));
  });

  test.each([DEV, FREE])('has left the fences of %s as they were', async (namespace) => {
    for (const path of [
      `/api/v1/namespaces/${namespace}/resourcequotas/codex-run-quota`,
      `/api/v1/namespaces/${namespace}/limitranges/codex-run-limits`,
      `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies/codex-run-network`,
      `/api/v1/namespaces/${namespace}/secrets/${job}`,
      `/apis/batch/v1/namespaces/${namespace}/jobs/${job}`,
    ]) {
      expect(await admin.act({ method: 'GET', path })).toSatisfy(accepted);
    }
  });
});

describe('the worker', () => {
  const foreign = namespaceOf(FOREIGN, 'dev', 'full-env');
  const workspaceOf = (name: string, change: (namespace: Marked) => void): Record<string, unknown> => {
    const namespace = marksOf(name);
    change(namespace);
    return namespace;
  };

  test.each<[string, Parameters<Actor['act']>[0], string]>([
    [
      'puts its labels on a foreign namespace',
      { method: 'PATCH', path: `/api/v1/namespaces/${FOREIGN}`, body: foreign },
      'only namespaces that it made',
    ],
    [
      'applies a workspace over a foreign namespace',
      {
        method: 'PATCH',
        path: `/api/v1/namespaces/${FOREIGN}?fieldManager=codex-k8s&force=true`,
        patch: APPLY,
        body: foreign,
      },
      'only namespaces that it made',
    ],
    [
      'deletes a foreign namespace',
      { method: 'DELETE', path: `/api/v1/namespaces/${FOREIGN}` },
      'only namespaces that it made',
    ],
    [
      'deletes the platform',
      { method: 'DELETE', path: '/api/v1/namespaces/codex-k8s' },
      'only namespaces that it made',
    ],
    [
      'makes a Job in a foreign namespace',
      { method: 'POST', path: `/apis/batch/v1/namespaces/${FOREIGN}/jobs`, body: runJob(job).job },
      'in workspaces only',
    ],
    [
      'makes a Job in the platform',
      { method: 'POST', path: '/apis/batch/v1/namespaces/codex-k8s/jobs', body: runJob(job).job },
      'in workspaces only',
    ],
    [
      'grants something in a foreign namespace',
      {
        method: 'POST',
        path: `/apis/rbac.authorization.k8s.io/v1/namespaces/${FOREIGN}/roles`,
        body: { metadata: { name: 'codex-runner' }, rules: [] },
      },
      'in workspaces only',
    ],
    [
      'reads a Secret by changing nothing in it',
      { method: 'PATCH', path: `/api/v1/namespaces/${FOREIGN}/secrets/theirs`, body: {} },
      'in workspaces only',
    ],
    [
      'reads a Secret of the project in the same way',
      { method: 'PATCH', path: `/api/v1/namespaces/${DEV}/secrets/project-database`, body: {} },
      'are named codex-k8s-run-',
    ],
    [
      'makes a Secret of the project its own',
      {
        method: 'PATCH',
        path: `/api/v1/namespaces/${DEV}/secrets/project-database`,
        body: { metadata: { labels: { 'codex-k8s.dev/secret-purpose': 'project' } } },
      },
      'are named codex-k8s-run-',
    ],
    [
      'writes a Secret of the project into a foreign namespace',
      {
        method: 'POST',
        path: `/api/v1/namespaces/${FOREIGN}/secrets`,
        body: { metadata: { name: 'token', labels: { 'codex-k8s.dev/secret-purpose': 'project' } } },
      },
      'in workspaces only',
    ],
    [
      'deletes a pod in a foreign namespace',
      { method: 'DELETE', path: `/api/v1/namespaces/${FOREIGN}/pods/theirs` },
      'in workspaces only',
    ],
    [
      'opens a stream into a foreign pod',
      { method: 'GET', path: `/api/v1/namespaces/${FOREIGN}/pods/theirs/exec?command=id&stdout=true` },
      'in workspaces only',
    ],
    [
      'opens a stream into a run',
      { method: 'GET', path: `/api/v1/namespaces/${DEV}/pods/${job}-x/exec?command=id&stdout=true` },
      'ValidatingAdmissionPolicy',
    ],
    [
      'makes a pod',
      { method: 'POST', path: `/api/v1/namespaces/${DEV}/pods`, body: { metadata: { name: 'x' }, spec: podSpec() } },
      'and nothing else',
    ],
    [
      'makes a Job that is no run',
      { method: 'POST', path: `/apis/batch/v1/namespaces/${DEV}/jobs`, body: { ...runJob('x').job } },
      'ValidatingAdmissionPolicy',
    ],
    [
      'makes a run that mounts another Secret',
      {
        method: 'POST',
        path: `/apis/batch/v1/namespaces/${DEV}/jobs`,
        body: runJob('codex-k8s-run-x', { volumes: [{ name: 'v', secret: { secretName: job } }] }).job,
      },
      'mount no Secret',
    ],
    [
      'makes a run with a directory of the node',
      {
        method: 'POST',
        path: `/apis/batch/v1/namespaces/${DEV}/jobs`,
        body: runJob('codex-k8s-run-x', { volumes: [{ name: 'v', hostPath: { path: '/' } }] }).job,
      },
      'use volumes of the kinds',
    ],
    [
      'makes a namespace without its marks',
      { method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: `rt-bare-${id}` } } },
      'a workspace carries the labels',
    ],
    [
      'makes one without an owner',
      {
        method: 'POST',
        path: '/api/v1/namespaces',
        body: workspaceOf(`rt-bare-${id}`, ({ metadata }) => delete metadata.annotations['codex-k8s.dev/owner']),
      },
      'a workspace carries the labels',
    ],
    [
      'makes one without pod security',
      {
        method: 'POST',
        path: '/api/v1/namespaces',
        body: workspaceOf(
          `rt-bare-${id}`,
          ({ metadata }) => delete metadata.labels['pod-security.kubernetes.io/enforce'],
        ),
      },
      'enforces the pod security standard',
    ],
    [
      'takes the pod security of a workspace away',
      {
        method: 'PATCH',
        path: `/api/v1/namespaces/${DEV}`,
        body: { metadata: { labels: { 'pod-security.kubernetes.io/enforce': null } } },
      },
      'enforces the pod security standard',
    ],
    [
      'pins pod security to an old version',
      {
        method: 'PATCH',
        path: `/api/v1/namespaces/${DEV}`,
        body: { metadata: { labels: { 'pod-security.kubernetes.io/enforce-version': 'v1.20' } } },
      },
      'enforces the pod security standard',
    ],
    [
      'gives a workspace to another issue',
      {
        method: 'PATCH',
        path: `/api/v1/namespaces/${DEV}`,
        body: { metadata: { annotations: { 'codex-k8s.dev/owner': 'issue:2#2' } } },
      },
      'keeps its owner',
    ],
    [
      'lets go of a workspace',
      {
        method: 'PATCH',
        path: `/api/v1/namespaces/${DEV}`,
        body: { metadata: { labels: { 'codex-k8s.dev/managed-by': null } } },
      },
      'a workspace carries the labels',
    ],
    [
      'grants what it does not hold',
      {
        method: 'PATCH',
        path: `/apis/rbac.authorization.k8s.io/v1/namespaces/${DEV}/roles/codex-runner`,
        body: { rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }] },
      },
      'is attempting to grant RBAC permissions not currently held',
    ],
    [
      'lets a stranger into a workspace',
      {
        method: 'PATCH',
        path: `/apis/rbac.authorization.k8s.io/v1/namespaces/${DEV}/rolebindings/codex-runner`,
        body: { subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:unauthenticated' }] },
      },
      'to nobody else',
    ],
    [
      'makes a second network policy',
      {
        method: 'POST',
        path: `/apis/networking.k8s.io/v1/namespaces/${DEV}/networkpolicies`,
        body: { metadata: { name: 'open' }, spec: { podSelector: {}, egress: [{}] } },
      },
      'one of each kind',
    ],
    [
      'asks for a token of an agent',
      { method: 'POST', path: `/api/v1/namespaces/${DEV}/serviceaccounts/codex-runner/token`, body: { spec: {} } },
      'cannot create resource "serviceaccounts/token"',
    ],
    [
      'reads a Secret',
      { method: 'GET', path: `/api/v1/namespaces/${DEV}/secrets/${job}` },
      'cannot get resource "secrets"',
    ],
  ])('is refused when it %s', async (_does, act, refusal) => {
    await admin.act({
      method: 'POST',
      path: `/api/v1/namespaces/${FOREIGN}/secrets`,
      body: { metadata: { name: 'theirs' }, stringData: { key: 'theirs' } },
    });
    await admin.act({
      method: 'POST',
      path: `/api/v1/namespaces/${DEV}/secrets`,
      body: { metadata: { name: 'project-database' }, stringData: { key: 'theirs' } },
    });
    await admin.act({
      method: 'POST',
      path: `/api/v1/namespaces/${FOREIGN}/pods`,
      body: { metadata: { name: 'theirs' }, spec: podSpec() },
    });
    expect(await worker.act(act)).toMatchObject(refused(refusal));
  });

  test('leaves a foreign namespace that has the right name as it is', async () => {
    const { object } = await admin.act({ method: 'GET', path: `/api/v1/namespaces/${FOREIGN}` });
    expect(object.metadata).toMatchObject({ labels: { 'kubernetes.io/metadata.name': FOREIGN } });
    expect(Object.keys((object.metadata as { labels: object }).labels)).toEqual(['kubernetes.io/metadata.name']);
  });

  test('moves the deadline of a workspace, changes its Role, ends a run and deletes what it made', async () => {
    const name = `rt-own-${id}`;
    const own = `codex-k8s-run-${randomUUID()}-1`;
    await workspace(worker, name, 'dev', 'full-env');
    await workspace(worker, name, 'qa', 'full-env');
    const acts: Parameters<Actor['act']>[0][] = [
      {
        method: 'PATCH',
        path: `/api/v1/namespaces/${name}`,
        body: { metadata: { annotations: { 'codex-k8s.dev/expires-at': '2030-01-01T00:00:00Z' } } },
      },
      { method: 'POST', path: `/apis/batch/v1/namespaces/${name}/jobs`, body: runJob(own).job },
      { method: 'POST', path: `/api/v1/namespaces/${name}/secrets`, body: runJob(own).token },
      { method: 'DELETE', path: `/apis/batch/v1/namespaces/${name}/jobs/${own}?propagationPolicy=Foreground` },
      { method: 'DELETE', path: `/api/v1/namespaces/${name}/secrets/${own}` },
      { method: 'DELETE', path: `/api/v1/namespaces/${name}` },
    ];
    for (const act of acts) {
      expect(await worker.act(act)).toSatisfy(accepted);
    }
    await until(
      'it is gone',
      async () => {
        return (await admin.act({ method: 'GET', path: `/api/v1/namespaces/${name}` })).status === 404;
      },
      240,
    );
  });
});

test('nobody else makes a workspace, not even an administrator', async () => {
  expect(
    await admin.act({
      method: 'POST',
      path: '/api/v1/namespaces',
      body: namespaceOf(`rt-forged-${id}`, 'dev', 'full-env'),
    }),
  ).toMatchObject(refused('only the worker writes codex-k8s.dev/ labels'));
});

describe('a stranger with power over the whole cluster', () => {
  const marks = { metadata: { labels: { 'codex-k8s.dev/managed-by': 'codex-k8s-worker' } } };
  const noMarks = { metadata: { labels: { 'codex-k8s.dev/managed-by': null } } };
  const workspace = '/api/v1/namespaces/{namespace}';

  test.each<[string, (typeof OUT_OF_REACH)[number]['method'], string, Record<string, unknown>, string]>([
    [
      'makes a workspace',
      'POST',
      '/api/v1/namespaces',
      namespaceOf(`rt-forged-${id}`, 'dev', 'full-env'),
      'only the worker',
    ],
    ['turns its namespace into one', 'PATCH', '/api/v1/namespaces/{foreign}', marks, 'only the worker'],
    ['does so by way of its status', 'PATCH', '/api/v1/namespaces/{foreign}/status', marks, 'only the worker'],
    ['takes the marks of a workspace away', 'PATCH', workspace, noMarks, 'only the worker'],
    ['does so by way of its status', 'PATCH', `${workspace}/status`, noMarks, 'codex-k8s.dev/ labels'],
    ['deletes a workspace', 'DELETE', workspace, {}, 'only the worker deletes'],
    ['deletes a run', 'DELETE', '/apis/batch/v1/namespaces/{namespace}/jobs/{job}', {}, 'belongs to the platform'],
    ['deletes a run pod', 'DELETE', `${workspace}/pods/{pod}`, {}, 'belongs to the platform'],
    [
      'runs a command in it',
      'POST',
      `${workspace}/pods/{pod}/exec?command=id&stdout=true`,
      {},
      "a run's pod is closed",
    ],
    [
      'opens the network',
      'POST',
      '/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies',
      { metadata: { name: 'open' }, spec: { podSelector: {}, egress: [{}] } },
      "are the platform's to write",
    ],
    [
      'asks for a token of an agent',
      'POST',
      `${workspace}/serviceaccounts/codex-runner/token`,
      { spec: {} },
      'belongs to the platform',
    ],
  ])('is refused when it %s', async (_does, method, path, body, refusal) => {
    const act = inPlace({ method, path, body }, places.get(DEV) ?? {});
    expect(await stranger.act(act)).toMatchObject(refused(refusal));
  });

  test.each<[string, (typeof OUT_OF_REACH)[number]['method'], string, Record<string, unknown>]>([
    [
      'gives the project a Secret',
      'POST',
      `${workspace}/secrets`,
      { metadata: { name: 'project-registry' }, stringData: { key: 'value' } },
    ],
    [
      'labels a workspace for its own ends',
      'PATCH',
      workspace,
      { metadata: { labels: { 'example.org/seen': 'yes' } } },
    ],
    ['empties a node', 'POST', `${workspace}/pods/{pod}/eviction?dryRun=All`, { metadata: { name: '{pod}' } }],
    [
      'notes the address of a run pod, as network plugins do',
      'PATCH',
      `${workspace}/pods/{pod}/status`,
      { metadata: { annotations: { 'cni.projectcalico.org/podIP': '10.0.0.1' } } },
    ],
  ])("may do what is not the platform's: it %s", async (_does, method, path, body) => {
    expect(await stranger.act(inPlace({ method, path, body }, places.get(DEV) ?? {}))).toSatisfy(accepted);
  });
});

interface Marked extends Record<string, unknown> {
  readonly metadata: { readonly labels: Record<string, string>; readonly annotations: Record<string, string> };
}

function marksOf(name: string): Marked {
  return structuredClone(namespaceOf(name, 'dev', 'full-env')) as Marked;
}

function accepted({ status }: Answer): boolean {
  return status === 200 || status === 201;
}

function refused(because: string | RegExp): object {
  const message: unknown =
    typeof because === 'string' ? expect.stringContaining(because) : expect.stringMatching(because);
  return { status: 403, message };
}

/** With the agent's own token, by the client that people and agents use. */
async function execIn(namespace: string, pod: string): Promise<string> {
  const user = as(namespace).config.getCurrentUser();
  const cluster = as(namespace).config.getCurrentCluster();
  const { stdout } = await promisify(execFile)('kubectl', [
    '--kubeconfig=/dev/null',
    `--server=${cluster?.server}`,
    '--insecure-skip-tls-verify',
    `--token=${user?.token}`,
    `--namespace=${namespace}`,
    'exec',
    pod,
    '--',
    'id',
  ]);
  return stdout;
}
