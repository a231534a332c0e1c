/** Diagnoses an agent from its Job, its pods and their events (docs/reliability.md T41 to T46). Pure. */
import type { CoreV1Event, V1ContainerStateTerminated, V1Job, V1Pod } from '@kubernetes/client-node';
import { EXIT_CODES } from '../../domain/run/exit-codes.ts';
import type { TerminationReason } from '../../domain/run/termination-reasons.ts';
import { CONTAINER } from './names.ts';

/** A Job, its pods and events, read at one time. */
export interface PodObservation {
  readonly job: V1Job | undefined;
  /** The Job's, in any order. */
  readonly pods: readonly V1Pod[];
  /** The Job's that were seen and are not there any more, as they were last. */
  readonly gone?: readonly V1Pod[];
  /** Of the Job and of its pods, as they were made. */
  readonly events: readonly CoreV1Event[];
}

export type Diagnosis =
  | { readonly state: 'working' }
  /** It cannot go on like this, but may yet by itself: it has ended when the same is true after `patienceMs` milliseconds. */
  | {
      readonly state: 'stuck';
      readonly termination: TerminationReason;
      readonly detail: string;
      readonly patienceMs: number;
    }
  | { readonly state: 'ended'; readonly termination: TerminationReason; readonly detail: string };

/**
 * Milliseconds after which what is stuck has ended. Twice each is within docs/reliability.md T41 (30 s) and T42 (two minutes), since
 * an agent that could not begin is launched once more. Only an image that is still being pulled may take longer.
 */
const PATIENCE = {
  image: 50_000,
  container: 20_000,
  creating: 50_000,
  pulling: 300_000,
  scheduling: 50_000,
  rejected: 10_000,
  quota: 12_000,
  podless: 50_000,
  // After the toleration of its pods, so that a cluster which removes them says so first.
  node: 60_000,
} as const;

/** Reasons of a waiting container that mean the image; the last two never pass by themselves. */
const IMAGE_REASONS: Readonly<Record<string, number>> = {
  ErrImagePull: PATIENCE.image,
  ImagePullBackOff: PATIENCE.image,
  RegistryUnavailable: PATIENCE.image,
  ImageInspectError: PATIENCE.image,
  SignatureValidationFailed: 0,
  InvalidImageName: 0,
  ErrImageNeverPull: 0,
};

/** Warnings that keep no container from being made. */
const HARMLESS = new Set(['MissingClusterDNS', 'DNSConfigForming']);

/** Events of a pod that is over what it was warned of before: a volume is there, for example, when an image is pulled. */
const PROGRESS = new Set(['Pulling', 'Pulled', 'Created']);

const CONTAINER_REASONS = new Set(['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError']);

/** Reasons of a container that has terminated, though its process never was. */
const NEVER_STARTED = new Set(['StartError', 'ContainerCannotRun']);

/** Reasons of the condition `DisruptionTarget`. */
const DISRUPTIONS: Readonly<Record<string, TerminationReason>> = {
  DeletionByTaintManager: 'node_lost',
  DeletionByPodGC: 'node_lost',
  EvictionByEvictionAPI: 'evicted',
  PreemptionByScheduler: 'evicted',
  TerminationByKubelet: 'evicted',
};

/** Reasons of a failed pod. */
const POD_REASONS: Readonly<Record<string, TerminationReason>> = {
  Evicted: 'evicted',
  NodeLost: 'node_lost',
  NodeShutdown: 'node_lost',
  Terminated: 'node_lost',
  DeadlineExceeded: 'deadline_exceeded',
  OutOfcpu: 'unschedulable',
  OutOfmemory: 'unschedulable',
  'OutOfephemeral-storage': 'unschedulable',
  NodeAffinity: 'unschedulable',
  UnexpectedAdmissionError: 'unschedulable',
};

const WORKING: Diagnosis = { state: 'working' };

/** Diagnoses if the agent works, is stuck, or has ended, and why. */
export function diagnose({ job, pods, gone = [], events }: PodObservation): Diagnosis {
  if (!job) return ended('agent_lost', 'its Job is gone');
  const failed = conditionOf(job, 'Failed') ?? conditionOf(job, 'FailureTarget');
  if (failed?.reason === 'DeadlineExceeded')
    return ended('deadline_exceeded', failed.message ?? 'its Job took too long');
  const pod = newest(pods);
  if (pod) return diagnosePod(pod, events);
  const last = newest(gone);
  const before = last && diagnoseGone(last);
  if (before?.state === 'ended') return before;
  if (failed) return ended('agent_lost', 'its pod is gone');
  if (conditionOf(job, 'Complete')) return ended('agent_lost', 'its pod has ended and is gone');
  return before ?? diagnosePodless(job, events);
}

/** Whether the agent works in this pod, or did. */
export function hasBegun({ status }: V1Pod): boolean {
  const { running, terminated } = status?.containerStatuses?.find(({ name }) => name === CONTAINER)?.state ?? {};
  return running !== undefined || (terminated !== undefined && !NEVER_STARTED.has(terminated.reason ?? ''));
}

/** Diagnoses a pod that is not there any more, by what was seen of it last. Its Job will say that it has failed. */
function diagnoseGone(pod: V1Pod): Diagnosis {
  const disruption = disruptionOf(pod);
  const last = diagnosePod(pod, []);
  if (last.state === 'ended') return last;
  if (disruption) return ended(disruption.termination, disruption.detail);
  return last.state === 'stuck' ? last : stuck('agent_lost', 'its pod is gone', PATIENCE.podless);
}

/** A Job that can have no pods never fails by itself: its events say why. */
function diagnosePodless(job: V1Job, events: readonly CoreV1Event[]): Diagnosis {
  const refused = latest(
    events.filter(({ reason, involvedObject }) => reason === 'FailedCreate' && involvedObject.kind === 'Job'),
  );
  const message = refused?.message ?? '';
  if (/exceeded quota/.test(message)) return stuck('quota_exceeded', message, PATIENCE.quota);
  if (refused) return stuck('sandbox_rejected', message, PATIENCE.rejected);
  const detail = job.spec?.suspend ? 'its Job was never set going' : 'no pod was made for its Job';
  return stuck('container_error', detail, PATIENCE.podless);
}

function diagnosePod(pod: V1Pod, events: readonly CoreV1Event[]): Diagnosis {
  const { status } = pod;
  const disruption = disruptionOf(pod);
  // A pod on a node that is not heard of never ends: being told to go is its end.
  if (disruption?.termination === 'node_lost' && pod.metadata?.deletionTimestamp)
    return ended('node_lost', disruption.detail || 'its node is not heard of any more');
  const container = status?.containerStatuses?.find(({ name }) => name === CONTAINER);
  const terminated = container?.state?.terminated;
  if (terminated || status?.phase === 'Failed' || status?.phase === 'Succeeded')
    return diagnoseTermination(pod, terminated, disruption);
  if (container?.state?.running) {
    // A cluster none of whose nodes is heard of removes no pods, and so does a cluster of one node.
    if (container.ready && conditionIn(pod, 'Ready')?.status === 'False')
      return stuck('node_lost', 'its node is not heard of any more', PATIENCE.node);
    return WORKING;
  }

  const waiting = container?.state?.waiting;
  const reason = waiting?.reason ?? '';
  const image = IMAGE_REASONS[reason];
  if (image !== undefined) return stuck('image_pull', reasonText(reason, waiting?.message), image);
  if (CONTAINER_REASONS.has(reason))
    return stuck('container_error', reasonText(reason, waiting?.message), PATIENCE.container);
  const scheduled = conditionIn(pod, 'PodScheduled');
  if (scheduled?.status === 'False')
    return stuck('unschedulable', reasonText(scheduled.reason, scheduled.message), PATIENCE.scheduling);
  const said = latest(
    events.filter(
      ({ type, reason = '', involvedObject }) =>
        involvedObject.kind === 'Pod' && (PROGRESS.has(reason) || (type === 'Warning' && !HARMLESS.has(reason))),
    ),
  );
  if (said?.type === 'Warning') return stuck('container_error', said.message ?? '', PATIENCE.creating);
  return stuck('container_error', 'its container is not made', PATIENCE.pulling);
}

interface Disruption {
  readonly termination: TerminationReason;
  readonly detail: string;
}

/** Why Kubernetes has a pod go, if it does. */
function disruptionOf({ status }: V1Pod): Disruption | undefined {
  const condition = status?.conditions?.find(({ type, status: is }) => type === 'DisruptionTarget' && is === 'True');
  const termination = DISRUPTIONS[condition?.reason ?? ''];
  return termination && { termination, detail: condition?.message ?? '' };
}

function diagnoseTermination(
  pod: V1Pod,
  terminated: V1ContainerStateTerminated | undefined,
  disrupted: Disruption | undefined,
): Diagnosis {
  const { reason = '', message = '' } = pod.status ?? {};
  // A node that is low says whose request was exceeded; it is nobody's fault.
  if (reason === 'Evicted' && /exceed/i.test(message) && !message.startsWith('The node'))
    return ended('disk_exceeded', message);
  const termination = disrupted?.termination ?? POD_REASONS[reason];
  if (termination) return ended(termination, reasonText(reason, message) || (disrupted?.detail ?? ''));
  if (!terminated) return ended('agent_lost', reasonText(reason, message) || 'its pod ended without a word');
  const { exitCode, reason: how = '', message: words = '' } = terminated;
  if (how === 'OOMKilled') return ended('agent_oom', 'it used more memory than it may');
  if (NEVER_STARTED.has(how)) return ended('container_error', reasonText(how, words));
  const text = `it ended with code ${exitCode} without a report`;
  if (RUNNER_LOST.has(exitCode)) return ended('agent_lost', text);
  return ended('agent_error', [text, tail(words)].filter(Boolean).join(': '));
}

/** Exit codes that say nothing against the agent: it was told to go, killed, or could not reach the platform. */
const RUNNER_LOST = new Set<number>([
  EXIT_CODES.reported,
  EXIT_CODES.platformAway,
  EXIT_CODES.over,
  EXIT_CODES.canceled,
  137,
]);

function ended(termination: TerminationReason, detail: string): Diagnosis {
  return { state: 'ended', termination, detail: detail.slice(0, DETAIL_CHARACTERS) };
}

function stuck(termination: TerminationReason, detail: string, patienceMs: number): Diagnosis {
  return { state: 'stuck', termination, detail: detail.slice(0, DETAIL_CHARACTERS), patienceMs };
}

/** What people read of Kubernetes' words. */
const DETAIL_CHARACTERS = 1000;

/** The end of what the container said last. */
function tail(words: string): string {
  return words.trim().slice(-DETAIL_CHARACTERS / 2);
}

function reasonText(reason: string | undefined, message: string | undefined): string {
  return [reason, message].filter(Boolean).join(': ');
}

function conditionOf(job: V1Job, type: string) {
  return job.status?.conditions?.find((condition) => condition.type === type && condition.status === 'True');
}

function conditionIn({ status }: V1Pod, type: string) {
  return status?.conditions?.find((condition) => condition.type === type);
}

function newest(pods: readonly V1Pod[]): V1Pod | undefined {
  return pods.toSorted((one, other) => madeAt(other) - madeAt(one))[0];
}

function madeAt({ metadata }: V1Pod): number {
  return metadata?.creationTimestamp ? new Date(metadata.creationTimestamp).getTime() : 0;
}

function latest(events: readonly CoreV1Event[]): CoreV1Event | undefined {
  // An event's time is in whole seconds: of those of one second the one that was made last.
  return events.toReversed().toSorted((one, other) => saidAt(other) - saidAt(one))[0];
}

function saidAt({ lastTimestamp, eventTime, metadata }: CoreV1Event): number {
  return new Date(lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? 0).getTime();
}
