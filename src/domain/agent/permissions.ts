/**
 * An agent's permissions on the Kubernetes API in its own workspace, by its role. They become a Role in the workspace's
 * namespace; nothing reaches beyond it. What RBAC cannot express (which pods, which Jobs) is in the admission policies of
 * deploy/kubernetes/base.
 */
import type { Role, STAGES } from '../stages/stages.ts';

/** The size of an agent's workspace. */
export type RuntimeMode = (typeof STAGES)[number]['mode'];

/** A rule of a Kubernetes Role. */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const READ = ['get', 'list', 'watch'];
const WRITE = ['create', 'update', 'patch', 'delete'];
/** Kubernetes requires `get` to open a stream by WebSocket, and `create` to open it by POST. */
const OPEN = ['create', 'get'];

/** To see what runs and why it fails. No streams into containers, for which `get` would be enough. */
const DIAGNOSE: readonly PolicyRule[] = [
  {
    apiGroups: [''],
    resources: [
      'configmaps',
      'endpoints',
      'events',
      'limitranges',
      'persistentvolumeclaims',
      'pods',
      'replicationcontrollers',
      'resourcequotas',
      'services',
    ],
    verbs: READ,
  },
  { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
  { apiGroups: ['apps'], resources: ['daemonsets', 'deployments', 'replicasets', 'statefulsets'], verbs: READ },
  { apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers'], verbs: READ },
  { apiGroups: ['batch'], resources: ['cronjobs', 'jobs'], verbs: READ },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: READ },
  { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: READ },
  { apiGroups: ['networking.k8s.io'], resources: ['ingresses', 'networkpolicies'], verbs: READ },
];

/** To run tests as Jobs, and to reach what is tested. */
const TEST: readonly PolicyRule[] = [
  { apiGroups: [''], resources: ['configmaps'], verbs: WRITE },
  { apiGroups: [''], resources: ['pods/portforward'], verbs: OPEN },
  { apiGroups: ['batch'], resources: ['jobs'], verbs: WRITE },
];

/** To build and run the project's services. */
const WORK: readonly PolicyRule[] = [
  { apiGroups: [''], resources: ['configmaps', 'persistentvolumeclaims', 'pods', 'services'], verbs: WRITE },
  { apiGroups: [''], resources: ['pods/exec', 'pods/portforward'], verbs: OPEN },
  { apiGroups: ['apps'], resources: ['deployments', 'statefulsets'], verbs: WRITE },
  { apiGroups: ['apps'], resources: ['deployments/scale', 'statefulsets/scale'], verbs: ['get', 'update', 'patch'] },
  { apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers'], verbs: WRITE },
  { apiGroups: ['batch'], resources: ['cronjobs', 'jobs'], verbs: WRITE },
  { apiGroups: ['networking.k8s.io'], resources: ['ingresses'], verbs: WRITE },
];

/** In `full-env`. A site reliability engineer gets no write access until approvals exist. */
const FULL_ENV: Readonly<Record<Role, readonly PolicyRule[]>> = {
  pm: [],
  sa: DIAGNOSE,
  em: DIAGNOSE,
  dev: [...DIAGNOSE, ...WORK],
  reviewer: DIAGNOSE,
  qa: [...DIAGNOSE, ...TEST],
  sre: DIAGNOSE,
  km: [],
};

/** The rules of the agent's Role; none in `code-only`. */
export function permissionsOf(role: Role, mode: RuntimeMode): readonly PolicyRule[] {
  return mode === 'full-env' ? FULL_ENV[role] : [];
}

/** Whether an agent's pod gets its service account's token: only if the token permits anything (docs/reliability.md T48). */
export function needsToken(role: Role, mode: RuntimeMode): boolean {
  return permissionsOf(role, mode).length > 0;
}

/**
 * Everything that any agent is granted. Kubernetes lets nobody grant permissions that they do not have, so the worker has
 * these, and needs neither `bind` nor `escalate` (deploy/kubernetes/base/platform-rbac.yaml).
 */
export function grantedToAgents(): readonly PolicyRule[] {
  return [...DIAGNOSE, ...WORK, ...TEST];
}
