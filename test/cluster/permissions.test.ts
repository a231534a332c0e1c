import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { permissionsOf, type PolicyRule, type RuntimeMode } from '../../src/domain/permissions.ts';
import { ROLES } from '../../src/domain/stages.ts';
import { accountOf, type Actor, administrator, environment, until } from './support/actors.ts';

const kubeconfig = inject('kubeconfig') || process.env['KUBECONFIG'] || '';
const id = randomUUID().slice(0, 8);
const MODES: readonly RuntimeMode[] = ['full-env', 'code-only'];
const EVERYBODY = ROLES.flatMap(({ role }) =>
  MODES.map((mode) => ({ role, mode, namespace: `rt-${role}-${mode}-${id}` })),
);

const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];
const CORE = `configmaps endpoints events limitranges persistentvolumeclaims pods pods/attach pods/binding pods/ephemeralcontainers
  pods/eviction pods/exec pods/log pods/portforward pods/proxy pods/resize pods/status podtemplates replicationcontrollers
  resourcequotas secrets serviceaccounts serviceaccounts/token services services/proxy bindings`;
const GROUPS: readonly [group: string, resources: string][] = [
  ['', CORE],
  ['apps', 'controllerrevisions daemonsets deployments deployments/scale replicasets statefulsets statefulsets/scale'],
  ['autoscaling', 'horizontalpodautoscalers'],
  ['batch', 'cronjobs jobs jobs/status'],
  ['coordination.k8s.io', 'leases'],
  ['discovery.k8s.io', 'endpointslices'],
  ['events.k8s.io', 'events'],
  ['networking.k8s.io', 'ingresses networkpolicies'],
  ['policy', 'poddisruptionbudgets'],
  ['rbac.authorization.k8s.io', 'rolebindings roles'],
];

interface Probe {
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
  /** Empty: the whole cluster. */
  readonly namespace: string;
}

/** What an agent of an environment might ask for, inside and outside of it. */
function probes(namespace: string): Probe[] {
  const inside = GROUPS.flatMap(([group, resources]) =>
    resources.split(/\s+/).flatMap((resource) => VERBS.map((verb) => ({ group, resource, verb, namespace }))),
  );
  return [
    ...inside,
    { group: 'rbac.authorization.k8s.io', resource: 'roles', verb: 'escalate', namespace },
    { group: 'rbac.authorization.k8s.io', resource: 'roles', verb: 'bind', namespace },
    { group: '', resource: 'serviceaccounts', verb: 'impersonate', namespace },
    ...['default', 'kube-system', 'codex-k8s', ''].flatMap((elsewhere) =>
      ['pods', 'secrets', 'configmaps', 'pods/exec'].flatMap((resource) =>
        ['get', 'list', 'create'].map((verb) => ({ group: '', resource, verb, namespace: elsewhere })),
      ),
    ),
    ...['nodes', 'namespaces', 'persistentvolumes', 'nodes/proxy'].flatMap((resource) =>
      ['get', 'list', 'create', 'patch', 'delete'].map((verb) => ({ group: '', resource, verb, namespace: '' })),
    ),
  ];
}

function allows(rules: readonly PolicyRule[], { group, resource, verb }: Probe): boolean {
  return rules.some(
    (rule) => rule.apiGroups.includes(group) && rule.resources.includes(resource) && rule.verbs.includes(verb),
  );
}

async function may(agent: Actor, { group, resource, verb, namespace }: Probe): Promise<boolean> {
  const [name, subresource] = resource.split('/');
  const { object } = await agent.act({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: { spec: { resourceAttributes: { group, resource: name, subresource, verb, namespace } } },
  });
  return (object['status'] as { allowed: boolean }).allowed;
}

const agents = new Map<string, Actor>();
let admin: Actor;

beforeAll(async () => {
  admin = await administrator(kubeconfig);
  const worker = await accountOf(admin, 'codex-k8s', 'codex-k8s-worker');
  for (const { role, mode, namespace } of EVERYBODY) {
    await environment(worker, namespace, role, mode);
    agents.set(namespace, await accountOf(admin, namespace, 'codex-runner'));
  }
  const last = EVERYBODY.findLast(({ role, mode }) => permissionsOf(role, mode).length > 0);
  const agent = agents.get(last?.namespace ?? '');
  await until('the Roles are in force', async () => {
    const probe = { group: '', resource: 'pods', verb: 'list', namespace: last?.namespace ?? '' };
    return agent !== undefined && (await may(agent, probe));
  });
}, 120_000);

afterAll(async () => {
  for (const { namespace } of EVERYBODY) {
    await admin.act({ method: 'DELETE', path: `/api/v1/namespaces/${namespace}` });
  }
});

describe('the API server allows an agent exactly what the table says', () => {
  test.each(EVERYBODY)('$role in $mode', async ({ role, mode, namespace }) => {
    const agent = agents.get(namespace);
    if (!agent) throw new Error(`nobody in ${namespace}`);
    const rules = permissionsOf(role, mode);
    const asked = probes(namespace);
    const answers: boolean[] = [];
    for (let from = 0; from < asked.length; from += 20) {
      answers.push(...(await Promise.all(asked.slice(from, from + 20).map((probe) => may(agent, probe)))));
    }
    const inWords = (probe: Probe): string => `${probe.verb} ${probe.group}/${probe.resource} in ${probe.namespace}`;
    const expected = asked.filter((probe) => probe.namespace === namespace && allows(rules, probe));
    expect(asked.filter((_, at) => answers[at]).map(inWords)).toEqual(expected.map(inWords));
    expect(asked.length).toBeGreaterThan(300);
  });
});

test('the server has no permission at all', async () => {
  const server = await accountOf(admin, 'codex-k8s', 'codex-k8s-server');
  const asked = probes('codex-k8s');
  const answers = await Promise.all(asked.map((probe) => may(server, probe)));
  expect(asked.filter((_, at) => answers[at])).toEqual([]);
});
