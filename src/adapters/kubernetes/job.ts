/** A run's Job, and the Secret with its token (docs/decisions.md, 6). */
import type { V1Job, V1PodSpec, V1Secret } from '@kubernetes/client-node';
import type { WorkspaceUse } from '../../domain/workspace/workspaces.ts';
import { needsToken } from '../../domain/agent/permissions.ts';
import { ANNOTATIONS, CONTAINER, jobName, LABELS, labelValue, MANAGED_BY, OBJECTS } from './names.ts';

/** What an installation says of all its agents' pods. */
export interface PodSettings {
  readonly image: string;
  /** In place of the image's entry point; for tests and benchmarks. */
  readonly command?: readonly string[] | undefined;
  /** Where pods reach the platform. */
  readonly platformUrl: string;
  /** Certificates (PEM) of the authorities that sign the gateways' certificate, if they are not well-known ones. */
  readonly authorities?: string | undefined;
  /** Seconds that a Job may take in all; above what the runner allows itself. */
  readonly deadlineSeconds: number;
  /** Seconds that a finished Job stays, for people to look at. */
  readonly keepSeconds: number;
  readonly requests: { readonly cpu: string; readonly memory: string; readonly ephemeralStorage: string };
  readonly limits: { readonly cpu: string; readonly memory: string; readonly ephemeralStorage: string };
}

export interface RunPod {
  readonly namespace: string;
  readonly runId: string;
  readonly attempt: number;
  /** Counts from 1: a Job that could not start is made anew under the same name. */
  readonly launch: number;
  readonly use: WorkspaceUse;
}

/** The user of the image. */
const USER = 10_001;

/** Seconds for an agent that is asked to stop, to store its conversation. */
const STOP_GRACE_SECONDS = 20;

/** Seconds that a pod stays bound to a node which is not heard of. */
const NODE_LOST_SECONDS = 30;

const TOKEN_DIRECTORY = '/run/codex-k8s';
/** The certificates of {@link PodSettings.authorities}, beside the token. */
const AUTHORITIES = 'ca.crt';

/** The Job, suspended: its Secret must be there, and owned by it, before a pod is made. */
export function jobObject(pod: RunPod, settings: PodSettings): V1Job {
  const name = jobName(pod);
  const labels = {
    [LABELS.managedBy]: MANAGED_BY,
    [LABELS.runId]: pod.runId,
    [LABELS.attempt]: String(pod.attempt),
    [LABELS.project]: labelValue(pod.use.project),
    [LABELS.issueNumber]: String(pod.use.issueNumber),
    [LABELS.role]: pod.use.role,
  };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      namespace: pod.namespace,
      labels,
      annotations: { [ANNOTATIONS.launch]: String(pod.launch) },
    },
    spec: {
      suspend: true,
      completions: 1,
      parallelism: 1,
      backoffLimit: 0,
      activeDeadlineSeconds: settings.deadlineSeconds,
      ttlSecondsAfterFinished: settings.keepSeconds,
      template: { metadata: { labels }, spec: podSpec(name, pod, settings) },
    },
  };
}

function podSpec(secretName: string, { use }: RunPod, settings: PodSettings): V1PodSpec {
  const { requests, limits } = settings;
  return {
    restartPolicy: 'Never',
    serviceAccountName: OBJECTS.account,
    automountServiceAccountToken: needsToken(use.role, use.mode),
    enableServiceLinks: false,
    terminationGracePeriodSeconds: STOP_GRACE_SECONDS,
    tolerations: ['not-ready', 'unreachable'].map((state) => ({
      key: `node.kubernetes.io/${state}`,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: NODE_LOST_SECONDS,
    })),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: USER,
      runAsGroup: USER,
      fsGroup: USER,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [
      {
        name: CONTAINER,
        image: settings.image,
        imagePullPolicy: 'IfNotPresent',
        ...(settings.command ? { command: [...settings.command] } : {}),
        args: [
          '--platform-url',
          settings.platformUrl,
          '--token-file',
          `${TOKEN_DIRECTORY}/token`,
          '--workspace',
          '/workspace',
        ],
        ...(settings.authorities === undefined
          ? {}
          : {
              env: ['NODE_EXTRA_CA_CERTS', 'CODEXK8S_AGENT_CA_FILE'].map((name) => ({
                name,
                value: `${TOKEN_DIRECTORY}/${AUTHORITIES}`,
              })),
            }),
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        resources: {
          requests: { cpu: requests.cpu, memory: requests.memory, 'ephemeral-storage': requests.ephemeralStorage },
          limits: { cpu: limits.cpu, memory: limits.memory, 'ephemeral-storage': limits.ephemeralStorage },
        },
        volumeMounts: [
          { name: 'workspace', mountPath: '/workspace' },
          { name: 'tmp', mountPath: '/tmp' },
          { name: 'token', mountPath: TOKEN_DIRECTORY, readOnly: true },
        ],
        terminationMessagePolicy: 'FallbackToLogsOnError',
      },
    ],
    volumes: [
      { name: 'workspace', emptyDir: { sizeLimit: limits.ephemeralStorage } },
      { name: 'tmp', emptyDir: { sizeLimit: '1Gi' } },
      {
        name: 'token',
        secret: {
          secretName,
          defaultMode: 0o440,
          items: ['token', ...(settings.authorities === undefined ? [] : [AUTHORITIES])].map((key) => ({
            key,
            path: key,
          })),
        },
      },
    ],
  };
}

/** The run token, and whom the agent trusts. It goes when its Job does. */
export function tokenSecret(
  pod: RunPod,
  job: { readonly uid: string },
  token: string,
  { authorities }: Pick<PodSettings, 'authorities'>,
): V1Secret {
  const name = jobName(pod);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name,
      namespace: pod.namespace,
      labels: { [LABELS.managedBy]: MANAGED_BY, [LABELS.runId]: pod.runId },
      ownerReferences: [
        { apiVersion: 'batch/v1', kind: 'Job', name, uid: job.uid, controller: true, blockOwnerDeletion: false },
      ],
    },
    type: 'Opaque',
    immutable: true,
    data: {
      token: Buffer.from(token, 'utf8').toString('base64'),
      ...(authorities === undefined ? {} : { [AUTHORITIES]: Buffer.from(authorities, 'utf8').toString('base64') }),
    },
  };
}
