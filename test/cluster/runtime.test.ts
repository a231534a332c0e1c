import type { V1Job, V1Pod, V1Secret } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesApi, ObjectRef } from '../../src/adapters/kubernetes/api.ts';
import {
  type Agent,
  agentOf,
  ended,
  jobRef,
  jobsIn,
  launch,
  type Platform,
  podsIn,
  runningPod,
  secretRef,
  startPlatform,
  TOKEN,
  until,
} from './support/agents.ts';

let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(() => platform.end());

describe('the pod of an agent', () => {
  let namespace: string;
  let pod: V1Pod;
  let job: V1Job;
  let agent: Agent;

  beforeAll(async () => {
    const issue = platform.issue({ mode: 'code-only' });
    agent = agentOf(issue);
    namespace = await launch(platform.runtime(), issue, agent);
    pod = await runningPod(platform.admin, namespace);
    job = (await platform.admin.find<V1Job>(jobRef(namespace, agent)))!;
  });

  test('has no token for the Kubernetes API when it has a checkout only', () => {
    expect(pod.spec?.automountServiceAccountToken).toBe(false);
    expect(pod.spec?.volumes?.map(({ name }) => name)).toEqual(['workspace', 'tmp', 'token']);
  });

  test('is restricted', () => {
    expect(pod.spec?.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 10_001,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(pod.spec?.containers[0]?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  test('has a limit for everything that it may use', () => {
    expect(pod.spec?.containers[0]?.resources).toEqual({
      requests: { cpu: '20m', memory: '16Mi', 'ephemeral-storage': '0' },
      limits: { cpu: '500m', memory: '64Mi', 'ephemeral-storage': '64Mi' },
    });
  });

  test('gets no environment variables of the namespace’s Services', () => {
    expect(pod.spec?.enableServiceLinks).toBe(false);
  });

  test('is made once, with a deadline, and kept for a while', () => {
    expect(job.spec).toMatchObject({
      backoffLimit: 0,
      completions: 1,
      parallelism: 1,
      activeDeadlineSeconds: 300,
      ttlSecondsAfterFinished: 600,
    });
    expect(pod.spec?.restartPolicy).toBe('Never');
  });

  test('waits half a minute for a node that does not respond', () => {
    expect(pod.spec?.tolerations).toEqual(
      ['not-ready', 'unreachable'].map((state) => ({
        key: `node.kubernetes.io/${state}`,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 30,
      })),
    );
  });

  test('shows its token nowhere but in its Secret', async () => {
    expect(JSON.stringify([job, pod])).not.toContain(TOKEN);
    expect(JSON.stringify([job, pod])).not.toContain(Buffer.from(TOKEN).toString('base64'));
    const secret = await platform.admin.find<V1Secret>(secretRef(namespace, agent));
    expect(Buffer.from(secret?.data?.['token'] ?? '', 'base64').toString()).toBe(TOKEN);
  });

  test('finds its token in a file, and its place to work, and writes nowhere else', async () => {
    const issue = platform.issue({ mode: 'code-only' });
    const reader = agentOf(issue);
    const command = [
      '/bin/sh',
      '-c',
      'exec 2>&1; cat "$4"; echo; touch /workspace/w /tmp/t && echo wrote; touch /x "$4"; ls /var/run/secrets; env; echo "$@"; exit 1',
      'agent',
    ];
    const runtime = platform.runtime({ command });
    await launch(runtime, issue, reader);
    const { log = '' } = await ended(runtime, reader);
    expect(log).toMatch(new RegExp(`^${TOKEN}\\nwrote\\n`));
    expect(log).toMatch(/touch: \/x: Read-only file system/);
    expect(log).toMatch(/touch: \/run\/codex-k8s\/token: Read-only file system/);
    expect(log).toMatch(/ls: \/var\/run\/secrets: No such file or directory/);
    expect(log.split(TOKEN)).toHaveLength(2);
  });

  test('has a token for the Kubernetes API when it may use its namespace', async () => {
    const issue = platform.issue({ mode: 'full-env', role: 'dev' });
    await launch(platform.runtime(), issue, agentOf(issue));
    const { spec } = await runningPod(platform.admin, issue.workspace);
    expect(
      spec?.volumes?.some(({ projected }) => projected?.sources?.some((source) => source.serviceAccountToken)),
    ).toBe(true);
  });

  test('has none when its role may do nothing there', async () => {
    const issue = platform.issue({ mode: 'full-env', role: 'km' });
    await launch(platform.runtime(), issue, agentOf(issue));
    const { spec } = await runningPod(platform.admin, issue.workspace);
    expect(spec?.automountServiceAccountToken).toBe(false);
  });
});

describe('a launch', () => {
  test('ten times at once makes one Job and one pod', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    const runtime = platform.runtime();
    const launched = await Promise.allSettled(Array.from({ length: 10 }, () => launch(runtime, issue, agent)));
    expect(launched.filter(({ status }) => status === 'rejected')).toEqual([]);
    await runningPod(platform.admin, issue.workspace);
    expect(await jobsIn(platform.admin, issue.workspace)).toHaveLength(1);
    expect(await podsIn(platform.admin, issue.workspace)).toHaveLength(1);
  });

  test('repeated while the agent works changes nothing', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    const runtime = platform.runtime();
    await launch(runtime, issue, agent);
    const { metadata } = await runningPod(platform.admin, issue.workspace);
    const before = await platform.admin.find<V1Job>(jobRef(issue.workspace, agent));
    await launch(runtime, issue, agent);
    const after = await platform.admin.find<V1Job>(jobRef(issue.workspace, agent));
    // Its status is for Kubernetes to write.
    expect([after?.metadata?.uid, after?.metadata?.generation]).toEqual([
      before?.metadata?.uid,
      before?.metadata?.generation,
    ]);
    expect((await podsIn(platform.admin, issue.workspace)).map((pod) => pod.metadata?.uid)).toEqual([metadata?.uid]);
  });

  test('repeated after the agent has ended starts no other', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    const runtime = platform.runtime({ script: 'exit 0' });
    await launch(runtime, issue, agent);
    await ended(runtime, agent);
    const pods = await podsIn(platform.admin, issue.workspace);
    await launch(runtime, issue, agent);
    expect(await ended(runtime, agent)).toMatchObject({ termination: 'agent_lost' });
    expect((await podsIn(platform.admin, issue.workspace)).map((pod) => pod.metadata?.uid)).toEqual(
      pods.map((pod) => pod.metadata?.uid),
    );
  });

  test.each([
    ['the Job', 'Job'],
    ['the token', 'Secret'],
  ])('goes on where one was cut off after it made %s', async (_what, last) => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    const cut = platform.runtime({ through: (api) => cutOffAfter(api, last) });
    await expect(launch(cut, issue, agent)).rejects.toThrow('cut off');
    await launch(platform.runtime(), issue, agent);
    const { status } = await runningPod(platform.admin, issue.workspace);
    expect(status?.phase).toBe('Running');
  });

  test('goes on where Kubernetes made the Job and its answer was lost', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    const deaf = platform.runtime({
      through: (api) => ({
        ...api,
        create: async (object) => {
          const made = await api.create(object);
          if (object.kind === 'Job') throw new Error('time-out');
          return made;
        },
      }),
    });
    await expect(launch(deaf, issue, agent)).rejects.toThrow('time-out');
    await launch(platform.runtime(), issue, agent);
    await runningPod(platform.admin, issue.workspace);
    expect(await jobsIn(platform.admin, issue.workspace)).toHaveLength(1);
  });
});

describe('a second launch of the same attempt', () => {
  test('replaces a Job that could not start', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    const stuck = platform.runtime({ image: 'registry.invalid/absent:1', patience: 0.2 });
    await launch(stuck, issue, agent);
    expect(await ended(stuck, agent)).toMatchObject({ termination: 'image_pull' });
    await launch(stuck, issue, agent, 2);
    const jobs = await jobsIn(platform.admin, issue.workspace);
    expect(jobs.map(({ metadata }) => metadata?.annotations?.['codex-k8s.dev/launch'])).toEqual(['2']);
    expect(await ended(stuck, agent)).toMatchObject({ termination: 'image_pull' });
  });

  test('gives the new Job a token that goes with it, and not with the old one', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    const lacking = platform.runtime({ command: ['/absent'], patience: 0.2 });
    await launch(lacking, issue, agent);
    expect(await ended(lacking, agent)).toMatchObject({ termination: 'container_error' });
    await launch(platform.runtime(), issue, agent, 2);
    await runningPod(platform.admin, issue.workspace);
    const job = await platform.admin.find<V1Job>(jobRef(issue.workspace, agent));
    const secret = await platform.admin.find<V1Secret>(secretRef(issue.workspace, agent));
    expect(secret?.metadata?.ownerReferences?.map(({ uid }) => uid)).toEqual([job?.metadata?.uid]);
  });

  test('leaves an agent alone that has begun meanwhile', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    const runtime = platform.runtime();
    await launch(runtime, issue, agent);
    const { metadata } = await runningPod(platform.admin, issue.workspace);
    await launch(runtime, issue, agent, 2);
    const pods = await podsIn(platform.admin, issue.workspace);
    expect(pods.map((pod) => [pod.metadata?.uid, pod.metadata?.deletionTimestamp])).toEqual([
      [metadata?.uid, undefined],
    ]);
  });

  test('repeated finds the Job of its first time', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    const stuck = platform.runtime({ image: 'registry.invalid/absent:1' });
    await launch(stuck, issue, agent);
    await launch(stuck, issue, agent, 2);
    const [before] = await jobsIn(platform.admin, issue.workspace);
    await launch(stuck, issue, agent, 2);
    await launch(stuck, issue, agent, 1);
    const after = await jobsIn(platform.admin, issue.workspace);
    expect(after.map(({ metadata }) => metadata?.uid)).toEqual([before?.metadata?.uid]);
  });
});

describe('what is left of an agent', () => {
  test('goes when the next attempt is launched: its Job and its token', async () => {
    const issue = platform.issue();
    const first = agentOf(issue);
    const second = agentOf(issue, 2, first.runId);
    const runtime = platform.runtime();
    await launch(runtime, issue, first);
    await runningPod(platform.admin, issue.workspace);
    await launch(runtime, issue, second);
    expect(await platform.admin.find(jobRef(issue.workspace, first))).toBeUndefined();
    await untilGone(secretRef(issue.workspace, first));
    expect(await platform.admin.find(secretRef(issue.workspace, second))).toBeDefined();
  });

  test('the token goes with its Job', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    await launch(platform.runtime(), issue, agent);
    await platform.admin.remove(jobRef(issue.workspace, agent));
    await untilGone(secretRef(issue.workspace, agent));
  });

  test('is removed after a while, and then the agent counts as lost', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    const runtime = platform.runtime({ script: 'exit 0', keepSeconds: 0 });
    await launch(runtime, issue, agent);
    await untilGone(jobRef(issue.workspace, agent));
    expect(await ended(runtime, agent)).toEqual({ termination: 'agent_lost', detail: 'its Job is gone' });
  });
});

describe('stopping a run', () => {
  test('asks its agent to end, and waits until it has', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    const runtime = platform.runtime();
    await launch(runtime, issue, agent);
    await runningPod(platform.admin, issue.workspace);
    await runtime.stop(agent);
    expect(await jobsIn(platform.admin, issue.workspace)).toEqual([]);
    expect(await podsIn(platform.admin, issue.workspace)).toEqual([]);
  });

  test('that never was, or is over, does nothing', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    const runtime = platform.runtime();
    await runtime.stop(agent);
    await launch(runtime, issue, agent);
    await runtime.stop({ ...agent, runId: 'another' });
    expect(await jobsIn(platform.admin, issue.workspace)).toHaveLength(1);
  });
});

async function untilGone(ref: ObjectRef): Promise<void> {
  await until(`${ref.kind} ${ref.metadata.name} is gone`, async () => !(await platform.admin.find(ref)));
}

/** A worker that dies after it has made an object of this kind. */
function cutOffAfter(api: KubernetesApi, kind: string): KubernetesApi {
  let isCut = false;
  const guard =
    <Arguments extends readonly unknown[], Result>(act: (...given: Arguments) => Promise<Result>) =>
    async (...given: Arguments): Promise<Result> => {
      if (isCut) throw new Error('cut off');
      const result = await act(...given);
      if ((given[0] as { kind?: string }).kind === kind) isCut = true;
      return result;
    };
  return {
    ...api,
    apply: guard(async (object) => api.apply(object)) as KubernetesApi['apply'],
    create: guard(async (object) => api.create(object)),
    change: guard(async (ref, patch) => api.change(ref, patch)),
    find: guard(async (ref) => api.find(ref)) as KubernetesApi['find'],
  };
}
