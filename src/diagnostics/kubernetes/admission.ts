/**
 * Whether the cluster refuses what it has to. Policies are looked up by name where the account may read them; requests that
 * must be refused are made as dry runs, so that nothing is left behind when they are not.
 */
import { failed, ok, unknown, type Answer } from '../check.ts';
import type { Cluster, ClusterAnswer } from './cluster.ts';
import { PLATFORM_NAMESPACE, WORKER_USER } from './manifests.ts';

const ADVICE = 'apply deploy/kubernetes/base as an administrator';
const REGISTRATION = '/apis/admissionregistration.k8s.io/v1';

/** Whether each policy and its binding are there. */
export async function admissionPoliciesInstalled(cluster: Cluster, names: readonly string[]): Promise<Answer> {
  const objects = names.flatMap((name) => [
    { name, path: `${REGISTRATION}/validatingadmissionpolicies/${name}` },
    { name: `the binding of ${name}`, path: `${REGISTRATION}/validatingadmissionpolicybindings/${name}` },
  ]);
  const answers = await Promise.all(objects.map(async ({ name, path }) => ({ name, ...(await cluster.get(path)) })));
  if (answers.some(({ code }) => code === 403))
    return unknown(
      'admission policies: the account may not read them',
      `an administrator sees ${names.length} with: kubectl get validatingadmissionpolicies`,
    );
  const missing = answers.filter(({ code }) => code !== 200).map(({ name }) => name);
  if (missing.length > 0) return failed(`admission policies: ${missing.join(', ')} missing`, ADVICE);
  return ok(`admission policies: all ${names.length} installed, with their bindings`);
}

/** Whether the worker's policies hold the worker: it may write in workspaces only. For the worker's account. */
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
    return failed(`admission policies: the worker may create ${what}; ${policy} does not hold it`, ADVICE);
  if (message.includes(`ValidatingAdmissionPolicy '${policy}'`))
    return ok(`admission policies: ${policy} refuses ${what}`);
  return unknown(`admission policies: ${what} was refused, and not by ${policy}: ${message || `HTTP ${code}`}`);
}

/** Whether Pod Security admission works: a privileged pod must be refused where the standard is `restricted`. */
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
  if (message.includes('violates PodSecurity')) return ok('Pod Security: a privileged pod is refused');
  if (code === 404) return failed(`Pod Security: there is no namespace ${PLATFORM_NAMESPACE}`, ADVICE);
  return unknown(`Pod Security: a privileged pod was refused by something else: ${message || `HTTP ${code}`}`);
}

/** The name under which the API server knows this account. */
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

/** Whether this is the account that the policies are written for. */
export function accountAnswer(account: string): Answer {
  if (account === WORKER_USER) return ok(`the account is ${account}`);
  return failed(
    `the account is ${account}`,
    `the policies hold the account ${WORKER_USER} only; give it to the worker (and to this command)`,
  );
}
