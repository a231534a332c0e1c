import type { CoreV1Event, V1ContainerState, V1Job, V1Pod, V1PodStatus } from '@kubernetes/client-node';
import { describe, expect, test } from 'vitest';
import { hasBegun, diagnose, type Diagnosis } from '../../../src/adapters/kubernetes/diagnosis.ts';
import type { TerminationReason } from '../../../src/domain/run/termination-reasons.ts';

const NOW = new Date('2026-11-21T10:00:00Z');
const JOB = { metadata: { name: 'job', uid: 'job' }, spec: { template: {} } } satisfies V1Job;

/** A Job with this condition. */
function jobThat(type: string, reason = '', message = ''): V1Job {
  return { ...JOB, status: { conditions: [{ type, status: 'True', reason, message }] } };
}

/** A pod whose container is in this state. */
function podIn(state: V1ContainerState, status: V1PodStatus = {}, deletionTimestamp?: Date): V1Pod {
  return {
    metadata: { name: 'pod', creationTimestamp: NOW, ...(deletionTimestamp ? { deletionTimestamp } : {}) },
    status: Object.assign({ containerStatuses: [containerIn('agent', state)] }, status),
  };
}

function containerIn(name: string, state: V1ContainerState) {
  return { name, state, image: 'agent:1', imageID: '', ready: false, restartCount: 0 };
}

function waiting(reason: string, message = 'so it is'): V1Pod {
  return podIn({ waiting: { reason, message } }, { phase: 'Pending' });
}

function endedWith(exitCode: number, reason = 'Error', message = ''): V1Pod {
  return podIn({ terminated: { exitCode, reason, message } }, { phase: exitCode === 0 ? 'Succeeded' : 'Failed' });
}

/** A pod that Kubernetes itself has failed. */
function failedFor(reason: string, message = 'so it is'): V1Pod {
  return { metadata: { name: 'pod', creationTimestamp: NOW }, status: { phase: 'Failed', reason, message } };
}

function disrupted(reason: string, pod: V1Pod): V1Pod {
  const condition = { type: 'DisruptionTarget', status: 'True', reason, message: `${reason}: so it is` };
  return Object.assign(structuredClone(pod), { status: Object.assign({ conditions: [condition] }, pod.status) });
}

/** A pod as the cluster's controllers leave it when its node says nothing any more. */
function notHeardOf(): V1Pod {
  return podIn(
    {},
    {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'False' }],
      containerStatuses: [{ ...containerIn('agent', { running: { startedAt: NOW } }), ready: true }],
    },
  );
}

function warning(kind: string, reason: string, message: string, at = NOW): CoreV1Event {
  return { metadata: {}, involvedObject: { kind }, type: 'Warning', reason, message, lastTimestamp: at };
}

const diagnosis = (job: V1Job | undefined, pods: V1Pod[] = [], events: CoreV1Event[] = []): Diagnosis =>
  diagnose({ job, pods, events });

describe('an agent works', () => {
  test('while its container runs, whatever was said before', () => {
    const events = [warning('Pod', 'Failed', 'old words')];
    expect(diagnosis(JOB, [podIn({ running: { startedAt: NOW } }, { phase: 'Running' })], events)).toEqual({
      state: 'working',
    });
  });

  test('while its node only says that it is not ready yet', () => {
    const conditions = [{ type: 'Ready', status: 'False' }];
    const starting = podIn({ running: { startedAt: NOW } }, { phase: 'Running', conditions });
    expect(diagnosis(JOB, [starting])).toEqual({ state: 'working' });
  });

  test('while it is told to go, until it has gone', () => {
    const going = podIn({ running: { startedAt: NOW } }, { phase: 'Running' }, NOW);
    expect(diagnosis(JOB, [going])).toEqual({ state: 'working' });
    expect(diagnosis(JOB, [disrupted('EvictionByEvictionAPI', going)])).toEqual({ state: 'working' });
  });
});

describe('an agent has ended', () => {
  test.each<[string, TerminationReason, string | RegExp, V1Job | undefined, V1Pod[]]>([
    ['its Job is gone', 'agent_lost', 'its Job is gone', undefined, []],
    ['its pod is gone', 'agent_lost', 'its pod is gone', jobThat('Failed', 'BackoffLimitExceeded'), []],
    ['its pod has ended and is gone', 'agent_lost', /is gone$/, jobThat('Complete'), []],
    ['exit 0', 'agent_lost', 'it ended with code 0 without a report', jobThat('Complete'), [endedWith(0, 'Completed')]],
    ['exit 1', 'agent_error', 'it ended with code 1 without a report', JOB, [endedWith(1)]],
    [
      'exit 1 with words',
      'agent_error',
      'it ended with code 1 without a report: oh',
      JOB,
      [endedWith(1, 'Error', ' oh\n')],
    ],
    ['a broken runner', 'agent_error', /code 70/, JOB, [endedWith(70)]],
    ['the platform is away', 'agent_lost', /code 69/, JOB, [endedWith(69)]],
    ['the run is over', 'agent_lost', /code 77/, JOB, [endedWith(77)]],
    ['killed', 'agent_lost', /code 137/, JOB, [endedWith(137)]],
    ['asked to stop', 'agent_lost', /code 143/, JOB, [endedWith(143)]],
    ['too much memory', 'agent_oom', 'it used more memory than it may', JOB, [endedWith(137, 'OOMKilled')]],
    ['too much memory, by a child of the runner', 'agent_oom', /memory/, JOB, [endedWith(1, 'OOMKilled')]],
    ['the deadline', 'deadline_exceeded', 'too long', jobThat('Failed', 'DeadlineExceeded', 'too long'), []],
    [
      'the deadline, while the pod still goes',
      'deadline_exceeded',
      'too long',
      jobThat('FailureTarget', 'DeadlineExceeded', 'too long'),
      [endedWith(143)],
    ],
    [
      'the deadline of the pod',
      'deadline_exceeded',
      'DeadlineExceeded: so it is',
      JOB,
      [failedFor('DeadlineExceeded')],
    ],
    ['no program', 'container_error', 'StartError: no such file', JOB, [endedWith(128, 'StartError', 'no such file')]],
    [
      'a node under pressure',
      'evicted',
      /low on resource/,
      JOB,
      [failedFor('Evicted', 'The node was low on resource: memory.')],
    ],
    [
      'a node under pressure, in the words of older nodes',
      'evicted',
      /low on resource/,
      JOB,
      [
        failedFor(
          'Evicted',
          'The node was low on resource: memory. Container agent was using 2Gi, which exceeds its request of 1Gi.',
        ),
      ],
    ],
    [
      'a full disk of its own',
      'disk_exceeded',
      /exceeds the limit/,
      JOB,
      [failedFor('Evicted', 'Usage of EmptyDir volume "workspace" exceeds the limit "8Gi".')],
    ],
    [
      'a full disk of its container',
      'disk_exceeded',
      /exceeded its local ephemeral storage limit/,
      JOB,
      [failedFor('Evicted', 'Container agent exceeded its local ephemeral storage limit "8Gi".')],
    ],
    [
      'a full disk of its pod',
      'disk_exceeded',
      /exceeds the total limit/,
      JOB,
      [failedFor('Evicted', 'Pod ephemeral local storage usage exceeds the total limit of containers 8Gi.')],
    ],
    [
      'an emptied node',
      'evicted',
      'EvictionByEvictionAPI: so it is',
      JOB,
      [disrupted('EvictionByEvictionAPI', endedWith(143))],
    ],
    ['preemption', 'evicted', /Preemption/, JOB, [disrupted('PreemptionByScheduler', endedWith(143))]],
    ['a lost node', 'node_lost', /Taint/, JOB, [disrupted('DeletionByTaintManager', podIn({ running: {} }, {}, NOW))]],
    ['a removed node', 'node_lost', /PodGC/, JOB, [disrupted('DeletionByPodGC', failedFor('', ''))]],
    [
      'a node that shuts down',
      'node_lost',
      /Terminated/,
      JOB,
      [failedFor('Terminated', 'Pod was terminated in response to imminent node shutdown.')],
    ],
    ['no room after all', 'unschedulable', /OutOfcpu/, JOB, [failedFor('OutOfcpu')]],
    ['a pod that has failed without a word', 'agent_lost', 'its pod ended without a word', JOB, [failedFor('', '')]],
  ])('%s', (_what, termination, detail, job, pods) => {
    const found = diagnosis(job, pods);
    expect(found).toMatchObject({ state: 'ended', termination });
    expect(found.state === 'ended' && found.detail).toMatch(detail);
  });

  test.each<[string, TerminationReason, string, V1Pod]>([
    [
      'that was evicted',
      'evicted',
      'EvictionByEvictionAPI: so it is',
      disrupted('EvictionByEvictionAPI', endedWith(143)),
    ],
    [
      'that was to be evicted, and was not seen to end',
      'evicted',
      'EvictionByEvictionAPI: so it is',
      disrupted('EvictionByEvictionAPI', podIn({ running: {} })),
    ],
    ['that ended', 'agent_oom', 'it used more memory than it may', endedWith(137, 'OOMKilled')],
    ['that was at work', 'agent_lost', 'its pod is gone', podIn({ running: {} })],
  ])('as was seen of a pod that is gone, and %s', (_what, termination, detail, pod) => {
    const job = jobThat('Failed', 'BackoffLimitExceeded');
    expect(diagnose({ job, pods: [], gone: [pod], events: [] })).toEqual({ state: 'ended', termination, detail });
  });

  test('as its newest pod says', () => {
    const old = Object.assign(endedWith(1), { metadata: { creationTimestamp: new Date(NOW.getTime() - 60_000) } });
    const running = podIn({ running: {} });
    expect(diagnosis(JOB, [old, running])).toEqual({ state: 'working' });
    expect(diagnosis(JOB, [running, old])).toEqual({ state: 'working' });
  });

  test('as its own container says, not as another one that was put beside it', () => {
    const pod: V1Pod = {
      metadata: { creationTimestamp: NOW },
      status: {
        phase: 'Running',
        containerStatuses: [
          containerIn('proxy', { running: {} }),
          containerIn('agent', { terminated: { exitCode: 1 } }),
        ],
      },
    };
    expect(diagnosis(JOB, [pod])).toMatchObject({ state: 'ended', termination: 'agent_error' });
  });

  test('and its words are cut to what people read, at their end', () => {
    const found = diagnosis(JOB, [endedWith(1, 'Error', `${'x'.repeat(5000)}the end`)]);
    expect(found.state === 'ended' && found.detail).toMatch(/the end$/);
    expect(found.state === 'ended' && found.detail.length).toBeLessThan(1000);
  });
});

describe('an agent is stuck', () => {
  const scheduling = (reason: string): V1Pod => ({
    metadata: { creationTimestamp: NOW },
    status: {
      phase: 'Pending',
      conditions: [{ type: 'PodScheduled', status: 'False', reason, message: '0/1 nodes are available' }],
    },
  });
  const creating = waiting('ContainerCreating', '');

  test.each<[string, TerminationReason, string, V1Job, V1Pod[], CoreV1Event[]]>([
    ['at its image', 'image_pull', 'ErrImagePull: so it is', JOB, [waiting('ErrImagePull')], []],
    ['at its image, again', 'image_pull', 'ImagePullBackOff: so it is', JOB, [waiting('ImagePullBackOff')], []],
    [
      'at its image’s registry',
      'image_pull',
      'RegistryUnavailable: so it is',
      JOB,
      [waiting('RegistryUnavailable')],
      [],
    ],
    ['at its image’s name', 'image_pull', 'InvalidImageName: so it is', JOB, [waiting('InvalidImageName')], []],
    [
      'at its configuration',
      'container_error',
      'CreateContainerConfigError: so it is',
      JOB,
      [waiting('CreateContainerConfigError')],
      [],
    ],
    [
      'at its container',
      'container_error',
      'CreateContainerError: so it is',
      JOB,
      [waiting('CreateContainerError')],
      [],
    ],
    [
      'without a node',
      'unschedulable',
      'Unschedulable: 0/1 nodes are available',
      JOB,
      [scheduling('Unschedulable')],
      [],
    ],
    [
      'at its volume',
      'container_error',
      'no such secret',
      JOB,
      [creating],
      [warning('Pod', 'FailedMount', 'no such secret')],
    ],
    ['at something', 'container_error', 'its container is not made', JOB, [creating], []],
    [
      'before the quota',
      'quota_exceeded',
      'pods "x" is forbidden: exceeded quota: q',
      JOB,
      [],
      [warning('Job', 'FailedCreate', 'pods "x" is forbidden: exceeded quota: q')],
    ],
    ['before a rule', 'sandbox_rejected', 'no', JOB, [], [warning('Job', 'FailedCreate', 'no')]],
    ['without a pod', 'container_error', 'no pod was made for its Job', JOB, [], []],
    ['on a node that is silent', 'node_lost', 'its node is not heard of any more', JOB, [notHeardOf()], []],
    [
      'without a launch',
      'container_error',
      'its Job was never set going',
      { ...JOB, spec: { template: {}, suspend: true } },
      [],
      [],
    ],
  ])('%s', (_what, termination, detail, job, pods, events) => {
    expect(diagnosis(job, pods, events)).toEqual({
      state: 'stuck',
      termination,
      detail,
      patienceMs: expect.any(Number) as number,
    });
  });

  test('at nothing that its pod is over: an image is pulled when the volumes are there', () => {
    const pulling = Object.assign(warning('Pod', 'Pulling', 'Pulling image'), { type: 'Normal' });
    const events = [warning('Pod', 'FailedMount', 'no such secret'), pulling];
    expect(diagnosis(JOB, [creating], events)).toMatchObject({ detail: 'its container is not made' });
    const sandbox = [warning('Pod', 'FailedCreatePodSandBox', 'no network'), warning('Pod', 'SandboxChanged', 'again')];
    sandbox[1]!.type = 'Normal';
    expect(diagnosis(JOB, [creating], sandbox)).toMatchObject({ detail: 'no network' });
  });

  test('at what its pod was stuck at, when that is gone, until its Job says that it has failed', () => {
    const found = diagnose({ job: JOB, pods: [], gone: [waiting('ErrImagePull')], events: [] });
    expect(found).toMatchObject({ state: 'stuck', termination: 'image_pull' });
    expect(diagnose({ job: JOB, pods: [], gone: [podIn({ running: {} })], events: [] })).toMatchObject({
      state: 'stuck',
      detail: 'its pod is gone',
    });
  });

  test('as the latest event says', () => {
    const events = [
      warning('Job', 'FailedCreate', 'exceeded quota: new', NOW),
      warning('Job', 'FailedCreate', 'an older rule', new Date(NOW.getTime() - 1000)),
    ];
    expect(diagnosis(JOB, [], events)).toMatchObject({ termination: 'quota_exceeded' });
  });

  test('T41, T42: in both launches together for less than half a minute, or two, and not at all at what cannot pass', () => {
    const patience = (...observation: Parameters<typeof diagnosis>): number => {
      const found = diagnosis(...observation);
      return found.state === 'stuck' ? found.patienceMs : Number.NaN;
    };
    for (const pod of [scheduling('Unschedulable'), waiting('ErrImagePull'), waiting('CreateContainerConfigError')])
      expect(2 * patience(JOB, [pod])).toBeLessThan(120_000);
    expect(2 * patience(JOB, [creating], [warning('Pod', 'FailedMount', 'no')])).toBeLessThan(120_000);
    expect(2 * patience(JOB, [], [warning('Job', 'FailedCreate', 'no')])).toBeLessThan(30_000);
    expect(2 * patience(JOB, [], [warning('Job', 'FailedCreate', 'exceeded quota')])).toBeLessThan(30_000);
    for (const reason of ['InvalidImageName', 'ErrImageNeverPull']) expect(patience(JOB, [waiting(reason)])).toBe(0);
  });
});

describe('an agent has begun', () => {
  test.each<[string, V1Pod, boolean]>([
    ['when its container runs', podIn({ running: {} }), true],
    ['when it has ended', endedWith(1), true],
    ['not when its container waits', waiting('ErrImagePull'), false],
    ['not when its program was not there', endedWith(128, 'StartError'), false],
    ['not when its pod has no container yet', failedFor('OutOfcpu'), false],
  ])('%s', (_what, pod, begun) => {
    expect(hasBegun(pod)).toBe(begun);
  });
});
