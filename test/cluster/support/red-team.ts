/**
 * What a hostile agent tries in its workspace, as data (docs/reliability.md T48). `{namespace}`, `{job}`, `{pod}` and `{foreign}`
 * stand for the workspace, its run's Job and pod, and a namespace that is not the platform's.
 */
import { inject } from 'vitest';

export type Json = Record<string, unknown>;

export interface Act {
  readonly does: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: Json | readonly Json[];
  /** Of a PATCH; a merge patch unless it says otherwise. */
  readonly patch?: 'application/json-patch+json' | 'application/apply-patch+yaml';
}

/** An act that must be refused, and by what: an admission policy, whatever the agent's Role says, or RBAC alone. */
export interface HostileAct extends Act {
  readonly refusal: string;
}

const NAMESPACED = '/api/v1/namespaces/{namespace}';
const APPS = '/apis/apps/v1/namespaces/{namespace}';
const BATCH = '/apis/batch/v1/namespaces/{namespace}';
const NETWORKING = '/apis/networking.k8s.io/v1/namespaces/{namespace}';
const RBAC = '/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}';

export const OURS = { 'codex-k8s.dev/managed-by': 'codex-k8s-worker' };

const ACCOUNT = 'use no service account';
const TOKEN = 'gets no service account token';
const MOUNT = 'mount no Secret';
const PROJECT = 'project no Secret';
const FROM_A_SECRET = 'take no environment variable from a Secret';
const PULL = 'pull images with no Secret';
const KINDS = 'use volumes of the kinds';
const NODE = 'share nothing with the node';
/** More than one policy says no; whichever is heard first. */
const REFUSED = 'ValidatingAdmissionPolicy';
const STANDARD = 'violates PodSecurity';
const ANNOTATED = 'a pod is annotated for';
const MARKS = 'codex-k8s.dev/ labels and annotations belong to the platform';
const TIES = 'the labels that tie a pod to its Job';
const NAME = 'this name belongs to the platform';
const FENCES = "are the platform's to write";
const STREAM = "a run's pod is closed";
const HOSTS = 'every host of an Ingress';
const VOLUME = 'names and selects no volume';
const FINALIZER = 'sets no finalizers';

const FRESH = 'set imagePullPolicy to Always';
const IMAGE = 'use none but the images of the allow-list';

/** A registry of the tests' allow-list; nobody is there. */
const REGISTRY = 'registry.test/team';
const DIGEST = `@sha256:${'0123456789abcdef'.repeat(4)}`;

/** What every file of tests allows in the cluster that they share. */
export const ALLOWED_IMAGES = {
  images: [inject('agentImage'), inject('busyboxImage')].filter((name) => name !== ''),
  registries: [REGISTRY],
};

/** A container that the pod security standard `restricted` lets through. */
const CONTAINER = {
  name: 'main',
  image: inject('busyboxImage') || 'local/busybox:1',
  command: ['sleep', '600'],
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
};

/** A pod's spec that nobody objects to, with changes. */
export function podSpec(changes: Json = {}): Json {
  return {
    containers: [CONTAINER],
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    terminationGracePeriodSeconds: 0,
    ...changes,
  };
}

const inContainer = (changes: Json): Json => podSpec({ containers: [{ ...CONTAINER, ...changes }] });
const withVolume = (volume: Json): Json => podSpec({ volumes: [{ name: 'v', ...volume }] });
const template = (spec: Json, metadata: Json = {}): Json => ({
  metadata: { labels: { app: 'mine' }, ...metadata },
  spec,
});
const selector = { matchLabels: { app: 'mine' } };
export const named = (name: string, rest: Json, metadata: Json = {}): Json => ({
  metadata: { name, ...metadata },
  ...rest,
});

const pod = (does: string, spec: Json, refusal: string, metadata: Json = {}): HostileAct => ({
  does,
  method: 'POST',
  path: `${NAMESPACED}/pods`,
  body: named('act', { spec }, metadata),
  refusal,
});
const deployment = (does: string, spec: Json, refusal: string, metadata: Json = {}): HostileAct => ({
  does,
  method: 'POST',
  path: `${APPS}/deployments`,
  body: named('act', { spec: { selector, template: template(spec, metadata) } }),
  refusal,
});
const create = (does: string, path: string, body: Json, refusal: string): HostileAct => ({
  does,
  method: 'POST',
  path,
  body,
  refusal,
});
const merge = (does: string, path: string, body: Json, refusal: string): HostileAct => ({
  does,
  method: 'PATCH',
  path,
  body,
  refusal,
});
const remove = (does: string, path: string, refusal: string): HostileAct => ({ does, method: 'DELETE', path, refusal });

const tokenMount = withVolume({ secret: { secretName: '{job}' } });

/** To get at the run's token. */
const SECRETS: readonly HostileAct[] = [
  pod('a pod that mounts the run token', tokenMount, MOUNT),
  pod('a pod that projects it', withVolume({ projected: { sources: [{ secret: { name: '{job}' } }] } }), PROJECT),
  pod('a pod with envFrom it', inContainer({ envFrom: [{ secretRef: { name: '{job}' } }] }), FROM_A_SECRET),
  pod(
    'a pod with a variable from it',
    inContainer({ env: [{ name: 'T', valueFrom: { secretKeyRef: { name: '{job}', key: 'token' } } }] }),
    FROM_A_SECRET,
  ),
  pod(
    'an init container with envFrom it',
    podSpec({ initContainers: [{ ...CONTAINER, name: 'i', envFrom: [{ secretRef: { name: '{job}' } }] }] }),
    FROM_A_SECRET,
  ),
  pod('a pod that pulls images with it', podSpec({ imagePullSecrets: [{ name: '{job}' }] }), PULL),
  pod(
    'a pod whose optional mount waits for a Secret to come',
    withVolume({ secret: { secretName: 'later', optional: true } }),
    MOUNT,
  ),
  pod('a CSI volume', withVolume({ csi: { driver: 'secrets-store.csi.k8s.io', readOnly: true } }), KINDS),
  pod(
    'a CSI volume that hands a driver the run token',
    withVolume({ csi: { driver: 'x', nodePublishSecretRef: { name: '{job}' } } }),
    KINDS,
  ),
  deployment('a Deployment with an NFS volume', withVolume({ nfs: { server: '10.0.0.1', path: '/' } }), KINDS),
  pod(
    'a trust bundle projected',
    withVolume({ projected: { sources: [{ clusterTrustBundle: { name: 'x', path: 'ca' } }] } }),
    'project nothing but',
  ),
  deployment('a Deployment whose template mounts the run token', tokenMount, MOUNT),
  create(
    'a StatefulSet whose template mounts it',
    `${APPS}/statefulsets`,
    named('act', { spec: { serviceName: 'x', selector, template: template(tokenMount) } }),
    MOUNT,
  ),
  create(
    'a DaemonSet whose template mounts it',
    `${APPS}/daemonsets`,
    named('act', { spec: { selector, template: template(tokenMount) } }),
    MOUNT,
  ),
  create(
    'a ReplicaSet whose template mounts it',
    `${APPS}/replicasets`,
    named('act', { spec: { selector, template: template(tokenMount) } }),
    MOUNT,
  ),
  create(
    'a ReplicationController whose template mounts it',
    `${NAMESPACED}/replicationcontrollers`,
    named('act', { spec: { selector: { app: 'mine' }, template: template(tokenMount) } }),
    MOUNT,
  ),
  create(
    'a PodTemplate that mounts it',
    `${NAMESPACED}/podtemplates`,
    named('act', { template: template(tokenMount) }),
    MOUNT,
  ),
  create(
    'a Job whose template mounts it',
    `${BATCH}/jobs`,
    named('act', { spec: { template: template({ ...tokenMount, restartPolicy: 'Never' }) } }),
    MOUNT,
  ),
  create(
    'a CronJob whose template mounts it',
    `${BATCH}/cronjobs`,
    named('act', {
      spec: {
        schedule: '* * * * *',
        jobTemplate: { spec: { template: template({ ...tokenMount, restartPolicy: 'Never' }) } },
      },
    }),
    MOUNT,
  ),
  {
    does: 'a Deployment that mounts it, by server-side apply',
    method: 'PATCH',
    path: `${APPS}/deployments/act?fieldManager=kubectl&force=true`,
    patch: 'application/apply-patch+yaml',
    body: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      ...named('act', { spec: { selector, template: template(tokenMount) } }),
    },
    refusal: MOUNT,
  },
  merge(
    'its own Deployment changed to mount it',
    `${APPS}/deployments/own`,
    { spec: { template: { spec: { volumes: [{ name: 'v', secret: { secretName: '{job}' } }] } } } },
    MOUNT,
  ),
  create(
    'an Ingress that serves with it',
    `${NETWORKING}/ingresses`,
    named('act', {
      spec: {
        tls: [{ hosts: ['{namespace}.example.org'], secretName: '{job}' }],
        rules: [{ host: '{namespace}.example.org' }],
      },
    }),
    'an Ingress uses no Secret',
  ),
  create(
    'a Secret that asks for a token of the account',
    `${NAMESPACED}/secrets`,
    named(
      'act',
      { type: 'kubernetes.io/service-account-token' },
      { annotations: { 'kubernetes.io/service-account.name': 'codex-runner' } },
    ),
    'an agent writes no Secret',
  ),
  merge('the run token replaced', `${NAMESPACED}/secrets/{job}`, { stringData: { token: 'mine' } }, NAME),
  remove('the run token deleted', `${NAMESPACED}/secrets/{job}`, NAME),
];

/** To be somebody else, or to make others take it for the platform. */
const IDENTITY: readonly HostileAct[] = [
  pod('a pod with the run account', podSpec({ serviceAccountName: 'codex-runner' }), ACCOUNT),
  pod('the same by the old field', podSpec({ serviceAccount: 'codex-runner' }), ACCOUNT),
  pod('a pod with any other account', podSpec({ serviceAccountName: 'builder' }), 'service account'),
  pod('a pod with a token of the default account', podSpec({ automountServiceAccountToken: true }), TOKEN),
  pod(
    'a token projected for another audience',
    withVolume({ projected: { sources: [{ serviceAccountToken: { path: 't', audience: 'vault' } }] } }),
    TOKEN,
  ),
  pod(
    'a forged run pod',
    podSpec({ serviceAccountName: 'codex-runner', volumes: [{ name: 'v', secret: { secretName: '{job}' } }] }),
    REFUSED,
    {
      name: '{job}-forge',
      labels: { ...OURS, 'codex-k8s.dev/run-id': 'x' },
      ownerReferences: [
        {
          apiVersion: 'batch/v1',
          kind: 'Job',
          name: '{job}',
          uid: '00000000-0000-0000-0000-000000000001',
          controller: true,
        },
      ],
    },
  ),
  pod('a pod that owns up to the run Job only', podSpec(), TIES, {
    labels: { 'batch.kubernetes.io/job-name': '{job}', 'job-name': '{job}' },
  }),
  pod('a pod that the run Job would adopt', podSpec(), TIES, {
    labels: { 'batch.kubernetes.io/controller-uid': '{jobUid}' },
  }),
  merge(
    'its own pod relabelled for adoption',
    `${NAMESPACED}/pods/own`,
    { metadata: { labels: { 'batch.kubernetes.io/controller-uid': '{jobUid}' } } },
    TIES,
  ),
  merge(
    'its own pod relabelled for adoption by way of its status',
    `${NAMESPACED}/pods/own/status`,
    { metadata: { labels: { 'batch.kubernetes.io/controller-uid': '{jobUid}' } } },
    'a status or an eviction',
  ),
  pod('a pod that is owned by the run Job', podSpec(), 'a run owns nothing but', {
    ownerReferences: [
      { apiVersion: 'batch/v1', kind: 'Job', name: '{job}', uid: '{jobUid}', blockOwnerDeletion: true },
    ],
  }),
  create(
    'a ConfigMap that holds up the end of the run Job',
    `${NAMESPACED}/configmaps`,
    named(
      'act',
      {},
      {
        ownerReferences: [
          { apiVersion: 'batch/v1', kind: 'Job', name: '{job}', uid: '{jobUid}', blockOwnerDeletion: true },
        ],
      },
    ),
    'a run owns nothing but',
  ),
  pod('a pod with a generated reserved name', podSpec(), NAME, { name: undefined, generateName: 'codex-k8s-run-' }),
  pod('a pod with a run label', podSpec(), MARKS, { labels: { 'codex-k8s.dev/run-id': 'x' } }),
  merge(
    'a run label put on its own pod',
    `${NAMESPACED}/pods/own`,
    { metadata: { labels: { 'codex-k8s.dev/run-id': 'x' } } },
    MARKS,
  ),
  deployment('a Deployment that labels its pods so', podSpec(), MARKS, {
    labels: { app: 'mine', 'codex-k8s.dev/run-id': 'x' },
  }),
  deployment(
    'a Deployment whose pods have the run account',
    podSpec({ serviceAccountName: 'codex-runner', automountServiceAccountToken: true }),
    ACCOUNT,
  ),
  deployment('a Deployment whose pods mount a token', podSpec({ automountServiceAccountToken: true }), TOKEN),
  create(
    'a Job with the run account',
    `${BATCH}/jobs`,
    named('act', {
      spec: { template: template(podSpec({ serviceAccountName: 'codex-runner', restartPolicy: 'Never' })) },
    }),
    ACCOUNT,
  ),
  create(
    'a CronJob with the run account',
    `${BATCH}/cronjobs`,
    named('act', {
      spec: {
        schedule: '* * * * *',
        jobTemplate: {
          spec: { template: template(podSpec({ serviceAccountName: 'codex-runner', restartPolicy: 'Never' })) },
        },
      },
    }),
    ACCOUNT,
  ),
  create(
    'a Job with the name of a run',
    `${BATCH}/jobs`,
    named('codex-k8s-run-x', {
      spec: { template: template(podSpec({ serviceAccountName: 'codex-runner', restartPolicy: 'Never' })) },
    }),
    NAME,
  ),
  create(
    'a Job with a generated name of a run',
    `${BATCH}/jobs`,
    {
      metadata: { generateName: 'codex-k8s-run-' },
      spec: { template: template(podSpec({ serviceAccountName: 'codex-runner', restartPolicy: 'Never' })) },
    },
    NAME,
  ),
  create(
    'a CronJob whose Jobs would have the name of a run',
    `${BATCH}/cronjobs`,
    named('codex-k8s-run-x', {
      spec: {
        schedule: '* * * * *',
        jobTemplate: { spec: { template: template(podSpec({ restartPolicy: 'Never' })) } },
      },
    }),
    NAME,
  ),
  create(
    'a CronJob whose Jobs get that name from their controller',
    `${BATCH}/cronjobs`,
    named('codex-k8s-run', {
      spec: {
        schedule: '* * * * *',
        jobTemplate: { spec: { template: template(podSpec({ restartPolicy: 'Never' })) } },
      },
    }),
    NAME,
  ),
  create(
    'a StatefulSet whose pods get the name of a run from their controller',
    `${APPS}/statefulsets`,
    named('codex-k8s-run', { spec: { serviceName: 'x', selector, template: template(podSpec()) } }),
    NAME,
  ),
  create(
    'a Job that selects the pods of the run',
    `${BATCH}/jobs`,
    named('act', {
      spec: {
        manualSelector: true,
        selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': '{jobUid}' } },
        template: template(podSpec({ restartPolicy: 'Never' }), {
          labels: { 'batch.kubernetes.io/controller-uid': '{jobUid}' },
        }),
      },
    }),
    TIES,
  ),
  create(
    'a ReplicaSet whose pods the run Job would adopt',
    `${APPS}/replicasets`,
    named('act', {
      spec: {
        selector,
        template: template(podSpec(), { labels: { app: 'mine', 'batch.kubernetes.io/controller-uid': '{jobUid}' } }),
      },
    }),
    TIES,
  ),
  create('a token of the run account', `${NAMESPACED}/serviceaccounts/codex-runner/token`, { spec: {} }, NAME),
  create('a token of the default account', `${NAMESPACED}/serviceaccounts/default/token`, { spec: {} }, ''),
  create('an account of its own', `${NAMESPACED}/serviceaccounts`, named('act', {}), FENCES),
  merge(
    'the default account given its token back',
    `${NAMESPACED}/serviceaccounts/default`,
    { automountServiceAccountToken: true },
    MARKS,
  ),
  create(
    'a Role of its own',
    `${RBAC}/roles`,
    named('act', { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] }),
    FENCES,
  ),
  merge(
    'its Role widened',
    `${RBAC}/roles/codex-runner`,
    { rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }] },
    NAME,
  ),
  create(
    'a RoleBinding to admin',
    `${RBAC}/rolebindings`,
    named('act', {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'admin' },
      subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: '{namespace}' }],
    }),
    FENCES,
  ),
];

/** To reach into the run, or to end it. */
const RUN: readonly HostileAct[] = [
  {
    does: 'a command in the run pod, by GET',
    method: 'GET',
    path: `${NAMESPACED}/pods/{pod}/exec?command=id&stdout=true`,
    refusal: STREAM,
  },
  create('a command in the run pod, by POST', `${NAMESPACED}/pods/{pod}/exec?command=id&stdout=true`, {}, STREAM),
  create('the run pod attached to', `${NAMESPACED}/pods/{pod}/attach?stdout=true`, {}, STREAM),
  create('a port of the run pod forwarded', `${NAMESPACED}/pods/{pod}/portforward?ports=80`, {}, STREAM),
  { does: 'the run pod through a proxy', method: 'GET', path: `${NAMESPACED}/pods/{pod}/proxy/`, refusal: STREAM },
  {
    does: 'a Service through a proxy',
    method: 'GET',
    path: `${NAMESPACED}/services/own/proxy/`,
    refusal: 'no proxy into a workspace',
  },
  {
    does: 'an ephemeral container in the run pod',
    method: 'PATCH',
    path: `${NAMESPACED}/pods/{pod}/ephemeralcontainers`,
    body: { spec: { ephemeralContainers: [{ ...CONTAINER, name: 'e', targetContainerName: 'main' }] } },
    refusal: NAME,
  },
  {
    does: 'an ephemeral container in its own pod',
    method: 'PATCH',
    path: `${NAMESPACED}/pods/own/ephemeralcontainers`,
    body: { spec: { ephemeralContainers: [{ ...CONTAINER, name: 'e' }] } },
    refusal: 'add no ephemeral containers',
  },
  remove('the run pod deleted', `${NAMESPACED}/pods/{pod}`, NAME),
  create(
    'the run pod evicted',
    `${NAMESPACED}/pods/{pod}/eviction`,
    { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: '{pod}' } },
    NAME,
  ),
  merge('the run pod relabelled', `${NAMESPACED}/pods/{pod}`, { metadata: { labels: { a: 'b' } } }, NAME),
  {
    does: 'the image of the run pod changed',
    method: 'PATCH',
    path: `${NAMESPACED}/pods/{pod}`,
    patch: 'application/json-patch+json',
    body: [{ op: 'replace', path: '/spec/containers/0/image', value: 'evil' }],
    refusal: NAME,
  },
  {
    does: 'the run pod given more memory',
    method: 'PATCH',
    path: `${NAMESPACED}/pods/{pod}/resize`,
    body: { spec: { containers: [{ ...CONTAINER, resources: { requests: { memory: '64Mi' } } }] } },
    refusal: NAME,
  },
  merge(
    'the run pod said to have succeeded',
    `${NAMESPACED}/pods/{pod}/status`,
    { status: { phase: 'Succeeded' } },
    NAME,
  ),
  remove('the run Job deleted', `${BATCH}/jobs/{job}`, NAME),
  remove('all Jobs deleted at once', `${BATCH}/jobs`, NAME),
  merge('the run Job made endless', `${BATCH}/jobs/{job}`, { spec: { activeDeadlineSeconds: 999999999 } }, NAME),
  merge('the run Job suspended', `${BATCH}/jobs/{job}`, { spec: { suspend: true } }, NAME),
  merge('the run Job said to be done', `${BATCH}/jobs/{job}/status`, { status: { succeeded: 1 } }, NAME),
];

/** To get out of its limits, or to stay when its time is over. */
const LIMITS: readonly HostileAct[] = [
  remove('the quota deleted', `${NAMESPACED}/resourcequotas/codex-run-quota`, NAME),
  merge('the quota raised', `${NAMESPACED}/resourcequotas/codex-run-quota`, { spec: { hard: { pods: '1000' } } }, NAME),
  remove('all quotas deleted at once', `${NAMESPACED}/resourcequotas`, NAME),
  remove('the limits deleted', `${NAMESPACED}/limitranges/codex-run-limits`, NAME),
  remove('the network policy deleted', `${NETWORKING}/networkpolicies/codex-run-network`, NAME),
  create(
    'a network policy that lets everything out',
    `${NETWORKING}/networkpolicies`,
    named('act', { spec: { podSelector: {}, policyTypes: ['Egress'], egress: [{}] } }),
    FENCES,
  ),
  merge(
    'the labels of its namespace taken away',
    '/api/v1/namespaces/{namespace}',
    { metadata: { labels: { 'codex-k8s.dev/managed-by': null } } },
    'only the worker writes codex-k8s.dev/ labels',
  ),
  merge(
    'pod security of its namespace lowered',
    '/api/v1/namespaces/{namespace}',
    { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } } },
    'only the worker writes codex-k8s.dev/ labels',
  ),
  merge(
    'a Secret released to itself',
    '/api/v1/namespaces/{namespace}',
    { metadata: { annotations: { 'codex-k8s.dev/mountable-secrets': '{job}' } } },
    'only the worker writes codex-k8s.dev/ labels',
  ),
  merge(
    'the labels of its namespace taken away by way of its status',
    '/api/v1/namespaces/{namespace}/status',
    { metadata: { labels: { 'codex-k8s.dev/managed-by': null } } },
    'codex-k8s.dev/ labels',
  ),
  remove('its namespace deleted', '/api/v1/namespaces/{namespace}', 'only the worker deletes a workspace'),
  pod('a pod kept by a finalizer', podSpec(), FINALIZER, { finalizers: ['example.org/never'] }),
  create(
    'a ConfigMap kept by a finalizer',
    `${NAMESPACED}/configmaps`,
    named('act', {}, { finalizers: ['example.org/never'] }),
    FINALIZER,
  ),
  merge(
    'a finalizer put on its own pod',
    `${NAMESPACED}/pods/own`,
    { metadata: { finalizers: ['example.org/never'] } },
    FINALIZER,
  ),
  deployment('a Deployment whose pods are kept by a finalizer', podSpec(), 'a pod template has no finalizers', {
    finalizers: ['example.org/never'],
  }),
  {
    does: 'a pod given a year to end by an eviction',
    method: 'POST',
    path: `${NAMESPACED}/pods/own/eviction`,
    body: {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: 'own' },
      deleteOptions: { gracePeriodSeconds: 31536000 },
    },
    refusal: 'a status or an eviction',
  },
  {
    does: 'a pod given a year to end when it is deleted',
    method: 'DELETE',
    path: `${NAMESPACED}/pods/own?gracePeriodSeconds=31536000`,
    refusal: 'lower gracePeriodSeconds',
  },
  {
    does: 'the same by the body of the request',
    method: 'DELETE',
    path: `${NAMESPACED}/pods/own`,
    body: { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 31536000 },
    refusal: 'lower gracePeriodSeconds',
  },
  pod('a pod that takes a year to end', podSpec({ terminationGracePeriodSeconds: 31536000 }), 'end within 300 seconds'),
  pod(
    'a pod that pushes others aside',
    podSpec({ priorityClassName: 'system-cluster-critical' }),
    'push no other pod aside',
  ),
  deployment(
    'a Deployment that does',
    podSpec({ priorityClassName: 'system-node-critical' }),
    'push no other pod aside',
  ),
];

/** To get out of its namespace. */
const ESCAPE: readonly HostileAct[] = [
  pod('a directory of the node', withVolume({ hostPath: { path: '/' } }), STANDARD),
  deployment('a Deployment with a directory of the node', withVolume({ hostPath: { path: '/' } }), KINDS),
  pod('the network of the node', podSpec({ hostNetwork: true }), STANDARD),
  deployment('a Deployment with the network of the node', podSpec({ hostNetwork: true }), NODE),
  deployment('a Deployment with the processes of the node', podSpec({ hostPID: true }), NODE),
  deployment('a Deployment with the memory of the node', podSpec({ hostIPC: true }), NODE),
  pod('a port of the node', inContainer({ ports: [{ containerPort: 80, hostPort: 8080 }] }), STANDARD),
  deployment(
    'a Deployment with a port of the node',
    inContainer({ ports: [{ containerPort: 80, hostPort: 80 }] }),
    NODE,
  ),
  pod('a privileged container', inContainer({ securityContext: { privileged: true } }), STANDARD),
  deployment(
    'a probe by which the node asks the metadata service',
    inContainer({ livenessProbe: { httpGet: { host: '169.254.169.254', port: 80 } } }),
    'reach their own pod only',
  ),
  deployment(
    'a hook by which the node asks the API server',
    inContainer({ lifecycle: { postStart: { httpGet: { host: '10.96.0.1', port: 443, scheme: 'HTTPS' } } } }),
    'reach their own pod only',
  ),
  deployment(
    'an init container whose probe tries ports',
    podSpec({
      initContainers: [
        {
          ...CONTAINER,
          name: 'i',
          restartPolicy: 'Always',
          startupProbe: { tcpSocket: { host: '10.88.0.1', port: 2379 } },
        },
      ],
    }),
    'reach their own pod only',
  ),
  deployment(
    'a claim hidden in a pod, for the volume of another',
    withVolume({
      ephemeral: {
        volumeClaimTemplate: {
          spec: {
            volumeName: 'pv-of-another',
            accessModes: ['ReadWriteOnce'],
            resources: { requests: { storage: '1Gi' } },
          },
        },
      },
    }),
    KINDS,
  ),
  {
    does: 'every taint tolerated by its own pod, later',
    method: 'PATCH',
    path: `${NAMESPACED}/pods/own`,
    patch: 'application/json-patch+json',
    body: [{ op: 'add', path: '/spec/tolerations/-', value: { operator: 'Exists' } }],
    refusal: 'tolerate no taint',
  },
  create(
    'an Ingress whose path is a piece of configuration',
    `${NETWORKING}/ingresses`,
    named('act', {
      spec: {
        rules: [
          {
            host: '{namespace}.example.org',
            http: {
              paths: [
                {
                  path: '/a { return 200; } location /b',
                  pathType: 'ImplementationSpecific',
                  backend: { service: { name: 'own', port: { number: 80 } } },
                },
              ],
            },
          },
        ],
      },
    }),
    'a path of an Ingress',
  ),
  create(
    'an Ingress that hides another host in its certificates',
    `${NETWORKING}/ingresses`,
    named('act', { spec: { tls: [{ hosts: ['console.example.org'] }], rules: [{ host: '{namespace}.example.org' }] } }),
    HOSTS,
  ),
  {
    does: 'its own Ingress turned to another host',
    method: 'PATCH',
    path: `${NETWORKING}/ingresses/own`,
    patch: 'application/json-patch+json',
    body: [{ op: 'replace', path: '/spec/rules/0/host', value: 'console.example.org' }],
    refusal: HOSTS,
  },
  pod('a second network', podSpec(), ANNOTATED, { annotations: { 'k8s.v1.cni.cncf.io/networks': 'host' } }),
  deployment('a role of the cloud for its pods', podSpec(), ANNOTATED, {
    labels: { app: 'mine' },
    annotations: { 'iam.amazonaws.com/role': 'admin' },
  }),
  merge(
    'an order to a network plugin put on its own pod',
    `${NAMESPACED}/pods/own`,
    { metadata: { annotations: { 'cni.projectcalico.org/podIP': '10.0.0.1' } } },
    ANNOTATED,
  ),
  pod('a node of its choice', podSpec({ nodeName: 'node1' }), 'leave the choice of a node'),
  pod('every taint tolerated', podSpec({ tolerations: [{ operator: 'Exists' }] }), 'tolerate no taint'),
  deployment(
    'the control plane as a place to run',
    podSpec({ tolerations: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' }] }),
    'tolerate no taint',
  ),
  create(
    'a Service that takes an address of others',
    `${NAMESPACED}/services`,
    named('act', { spec: { ports: [{ port: 443 }], externalIPs: ['10.96.0.1'] } }),
    'has no externalIPs',
  ),
  create(
    'a Service on every node',
    `${NAMESPACED}/services`,
    named('act', { spec: { type: 'NodePort', ports: [{ port: 80 }] } }),
    'is of type ClusterIP',
  ),
  create(
    'a Service with an address of the provider',
    `${NAMESPACED}/services`,
    named('act', { spec: { type: 'LoadBalancer', ports: [{ port: 80 }] } }),
    'is of type ClusterIP',
  ),
  create(
    'a Service that is another host',
    `${NAMESPACED}/services`,
    named('act', { spec: { type: 'ExternalName', externalName: 'codex-k8s-server.codex-k8s.svc' } }),
    'is of type ClusterIP',
  ),
  merge(
    'its own Service opened to the world',
    `${NAMESPACED}/services/own`,
    { spec: { type: 'NodePort' } },
    'is of type ClusterIP',
  ),
  create(
    'a Service that orders a load balancer about',
    `${NAMESPACED}/services`,
    named(
      'act',
      { spec: { ports: [{ port: 80 }] } },
      { annotations: { 'external-dns.alpha.kubernetes.io/hostname': 'a.b' } },
    ),
    'are annotated for',
  ),
  create(
    'an Ingress for the host of another',
    `${NETWORKING}/ingresses`,
    named('act', { spec: { rules: [{ host: 'console.example.org' }] } }),
    HOSTS,
  ),
  create(
    'an Ingress for every host',
    `${NETWORKING}/ingresses`,
    named('act', {
      spec: {
        rules: [
          {
            http: {
              paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'own', port: { number: 80 } } } }],
            },
          },
        ],
      },
    }),
    HOSTS,
  ),
  create(
    'an Ingress for what nobody else takes',
    `${NETWORKING}/ingresses`,
    named('act', { spec: { defaultBackend: { service: { name: 'own', port: { number: 80 } } } } }),
    'has no default backend',
  ),
  create(
    'an Ingress with a piece of configuration',
    `${NETWORKING}/ingresses`,
    named(
      'act',
      { spec: { rules: [{ host: '{namespace}.example.org' }] } },
      { annotations: { 'nginx.ingress.kubernetes.io/configuration-snippet': 'x' } },
    ),
    'are annotated for',
  ),
  create(
    'a volume that another left',
    `${NAMESPACED}/persistentvolumeclaims`,
    named('act', {
      spec: {
        volumeName: 'pv-of-another',
        storageClassName: 'standard',
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Gi' } },
      },
    }),
    VOLUME,
  ),
  merge(
    'its own claim pointed at the volume of another',
    `${NAMESPACED}/persistentvolumeclaims/own`,
    { spec: { volumeName: 'pv-of-another' } },
    VOLUME,
  ),
  create(
    'any volume without a class',
    `${NAMESPACED}/persistentvolumeclaims`,
    named('act', {
      spec: { storageClassName: '', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    }),
    'a claim has a storage class',
  ),
  create(
    'a StatefulSet that claims the volume of another',
    `${APPS}/statefulsets`,
    named('act', {
      spec: {
        serviceName: 'x',
        selector,
        template: template(podSpec()),
        volumeClaimTemplates: [
          named('v', {
            spec: {
              volumeName: 'pv-of-another',
              accessModes: ['ReadWriteOnce'],
              resources: { requests: { storage: '1Gi' } },
            },
          }),
        ],
      },
    }),
    VOLUME,
  ),
  create(
    'a StatefulSet whose claims are kept by a finalizer',
    `${APPS}/statefulsets`,
    named('act', {
      spec: {
        serviceName: 'x',
        selector,
        template: template(podSpec()),
        volumeClaimTemplates: [
          named(
            'v',
            { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
            { finalizers: ['example.org/never'] },
          ),
        ],
      },
    }),
    'a claim has no finalizers',
  ),
  create(
    'addresses of its choice behind a Service',
    `${NAMESPACED}/endpoints`,
    named('act', { subsets: [{ addresses: [{ ip: '10.88.0.1' }], ports: [{ port: 2379 }] }] }),
    FENCES,
  ),
  create(
    'the same by an EndpointSlice',
    '/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices',
    named('act', { addressType: 'IPv4', endpoints: [{ addresses: ['10.88.0.1'] }], ports: [{ port: 2379 }] }),
    FENCES,
  ),
  create(
    'a pod bound to a node by hand',
    `${NAMESPACED}/pods/own/binding`,
    { metadata: { name: 'own' }, target: { kind: 'Node', name: 'node1' } },
    FENCES,
  ),
  merge(
    'the certificate that pods trust replaced',
    `${NAMESPACED}/configmaps/kube-root-ca.crt`,
    { data: { 'ca.crt': 'mine' } },
    NAME,
  ),
];

/** A container of another image. */
const ofImage = (image: string, changes: Json = {}): Json =>
  inContainer({ image, imagePullPolicy: 'Always', ...changes });

/** To carry data out by the name of an image, or to use what others have pulled. */
const IMAGES: readonly HostileAct[] = [
  pod('a pod whose image carries data to a registry', ofImage('data.example.org/c2VjcmV0:1'), IMAGE),
  pod('a pod whose image carries data there by a digest', ofImage(`data.example.org/c2VjcmV0${DIGEST}`), IMAGE),
  pod('a pod of an image by its tag', ofImage(`${REGISTRY}/node:24`), IMAGE),
  pod('a pod of an image without a tag', ofImage(`${REGISTRY}/node`), IMAGE),
  pod('a pod of a registry with a longer name', ofImage(`${REGISTRY}-of-mine/node${DIGEST}`), IMAGE),
  pod('a pod of another folder of the registry', ofImage(`registry.test/other/node${DIGEST}`), IMAGE),
  pod('a pod of the agents’ image with another tag', ofImage('codex-k8s/agent:0'), IMAGE),
  pod('a pod of what others have pulled', ofImage(`${REGISTRY}/node${DIGEST}`, { imagePullPolicy: 'Never' }), FRESH),
  pod('a pod of what others have pulled, if it is there', inContainer({ image: `${REGISTRY}/node${DIGEST}` }), FRESH),
  pod(
    'an init container of another image',
    podSpec({ initContainers: [{ ...CONTAINER, name: 'i', image: 'data.example.org/c2VjcmV0:1' }] }),
    IMAGE,
  ),
  deployment('a Deployment of another image', ofImage('data.example.org/c2VjcmV0:1'), IMAGE),
  create(
    'a CronJob of another image',
    `${BATCH}/cronjobs`,
    named('act', {
      spec: {
        schedule: '* * * * *',
        jobTemplate: {
          spec: { template: template({ ...ofImage('data.example.org/c2VjcmV0:1'), restartPolicy: 'Never' }) },
        },
      },
    }),
    IMAGE,
  ),
  create(
    'a Job of another image',
    `${BATCH}/jobs`,
    named('act', {
      spec: { template: template({ ...ofImage('data.example.org/c2VjcmV0:1'), restartPolicy: 'Never' }) },
    }),
    IMAGE,
  ),
  {
    does: 'the image of its own pod changed',
    method: 'PATCH',
    path: `${NAMESPACED}/pods/own`,
    patch: 'application/json-patch+json',
    body: [{ op: 'replace', path: '/spec/containers/0/image', value: 'data.example.org/c2VjcmV0:1' }],
    refusal: IMAGE,
  },
];

/** Refused by policies, and by RBAC before that where the Role says nothing. */
export const HOSTILE_ACTS: readonly HostileAct[] = [...SECRETS, ...IDENTITY, ...RUN, ...LIMITS, ...ESCAPE, ...IMAGES];

/** Refused by RBAC: no rule of any Role says a word about these. */
export const OUT_OF_REACH: readonly Act[] = [
  { does: 'the run token read', method: 'GET', path: `${NAMESPACED}/secrets/{job}` },
  { does: 'all Secrets listed', method: 'GET', path: `${NAMESPACED}/secrets` },
  { does: 'Secrets of the platform listed', method: 'GET', path: '/api/v1/namespaces/codex-k8s/secrets' },
  { does: 'pods of another namespace listed', method: 'GET', path: '/api/v1/namespaces/{foreign}/pods' },
  {
    does: 'a command in a pod of another namespace',
    method: 'GET',
    path: '/api/v1/namespaces/{foreign}/pods/x/exec?command=id&stdout=true',
  },
  {
    does: 'a pod in another namespace',
    method: 'POST',
    path: '/api/v1/namespaces/{foreign}/pods',
    body: named('act', { spec: podSpec() }),
  },
  { does: 'namespaces listed', method: 'GET', path: '/api/v1/namespaces' },
  { does: 'nodes listed', method: 'GET', path: '/api/v1/nodes' },
  { does: 'the kubelet through a proxy', method: 'GET', path: '/api/v1/nodes/node1/proxy/pods' },
  { does: 'a namespace made', method: 'POST', path: '/api/v1/namespaces', body: named('act', {}) },
  {
    does: 'a policy deleted',
    method: 'DELETE',
    path: '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/codex-k8s-pods',
  },
  {
    does: 'a ClusterRoleBinding',
    method: 'POST',
    path: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
    body: named('act', {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    }),
  },
];

/** What a developer has to be able to do, in this order. */
export const HONEST_ACTS: readonly Act[] = [
  { does: 'a pod', method: 'POST', path: `${NAMESPACED}/pods`, body: named('own', { spec: podSpec() }) },
  {
    does: 'a pod of an image of the allow-list’s registry',
    method: 'POST',
    path: `${NAMESPACED}/pods`,
    body: named('of-the-registry', { spec: ofImage(`${REGISTRY}/node:24${DIGEST}`) }),
  },
  {
    does: 'a Deployment',
    method: 'POST',
    path: `${APPS}/deployments`,
    body: named('own', { spec: { selector, template: template(podSpec()) } }),
  },
  {
    does: 'the Deployment scaled',
    method: 'PATCH',
    path: `${APPS}/deployments/own/scale`,
    body: { spec: { replicas: 2 } },
  },
  {
    does: 'a StatefulSet with claims',
    method: 'POST',
    path: `${APPS}/statefulsets`,
    body: named('own', {
      spec: {
        serviceName: 'own',
        selector,
        template: template(podSpec()),
        volumeClaimTemplates: [
          named('v', {
            spec: {
              storageClassName: 'standard',
              accessModes: ['ReadWriteOnce'],
              resources: { requests: { storage: '1Gi' } },
            },
          }),
        ],
      },
    }),
  },
  {
    does: 'a Job',
    method: 'POST',
    path: `${BATCH}/jobs`,
    body: named('own', { spec: { template: template(podSpec({ restartPolicy: 'Never' })) } }),
  },
  {
    does: 'a CronJob',
    method: 'POST',
    path: `${BATCH}/cronjobs`,
    body: named('own', {
      spec: {
        schedule: '0 0 1 1 *',
        jobTemplate: { spec: { template: template(podSpec({ restartPolicy: 'Never' })) } },
      },
    }),
  },
  {
    does: 'a Service',
    method: 'POST',
    path: `${NAMESPACED}/services`,
    body: named('own', { spec: { ports: [{ port: 80 }], selector: { app: 'mine' } } }),
  },
  {
    does: 'an Ingress for its own host',
    method: 'POST',
    path: `${NETWORKING}/ingresses`,
    body: named('own', {
      spec: {
        rules: [
          {
            host: 'web.{namespace}.example.org',
            http: {
              paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'own', port: { number: 80 } } } }],
            },
          },
        ],
      },
    }),
  },
  { does: 'a ConfigMap', method: 'POST', path: `${NAMESPACED}/configmaps`, body: named('own', { data: { a: 'b' } }) },
  {
    does: 'a claim',
    method: 'POST',
    path: `${NAMESPACED}/persistentvolumeclaims`,
    body: named('own', {
      spec: {
        storageClassName: 'standard',
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Gi' } },
      },
    }),
  },
  {
    does: 'a pod that mounts what the project released',
    method: 'POST',
    path: `${NAMESPACED}/pods`,
    body: named('released', {
      spec: podSpec({
        volumes: [
          { name: 'v', secret: { secretName: 'project-registry', optional: true } },
          { name: 'w', projected: { sources: [{ secret: { name: 'project-database', optional: true } }] } },
          { name: 'e', emptyDir: {} },
        ],
        imagePullSecrets: [{ name: 'project-registry' }],
      }),
    }),
  },
  {
    does: 'its own pod labelled',
    method: 'PATCH',
    path: `${NAMESPACED}/pods/own`,
    body: { metadata: { labels: { a: 'b' } } },
  },
  { does: 'the pods seen', method: 'GET', path: `${NAMESPACED}/pods` },
  { does: 'the quota seen', method: 'GET', path: `${NAMESPACED}/resourcequotas/codex-run-quota` },
  { does: 'the Job deleted', method: 'DELETE', path: `${BATCH}/jobs/own?propagationPolicy=Background` },
];
