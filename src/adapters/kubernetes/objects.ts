/** The Kubernetes objects of a workspace. */
import { createHash } from 'node:crypto';
import type {
  V1LimitRange,
  V1Namespace,
  V1NetworkPolicy,
  V1NetworkPolicyEgressRule,
  V1NetworkPolicyPeer,
  V1ResourceQuota,
  V1Role,
  V1RoleBinding,
  V1ServiceAccount,
} from '@kubernetes/client-node';
import { metadataIn } from '../../network/address-blocks.ts';
import { sizeRow, type WorkspaceUse, type SizeName } from '../../domain/workspace/workspaces.ts';
import { needsToken, permissionsOf } from '../../domain/agent/permissions.ts';
import { ANNOTATIONS, LABELS, labelValue, MANAGED_BY, OBJECTS, PURPOSE } from './names.ts';

/** Where pods of a workspace may connect to. */
export interface Egress {
  /** The platform's gateways: an address, or the namespace and labels of the server's pods. */
  readonly gateways: { readonly port: number } & (
    | { readonly address: string }
    | { readonly namespace: string; readonly podLabels: Readonly<Record<string, string>> }
  );
  /** Of the API server, for workspaces whose agent may use it. */
  readonly apiServers: readonly { readonly address: string; readonly port: number }[];
  /** CIDRs that the installation lists besides, for every project; TCP 80 and 443. */
  readonly listed: readonly string[];
}

/** A workspace, as it is to be. */
export interface WorkspacePlan {
  /** Of the namespace. */
  readonly namespace: string;
  /** For the workflow. */
  readonly workspace: string;
  /** The issue's key. */
  readonly owner: string;
  /** The run that is to begin in it. */
  readonly runId: string;
  readonly use: WorkspaceUse;
  /** At least what the run asks for: a workspace that is there keeps what it has. */
  readonly size: SizeName;
  readonly egress: Egress;
  /** Images and settings that, changed, make a workspace another one. */
  readonly image: string;
}

/** Grows when the objects below change so that a workspace that exists is better made anew. */
const TEMPLATE = 1;

/** Tells a workspace that a revise may use again from one that is made anew (docs/decisions.md, 10). */
export function fingerprintOf({ image, use }: Pick<WorkspacePlan, 'image' | 'use'>): string {
  return createHash('sha256')
    .update(JSON.stringify([TEMPLATE, image, use.project, ...(use.baseCommit === undefined ? [] : [use.baseCommit])]))
    .digest('hex')
    .slice(0, 32);
}

/** The namespace itself. */
export function namespaceObject(plan: WorkspacePlan, now: Date): V1Namespace {
  const { use } = plan;
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: plan.namespace,
      labels: {
        [LABELS.managedBy]: MANAGED_BY,
        [LABELS.purpose]: PURPOSE,
        [LABELS.mode]: use.mode,
        [LABELS.project]: labelValue(use.project),
        [LABELS.repositoryId]: String(use.repositoryId),
        [LABELS.issueNumber]: String(use.issueNumber),
        [LABELS.role]: use.role,
        [LABELS.runId]: plan.runId,
        [LABELS.workspace]: plan.workspace,
        'pod-security.kubernetes.io/enforce': 'restricted',
        'pod-security.kubernetes.io/enforce-version': 'latest',
      },
      annotations: {
        [ANNOTATIONS.owner]: plan.owner,
        [ANNOTATIONS.fingerprint]: fingerprintOf(plan),
        [ANNOTATIONS.size]: plan.size,
        ...(use.correlationId === undefined ? {} : { [ANNOTATIONS.correlationId]: use.correlationId }),
        ...(use.baseCommit === undefined ? {} : { [ANNOTATIONS.baseCommit]: use.baseCommit }),
        [ANNOTATIONS.leaseExpiresAt]: use.until,
        [ANNOTATIONS.leaseUpdatedAt]: now.toISOString(),
      },
    },
  };
}

/** All that is in the namespace before a Job is. */
export function objectsOf(
  plan: WorkspacePlan,
): readonly (V1ServiceAccount | V1Role | V1RoleBinding | V1NetworkPolicy | V1LimitRange | V1ResourceQuota)[] {
  return [
    serviceAccount(plan, OBJECTS.account),
    // Pods that name no account get this one: without a token.
    serviceAccount(plan, 'default'),
    role(plan),
    roleBinding(plan),
    networkPolicy(plan),
    limitRange(plan),
    quota(plan),
  ];
}

function metadata({ namespace }: WorkspacePlan, name: string) {
  return { name, namespace, labels: { [LABELS.managedBy]: MANAGED_BY } };
}

function serviceAccount(plan: WorkspacePlan, name: string): V1ServiceAccount {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: metadata(plan, name),
    automountServiceAccountToken: false,
  };
}

function role(plan: WorkspacePlan): V1Role {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: metadata(plan, OBJECTS.account),
    rules: permissionsOf(plan.use.role, plan.use.mode).map(({ apiGroups, resources, verbs }) => ({
      apiGroups: [...apiGroups],
      resources: [...resources],
      verbs: [...verbs],
    })),
  };
}

function roleBinding(plan: WorkspacePlan): V1RoleBinding {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: metadata(plan, OBJECTS.account),
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: OBJECTS.account },
    subjects: [{ kind: 'ServiceAccount', name: OBJECTS.account, namespace: plan.namespace }],
  };
}

function limitRange(plan: WorkspacePlan): V1LimitRange {
  const { requests, limits, ephemeralStorage } = sizeRow(plan.size).container;
  return {
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: metadata(plan, OBJECTS.limits),
    spec: {
      limits: [
        {
          type: 'Container',
          // Without a request of its own Kubernetes takes the limit for one, and keeps that much of a node's disk free.
          defaultRequest: { ...requests, 'ephemeral-storage': '0' },
          _default: { ...limits, 'ephemeral-storage': ephemeralStorage },
        },
      ],
    },
  };
}

function quota(plan: WorkspacePlan): V1ResourceQuota {
  const { pods, requests, limits, ephemeralStorage, volumes, objects } = sizeRow(plan.size);
  return {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: metadata(plan, OBJECTS.quota),
    spec: {
      hard: {
        pods: String(pods),
        'requests.cpu': requests.cpu,
        'requests.memory': requests.memory,
        'limits.cpu': limits.cpu,
        'limits.memory': limits.memory,
        'limits.ephemeral-storage': ephemeralStorage,
        'requests.storage': volumes,
        ...Object.fromEntries(Object.entries(objects).map(([kind, most]) => [`count/${kind}`, String(most)])),
        // Anything that would be reachable from outside, or cost money at a cloud provider.
        'services.nodeports': '0',
        'services.loadbalancers': '0',
      },
    },
  };
}

/** Nothing comes in but from the namespace itself; out: names, the platform, and what is listed. */
function networkPolicy(plan: WorkspacePlan): V1NetworkPolicy {
  const { gateways, apiServers } = plan.egress;
  const listed = [...new Set([...plan.egress.listed, ...(plan.use.egress ?? [])])];
  const within = { podSelector: {} };
  const egress: V1NetworkPolicyEgressRule[] = [
    {
      to: [
        {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
          podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
        },
      ],
      ports: [
        { port: 53, protocol: 'UDP' },
        { port: 53, protocol: 'TCP' },
      ],
    },
    { to: [gatewayPeer(gateways)], ports: [{ port: gateways.port, protocol: 'TCP' }] },
  ];
  if (plan.use.mode === 'full-env') {
    egress.push({ to: [within] });
    if (needsToken(plan.use.role, plan.use.mode))
      for (const { address, port } of apiServers)
        egress.push({ to: [{ ipBlock: { cidr: block(address) } }], ports: [{ port, protocol: 'TCP' }] });
  }
  if (listed.length > 0)
    egress.push({
      to: listed.map(listedPeer),
      ports: [
        { port: 80, protocol: 'TCP' },
        { port: 443, protocol: 'TCP' },
      ],
    });
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadata(plan, OBJECTS.network),
    spec: {
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
      ingress: plan.use.mode === 'full-env' ? [{ _from: [within] }] : [],
      egress,
    },
  };
}

function gatewayPeer(gateways: Egress['gateways']) {
  if ('address' in gateways) return { ipBlock: { cidr: block(gateways.address) } };
  return {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': gateways.namespace } },
    podSelector: { matchLabels: { ...gateways.podLabels } },
  };
}

/** A block that is listed, without what clouds keep for their machines. */
function listedPeer(cidr: string): V1NetworkPolicyPeer {
  const metadata = metadataIn(cidr);
  return { ipBlock: { cidr, ...(metadata.length > 0 && { except: [...metadata] }) } };
}

/** One address as a CIDR. */
function block(address: string): string {
  return address.includes(':') ? `${address}/128` : `${address}/32`;
}
