/** Checks the worker's permissions: everything in its roles, and no more. */
import pLimit from 'p-limit';
import { failed, ok, type Answer } from '../check.ts';
import type { Cluster } from './cluster.ts';
import type { PolicyRule } from './manifests.ts';

interface Permission {
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly verb: string;
}

/** Concurrent SelfSubjectAccessReviews. */
const AT_ONCE = 8;

/** Permissions that are listed by name; the others are counted. */
const SHOWN = 6;

const REVIEW = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

/** Checks each verb of each rule, in all namespaces. */
export async function lackingPermissions(cluster: Cluster, rules: readonly PolicyRule[]): Promise<Answer> {
  const wanted = distinct(rules.flatMap(permissionsOf));
  const limit = pLimit(AT_ONCE);
  const granted = await limit
    .map(wanted, async (permission) => may(cluster, permission))
    .finally(() => limit.clearQueue());
  const lacking = wanted.filter((_, index) => granted[index] !== true);
  if (lacking.length === 0) return ok(`permissions: all ${wanted.length} of the worker's roles`);
  const rest = lacking.length > SHOWN ? `, and ${lacking.length - SHOWN} more` : '';
  return failed(
    `permissions: ${lacking.length} of ${wanted.length} missing: ${lacking.slice(0, SHOWN).map(permissionText).join(', ')}${rest}`,
    'apply deploy/kubernetes/base, and use the account codex-k8s-worker',
  );
}

/** Permissions that the worker must not have, since it handles text that strangers wrote. */
const FORBIDDEN: readonly (readonly [string, Permission])[] = [
  ['is cluster-admin', { group: '*', resource: '*', subresource: '', verb: '*' }],
  ['may read secrets', { group: '', resource: 'secrets', subresource: '', verb: 'list' }],
  [
    'may bind roles that it does not hold',
    { group: 'rbac.authorization.k8s.io', resource: 'clusterroles', subresource: '', verb: 'bind' },
  ],
  [
    'may change the admission policies',
    {
      group: 'admissionregistration.k8s.io',
      resource: 'validatingadmissionpolicies',
      subresource: '',
      verb: 'delete',
    },
  ],
];

/** Checks that the account has none of the forbidden permissions. */
export async function excessPermissions(cluster: Cluster): Promise<Answer> {
  const found = await Promise.all(
    FORBIDDEN.map(async ([excess, permission]) => ((await may(cluster, permission)) ? [excess] : [])),
  );
  const excess = found.flat();
  if (excess.length === 0) return ok('permissions: no more than the worker needs');
  return failed(
    `permissions: the account ${excess.join(', ')}`,
    'give the worker the account codex-k8s-worker of deploy/kubernetes/base, and bind it to nothing else',
  );
}

async function may(cluster: Cluster, { group, resource, subresource, verb }: Permission): Promise<boolean> {
  const { code, body, message } = await cluster.post(REVIEW, {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: { group, resource, subresource, verb } },
  });
  if (code !== 201) throw new Error(`SelfSubjectAccessReview failed: ${message || `HTTP ${code}`}`);
  return (body as { status?: { allowed?: boolean } }).status?.allowed === true;
}

function permissionsOf({ apiGroups, resources, verbs }: PolicyRule): Permission[] {
  return apiGroups.flatMap((group) =>
    resources.flatMap((path) => {
      const [resource = '', subresource = ''] = path.split('/');
      return verbs.map((verb) => ({ group, resource, subresource, verb }));
    }),
  );
}

function distinct(permissions: readonly Permission[]): Permission[] {
  return [...new Map(permissions.map((permission) => [permissionText(permission), permission])).values()];
}

function permissionText({ group, resource, subresource, verb }: Permission): string {
  return `${verb} ${resource}${subresource && `/${subresource}`}${group && `.${group}`}`;
}
