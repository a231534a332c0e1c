/**
 * Checks that the cluster denies what it must. Policies are looked up by name where the account may read them. Requests that
 * must be denied are sent as dry runs, so that nothing is created if they are not.
 */
import { failed, ok, unknown, type Answer } from '../check.ts';
import type { Cluster, ClusterAnswer } from './cluster.ts';
import { PLATFORM_NAMESPACE, WORKER_USER } from './manifests.ts';

const ADVICE = 'apply deploy/kubernetes/base as an administrator';
const REGISTRATION = '/apis/admissionregistration.k8s.io/v1';

/** Checks that each policy and its binding exist. */
export async function admissionPoliciesInstalled(cluster: Cluster, names: readonly string[]): Promise<Answer> {
  const objects = names.flatMap((name) => [
    { name, path: `${REGISTRATION}/validatingadmissionpolicies/${name}` },
    { name: `the binding of ${name}`, path: `${REGISTRATION}/validatingadmissionpolicybindings/${name}` },
  ]);
  const answers = await Promise.all(objects.map(async ({ name, path }) => ({ name, ...(await cluster.get(path)) })));
  if (answers.some(({ code }) => code === 403))
    return unknown(
      'admission policies: the account is not allowed to read them',
      `an administrator should see ${names.length} with: kubectl get validatingadmissionpolicies`,
    );
  const missing = answers.filter(({ code }) => code !== 200).map(({ name }) => name);
  if (missing.length > 0) return failed(`admission policies: ${missing.join(', ')} missing`, ADVICE);
  return ok(`admission policies: all ${names.length} installed, with their bindings`);
}

/** Checks that the admission policies restrict the worker's account to writing in workspaces. */
export async function workerIsHeld(cluster: Cluster): Promise<Answer[]> {
  const [configMap, namespace] = await Promise.all([
    cluster.dryRun('/api/v1/namespaces/default/configmaps', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'codex-k8s-doctor' },
    }),
    cluster.dryRun('/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'codex-k8s-doctor' },
    }),
  ]);
  return [
    refusedBy('codex-k8s-worker', configMap, 'a ConfigMap in the namespace default'),
    refusedBy('codex-k8s-namespaces', namespace, 'a namespace without the labels of a workspace'),
  ];
}

function refusedBy(policy: string, { code, message }: ClusterAnswer, what: string): Answer {
  if (code < 300)
    return failed(`admission policies: the worker may create ${what}; ${policy} does not deny it`, ADVICE);
  if (message.includes(`ValidatingAdmissionPolicy '${policy}'`))
    return ok(`admission policies: ${policy} refuses ${what}`);
  return unknown(`admission policies: ${what} was denied, but not by ${policy}: ${message || `HTTP ${code}`}`);
}

/** Checks Pod Security admission: a privileged pod must be denied where the standard is `restricted`. */
export async function podSecurityWorks(cluster: Cluster): Promise<Answer> {
  const { code, message } = await cluster.dryRun(`/api/v1/namespaces/${PLATFORM_NAMESPACE}/pods`, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'codex-k8s-doctor' },
    spec: { containers: [{ name: 'doctor', image: 'none', securityContext: { privileged: true } }] },
  });
  if (code < 300)
    return failed(
      `Pod Security: a privileged pod may be created in ${PLATFORM_NAMESPACE}`,
      `enable the admission plugin PodSecurity, and apply deploy/kubernetes/base`,
    );
  if (message.includes('violates PodSecurity')) return ok('Pod Security: a privileged pod is denied');
  if (code === 404) return failed(`Pod Security: namespace ${PLATFORM_NAMESPACE} not found`, ADVICE);
  return unknown(`Pod Security: a privileged pod was denied by something else: ${message || `HTTP ${code}`}`);
}

/** The user name of this account at the API server. */
export async function accountName(cluster: Cluster): Promise<string> {
  const { body } = await cluster.post('/apis/authentication.k8s.io/v1/selfsubjectreviews', {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'SelfSubjectReview',
  });
  return (
    (body as { status?: { userInfo?: { username?: string } } } | undefined)?.status?.userInfo?.username ??
    'unknown to the API server'
  );
}

/** Checks that this is the account that the policies apply to. */
export function accountAnswer(account: string): Answer {
  if (account === WORKER_USER) return ok(`the account is ${account}`);
  return failed(
    `the account is ${account}`,
    `the policies apply to ${WORKER_USER} only; run the worker (and this command) as this account`,
  );
}
