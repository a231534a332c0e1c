import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { permissionsOf, type PolicyRule, type RuntimeMode } from '../../src/domain/agent/permissions.ts';
import { ROLES, type Role } from '../../src/domain/stages/stages.ts';
import { accountOf, type Actor, administrator } from './support/actors.ts';
import { lose, type Platform, startPlatform } from './support/agents.ts';

const SCRIPT = readFileSync(new URL('support/access-reviews-in-pod.ts', import.meta.url), 'utf8');
const MODES: readonly RuntimeMode[] = ['full-env', 'code-only'];
const EVERYBODY = ROLES.flatMap(({ role }) => MODES.map((mode) => ({ role, mode })));

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

/** What support/access-reviews-in-pod.ts prints. */
interface Found {
  readonly allowed?: readonly number[];
  readonly outOfReach?: boolean;
}

interface Probe {
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
  /** Empty: the whole cluster. */
  readonly namespace: string;
}

/** What an agent of a workspace might ask for, inside and outside of it. */
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

let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(() => platform.end());

/** What an agent of a role finds, asking from inside its own pod: the positions of what is allowed, or that it cannot ask. */
async function askedInside(role: Role, mode: RuntimeMode): Promise<{ asked: Probe[]; found: Found }> {
  const issue = platform.issue({ role, mode });
  const asked = probes(issue.workspace);
  const runtime = platform.runtime({
    image: inject('agentImage'),
    command: ['node', '--input-type=module-typescript', '-e', SCRIPT, '--', JSON.stringify(asked)],
    limits: { cpu: '1', memory: '256Mi', ephemeralStorage: '64Mi' },
  });
  const { detail, log = '' } = await lose(runtime, issue);
  expect(detail).toBe('it ended with code 0 without a report');
  return { asked, found: JSON.parse(log) as Found };
}

const inWords = (probe: Probe): string => `${probe.verb} ${probe.group}/${probe.resource} in ${probe.namespace}`;

describe.concurrent('T48: the API server allows an agent in its pod exactly what the table says', () => {
  test.each(EVERYBODY.filter(({ role, mode }) => permissionsOf(role, mode).length > 0))(
    '$role in $mode',
    async ({ role, mode }) => {
      const { asked, found } = await askedInside(role, mode);
      const rules = permissionsOf(role, mode);
      const inside = asked[0]?.namespace;
      const expected = asked.filter((probe) => probe.namespace === inside && allows(rules, probe));
      expect(asked.filter((_, at) => found.allowed?.includes(at)).map(inWords)).toEqual(expected.map(inWords));
      expect(asked.length).toBeGreaterThan(300);
    },
  );

  test.each(EVERYBODY.filter(({ role, mode }) => permissionsOf(role, mode).length === 0))(
    'nothing: $role in $mode has no token, and does not reach it',
    async ({ role, mode }) => {
      const { found } = await askedInside(role, mode);
      expect(found).toEqual({ outOfReach: true });
    },
  );
});

test('the server has no permission at all', async () => {
  const admin = await administrator(inject('kubeconfig'));
  const server = await accountOf(admin, 'codex-k8s', 'codex-k8s-server');
  const asked = probes('codex-k8s');
  const answers = await Promise.all(asked.map((probe) => may(server, probe)));
  expect(asked.filter((_, at) => answers[at]).map(inWords)).toEqual([]);
});
