/** Names, labels and annotations on Kubernetes objects. */

/** Who writes: for server-side apply. */
export const FIELD_MANAGER = 'codex-k8s';

export const LABELS = {
  managedBy: 'codex-k8s.dev/managed-by',
  purpose: 'codex-k8s.dev/namespace-purpose',
  mode: 'codex-k8s.dev/runtime-mode',
  project: 'codex-k8s.dev/project',
  repositoryId: 'codex-k8s.dev/repository-id',
  issueNumber: 'codex-k8s.dev/issue-number',
  role: 'codex-k8s.dev/agent-role',
  /** The workspace's name for the workflow; the namespace's own, unless that one was still being deleted. */
  workspace: 'codex-k8s.dev/workspace',
  runId: 'codex-k8s.dev/run-id',
  attempt: 'codex-k8s.dev/attempt',
  /** Of a Secret that was written for a project, and is no run token. */
  secretPurpose: 'codex-k8s.dev/secret-purpose',
  projectId: 'codex-k8s.dev/project-id',
} as const;

export const ANNOTATIONS = {
  /** The key of the issue that the namespace belongs to. */
  owner: 'codex-k8s.dev/owner',
  fingerprint: 'codex-k8s.dev/fingerprint',
  /** What its quota and limits are made of; it only grows. */
  size: 'codex-k8s.dev/size',
  baseCommit: 'codex-k8s.dev/base-commit',
  correlationId: 'codex-k8s.dev/correlation-id',
  leaseExpiresAt: 'codex-k8s.dev/namespace-lease-expires-at',
  leaseUpdatedAt: 'codex-k8s.dev/namespace-lease-updated-at',
  /** Counts how often a Job was made anew because it could not start. */
  launch: 'codex-k8s.dev/launch',
} as const;

export const MANAGED_BY = 'codex-k8s-worker';
export const PURPOSE = 'run';
export const SECRET_PURPOSE = 'project';

/** Chooses the namespaces of this platform. */
export const OURS = `${LABELS.managedBy}=${MANAGED_BY},${LABELS.purpose}=${PURPOSE}`;

/** Objects of which a workspace has one each. */
export const OBJECTS = {
  account: 'codex-runner',
  quota: 'codex-run-quota',
  limits: 'codex-run-limits',
  network: 'codex-run-network',
} as const;

/** The container of a run's pod. */
export const CONTAINER = 'agent';

/** One Job for each attempt of a run; its token Secret has the same name. */
export function jobName({ runId, attempt }: { runId: string; attempt: number }): string {
  return `codex-k8s-run-${runId}-${attempt}`;
}

/** A label's value: at most 63 characters of a few kinds. */
export function labelValue(text: string): string {
  return text
    .replaceAll(/[^A-Za-z0-9_.-]+/g, '-')
    .slice(0, 63)
    .replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');
}
