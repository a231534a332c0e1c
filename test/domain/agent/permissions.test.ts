import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import {
  grantedToAgents,
  needsToken,
  permissionsOf,
  type PolicyRule,
  type RuntimeMode,
} from '../../../src/domain/agent/permissions.ts';
import { ROLES, type Role } from '../../../src/domain/stages/stages.ts';

const MODES: readonly RuntimeMode[] = ['full-env', 'code-only'];
const EVERYBODY = ROLES.flatMap(({ role }) => MODES.map((mode) => ({ role, mode })));
const WRITES = ['create', 'update', 'patch', 'delete', 'deletecollection'];

/** Every `group/resource verb` that rules allow. */
function allowed(rules: readonly PolicyRule[]): string[] {
  const all = rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => `${group}/${resource} ${verb}`))),
  );
  return [...new Set(all)].toSorted();
}

/** What each role has; what nobody has stands below. */
const NOTHING: readonly Role[] = ['pm', 'km'];
const READERS: readonly Role[] = ['sa', 'em', 'reviewer', 'sre'];

describe('the permissions of an agent', () => {
  test.each(ROLES)('$role has none in code-only, and no token', ({ role }) => {
    expect(permissionsOf(role, 'code-only')).toEqual([]);
    expect(needsToken(role, 'code-only')).toBe(false);
  });

  test.each(NOTHING)('%s has none at all, and no token', (role) => {
    expect(permissionsOf(role, 'full-env')).toEqual([]);
    expect(needsToken(role, 'full-env')).toBe(false);
  });

  test.each(READERS)('%s looks and changes nothing', (role) => {
    const rules = allowed(permissionsOf(role, 'full-env'));
    expect(rules.filter((rule) => !/ (get|list|watch)$/.test(rule))).toEqual([]);
    expect(rules).toContain('/pods/log get');
    expect(rules).toContain('/events list');
    expect(rules).toContain('apps/deployments watch');
    expect(needsToken(role, 'full-env')).toBe(true);
  });

  test.each(READERS)('%s opens no stream into a pod, by GET neither', (role) => {
    expect(
      allowed(permissionsOf(role, 'full-env')).filter((rule) => /exec|attach|portforward|proxy/.test(rule)),
    ).toEqual([]);
  });

  test('dev builds and runs the project', () => {
    const rules = allowed(permissionsOf('dev', 'full-env'));
    for (const resource of [
      '/pods',
      '/services',
      '/configmaps',
      '/persistentvolumeclaims',
      'apps/deployments',
      'apps/statefulsets',
      'autoscaling/horizontalpodautoscalers',
      'batch/jobs',
      'batch/cronjobs',
      'networking.k8s.io/ingresses',
    ]) {
      for (const verb of ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete']) {
        expect(rules).toContain(`${resource} ${verb}`);
      }
    }
    expect(rules).toContain('/pods/exec create');
    expect(rules).toContain('/pods/portforward get');
  });

  test('qa runs tests as Jobs, and changes nothing of what it tests', () => {
    const changes = allowed(permissionsOf('qa', 'full-env')).filter((rule) => !/ (get|list|watch)$/.test(rule));
    expect([...new Set(changes.map((rule) => rule.split(' ')[0]))]).toEqual([
      '/configmaps',
      '/pods/portforward',
      'batch/jobs',
    ]);
  });
});

describe.each(EVERYBODY)('no rule for $role in $mode', ({ role, mode }) => {
  const rules = permissionsOf(role, mode);
  const granted = allowed(rules);
  const of = (...names: string[]): string[] => granted.filter((rule) => names.includes(rule.split(' ')[0] ?? ''));

  test('has a wildcard', () => {
    const words = rules.flatMap(({ apiGroups, resources, verbs }) => [...apiGroups, ...resources, ...verbs]);
    expect(words.filter((word) => word.includes('*'))).toEqual([]);
  });

  test('speaks of Secrets or tokens', () => {
    expect(of('/secrets', '/serviceaccounts/token')).toEqual([]);
  });

  test('speaks of RBAC', () => {
    expect(granted.filter((rule) => rule.startsWith('rbac.authorization.k8s.io/'))).toEqual([]);
    expect(granted.filter((rule) => /^\S+ (escalate|bind|impersonate)$/.test(rule))).toEqual([]);
  });

  test('writes to a fence, an account or an address', () => {
    const fences = of(
      '/resourcequotas',
      '/limitranges',
      '/serviceaccounts',
      '/endpoints',
      'discovery.k8s.io/endpointslices',
      'networking.k8s.io/networkpolicies',
    );
    expect(fences.filter((rule) => WRITES.some((verb) => rule.endsWith(` ${verb}`)))).toEqual([]);
  });

  test('reaches into a pod by a way that is not needed', () => {
    expect(of('/pods/ephemeralcontainers', '/pods/attach', '/pods/eviction', '/pods/binding', '/bindings')).toEqual([]);
    expect(granted.filter((rule) => /\/proxy |\/status |\/finalizers /.test(rule))).toEqual([]);
  });

  test('reaches beyond the namespace', () => {
    const groups = new Set(rules.flatMap(({ apiGroups }) => apiGroups));
    expect([...groups].filter((group) => !NAMESPACED_GROUPS.has(group))).toEqual([]);
    expect(of('/nodes', '/namespaces', '/persistentvolumes', 'networking.k8s.io/ingressclasses')).toEqual([]);
  });

  test('deletes whole collections, or has a verb that is not a plain one', () => {
    const verbs = new Set(rules.flatMap((rule) => rule.verbs));
    expect([...verbs].filter((verb) => !PLAIN_VERBS.has(verb))).toEqual([]);
  });
});

const NAMESPACED_GROUPS = new Set([
  '',
  'apps',
  'autoscaling',
  'batch',
  'discovery.k8s.io',
  'events.k8s.io',
  'networking.k8s.io',
]);
const PLAIN_VERBS = new Set(['get', 'list', 'watch', 'create', 'update', 'patch', 'delete']);

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly rules?: readonly PolicyRule[];
}

describe('the ClusterRoles of the worker', () => {
  const text = readFileSync(new URL('../../../deploy/kubernetes/base/platform-rbac.yaml', import.meta.url), 'utf8');
  const manifests = parseAllDocuments(text).map((document) => document.toJS() as Manifest);
  const rulesOf = (name: string): readonly PolicyRule[] =>
    manifests.find(({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === name)?.rules ?? [];

  test('hold what agents are granted, all of it and nothing more', () => {
    const granted = EVERYBODY.flatMap(({ role, mode }) => allowed(permissionsOf(role, mode)));
    expect(allowed(rulesOf('codex-k8s-agent-permissions'))).toEqual([...new Set(granted)].toSorted());
    expect(allowed(grantedToAgents())).toEqual([...new Set(granted)].toSorted());
  });

  test('allow what the worker does, word for word', () => {
    const verbs = new Map<string, string[]>();
    for (const { apiGroups, resources, verbs: mayDo } of rulesOf('codex-k8s-worker')) {
      for (const resource of resources) verbs.set(`${apiGroups[0]}/${resource}`, mayDo.toSorted());
    }
    expect(Object.fromEntries(verbs)).toEqual({
      '/namespaces': ['create', 'delete', 'get', 'list', 'patch'],
      '/limitranges': ['create', 'patch'],
      '/resourcequotas': ['create', 'patch'],
      '/serviceaccounts': ['create', 'patch'],
      'networking.k8s.io/networkpolicies': ['create', 'patch'],
      'rbac.authorization.k8s.io/rolebindings': ['create', 'patch'],
      'rbac.authorization.k8s.io/roles': ['create', 'patch'],
      '/secrets': ['create', 'delete', 'patch'],
      'batch/jobs': ['create', 'delete', 'get', 'list', 'patch', 'watch'],
      '/pods': ['list', 'watch'],
      '/pods/log': ['get'],
      '/events': ['list'],
      'discovery.k8s.io/endpointslices': ['get'],
    });
  });
});
