import type {
  KubernetesObject,
  V1LimitRange,
  V1Namespace,
  V1NetworkPolicy,
  V1ResourceQuota,
  V1Role,
} from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { removeWorkspace } from '../../src/adapters/kubernetes/workspace.ts';
import {
  agentOf,
  ended,
  type Issue,
  jobsIn,
  launch,
  namespaceRef,
  namespacesOf,
  type Platform,
  podsIn,
  refIn,
  runningPod,
  startPlatform,
  until,
} from './support/agents.ts';

/** What a workspace consists of besides its namespace. */
const PARTS = [
  ['v1', 'ServiceAccount', 'codex-runner'],
  ['rbac.authorization.k8s.io/v1', 'Role', 'codex-runner'],
  ['rbac.authorization.k8s.io/v1', 'RoleBinding', 'codex-runner'],
  ['networking.k8s.io/v1', 'NetworkPolicy', 'codex-run-network'],
  ['v1', 'LimitRange', 'codex-run-limits'],
  ['v1', 'ResourceQuota', 'codex-run-quota'],
] as const;

const IMAGE = inject('busyboxImage');
const FINALIZER = 'codex-k8s.test/held';

let platform: Platform;
const foreign: string[] = [];
const held: ReturnType<typeof refIn>[] = [];

beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(async () => {
  for (const ref of held) await letGo(ref);
  await platform.end();
  for (const name of foreign) await platform.admin.remove(namespaceRef(name));
  for (const name of foreign)
    await until(`${name} is gone`, async () => !(await platform.admin.find(namespaceRef(name))));
});

async function part(namespace: string, [apiVersion, kind, name]: (typeof PARTS)[number]) {
  return platform.admin.find(refIn(namespace, kind, name, apiVersion));
}

/** What is written in them, and how often it was; the count of a quota is not. */
async function versions(namespace: string): Promise<Record<string, unknown>> {
  const entries = PARTS.map(async (row) => {
    const { metadata, status: _, ...rest } = (await part(namespace, row)) as KubernetesObject & { status?: unknown };
    const { resourceVersion, managedFields: __, ...kept } = metadata!;
    return [row[1], { ...rest, metadata: { ...kept, ...(row[1] === 'ResourceQuota' ? {} : { resourceVersion }) } }];
  });
  return Object.fromEntries(await Promise.all(entries)) as Record<string, unknown>;
}

async function namespaceOf(name: string): Promise<V1Namespace> {
  return (await platform.admin.find<V1Namespace>(namespaceRef(name)))!;
}

/** Something in a namespace that does not go with it. */
async function hold(namespace: string): Promise<void> {
  const ref = refIn(namespace, 'ConfigMap', 'held');
  await platform.admin.create({ ...ref, metadata: { ...ref.metadata, finalizers: [FINALIZER] } });
  held.push(ref);
}

async function letGo(ref: ReturnType<typeof refIn>): Promise<void> {
  if (await platform.admin.find(ref)) await platform.admin.change(ref, { metadata: { finalizers: null } });
}

async function isLeaving(name: string): Promise<boolean> {
  return (await namespaceOf(name)).metadata?.deletionTimestamp !== undefined;
}

describe('a workspace', () => {
  test('is marked as ours and its issue’s', async () => {
    const issue = platform.issue({ mode: 'code-only', role: 'qa', project: 'Some Project' });
    await launch(platform.runtime(), issue, agentOf(issue));
    const { metadata } = await namespaceOf(issue.workspace);
    expect(metadata?.labels).toMatchObject({
      'codex-k8s.dev/managed-by': 'codex-k8s-worker',
      'codex-k8s.dev/namespace-purpose': 'run',
      'codex-k8s.dev/runtime-mode': 'code-only',
      'codex-k8s.dev/project': 'Some-Project',
      'codex-k8s.dev/repository-id': '1',
      'codex-k8s.dev/issue-number': String(issue.use.issueNumber),
      'codex-k8s.dev/agent-role': 'qa',
      'codex-k8s.dev/workspace': issue.workspace,
      'pod-security.kubernetes.io/enforce': 'restricted',
    });
    expect(metadata?.annotations).toMatchObject({
      'codex-k8s.dev/owner': issue.owner,
      'codex-k8s.dev/namespace-lease-expires-at': issue.use.until,
    });
  });

  test('is as it was after a second launch', async () => {
    const issue = platform.issue();
    await launch(platform.runtime(), issue, agentOf(issue));
    const before = await versions(issue.workspace);
    await launch(platform.runtime(), issue, agentOf(issue));
    expect(await versions(issue.workspace)).toEqual(before);
  });

  test('is leased for longer by the next launch', async () => {
    const issue = platform.issue();
    await launch(platform.runtime(), issue, agentOf(issue));
    const until = new Date(Date.now() + 7_200_000).toISOString();
    await launch(platform.runtime(), { ...issue, use: { ...issue.use, until } }, agentOf(issue));
    const { metadata } = await namespaceOf(issue.workspace);
    expect(metadata?.annotations?.['codex-k8s.dev/namespace-lease-expires-at']).toBe(until);
  });

  test('of an issue is never that of another one, when both begin at the same time', async () => {
    const issues = Array.from({ length: 4 }, () => platform.issue());
    const agents = issues.map((issue) => agentOf(issue));
    await Promise.all(issues.map(async (issue, index) => launch(platform.runtime(), issue, agents[index]!)));
    for (const [index, { workspace, owner }] of issues.entries()) {
      expect((await namespaceOf(workspace)).metadata?.annotations?.['codex-k8s.dev/owner']).toBe(owner);
      const runs = (await jobsIn(platform.admin, workspace)).map(
        (job) => job.metadata?.labels?.['codex-k8s.dev/run-id'],
      );
      expect(runs).toEqual([agents[index]!.runId]);
    }
  });

  test('is made once when it is wanted ten times at once', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    await Promise.all(Array.from({ length: 10 }, async () => launch(platform.runtime(), issue, agent)));
    expect((await namespacesOf(platform.admin, issue.workspace)).map(({ metadata }) => metadata?.name)).toEqual([
      issue.workspace,
    ]);
  });

  test.each(PARTS.map((row) => [`${row[1]} ${row[2]}`, row] as const))('gets its %s back', async (_what, row) => {
    const issue = platform.issue();
    await launch(platform.runtime(), issue, agentOf(issue));
    const before = (await part(issue.workspace, row)) as { spec?: unknown; rules?: unknown };
    await platform.admin.remove(refIn(issue.workspace, row[1], row[2], row[0]));
    expect(await part(issue.workspace, row)).toBeUndefined();
    await launch(platform.runtime(), issue, agentOf(issue));
    const { spec, rules } = (await part(issue.workspace, row)) as { spec?: unknown; rules?: unknown };
    expect({ spec, rules }).toEqual({ spec: before.spec, rules: before.rules });
  });

  test('gets its fences back as they were, when somebody has moved them', async () => {
    const issue = platform.issue();
    await launch(platform.runtime(), issue, agentOf(issue));
    const quota = await part(issue.workspace, PARTS[5]);
    const network = await part(issue.workspace, PARTS[3]);
    await platform.admin.change(refIn(issue.workspace, 'ResourceQuota', 'codex-run-quota'), {
      spec: { hard: { pods: '999' } },
    });
    await platform.admin.change(refIn(issue.workspace, 'NetworkPolicy', 'codex-run-network', PARTS[3][0]), {
      spec: { egress: [{}] },
    });
    await launch(platform.runtime(), issue, agentOf(issue));
    expect((await part(issue.workspace, PARTS[5])) as V1ResourceQuota).toMatchObject({
      spec: (quota as V1ResourceQuota).spec,
    });
    expect(((await part(issue.workspace, PARTS[3])) as V1NetworkPolicy).spec).toEqual(
      (network as V1NetworkPolicy).spec,
    );
  });

  test('lets an agent do less when the next one is of another role', async () => {
    const issue = platform.issue({ role: 'dev' });
    await launch(platform.runtime(), issue, agentOf(issue));
    const reviews: Issue = { ...issue, use: { ...issue.use, role: 'reviewer', mode: 'code-only' } };
    await launch(platform.runtime(), reviews, agentOf(issue));
    expect(((await part(issue.workspace, PARTS[1])) as V1Role).rules ?? []).toEqual([]);
    expect((await namespaceOf(issue.workspace)).metadata?.labels?.['codex-k8s.dev/runtime-mode']).toBe('code-only');
  });
});

describe('the size of a workspace', () => {
  const as = (issue: Issue, use: Partial<Issue['use']>): Issue => ({ ...issue, use: { ...issue.use, ...use } });
  const does = async (issue: Issue) => launch(platform.runtime(), issue, agentOf(issue));
  const quotaOf = async (name: string) => ((await part(name, PARTS[5])) as V1ResourceQuota).spec?.hard;

  test('for arch is small', async () => {
    const issue = platform.issue({ stage: 'arch', role: 'sa' });
    await does(issue);
    expect((await namespaceOf(issue.workspace)).metadata?.annotations?.['codex-k8s.dev/size']).toBe('reading');
    expect(await quotaOf(issue.workspace)).toMatchObject({ pods: '5', 'limits.memory': '20Gi' });
  });

  test('for qa has room for its test Jobs', async () => {
    const issue = platform.issue({ stage: 'qa', role: 'qa' });
    await does(issue);
    expect(await quotaOf(issue.workspace)).toMatchObject({
      pods: '30',
      'requests.cpu': '6',
      'requests.memory': '12Gi',
      'limits.cpu': '16',
      'limits.memory': '32Gi',
      'limits.ephemeral-storage': '80Gi',
    });
  });

  test('for qa gives a container that asks for nothing more memory', async () => {
    const issue = platform.issue({ stage: 'qa', role: 'qa' });
    await does(issue);
    const [limits] = ((await part(issue.workspace, PARTS[4])) as V1LimitRange).spec?.limits ?? [];
    expect(limits?._default).toEqual({ cpu: '1', memory: '2Gi', 'ephemeral-storage': '2Gi' });
  });

  test('for dev is full when an agent has made CronJobs without end', async () => {
    const issue = platform.issue();
    await does(issue);
    const cronJob = (number: number) => ({
      ...refIn(issue.workspace, 'CronJob', `endless-${number}`, 'batch/v1'),
      spec: {
        schedule: '0 0 1 1 *',
        suspend: true,
        jobTemplate: {
          spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: IMAGE }] } } },
        },
      },
    });
    for (let number = 1; number <= 10; number += 1) await platform.admin.create(cronJob(number));
    await expect(platform.admin.create(cronJob(11))).rejects.toThrow('exceeded quota: codex-run-quota');
    expect(await quotaOf(issue.workspace)).toMatchObject({ 'count/pods': '200', 'count/configmaps': '100' });
  });

  test('grows from arch to dev', async () => {
    const issue = platform.issue({ stage: 'arch', role: 'sa' });
    await does(issue);
    await does(as(issue, { stage: 'dev', role: 'dev' }));
    expect(await quotaOf(issue.workspace)).toMatchObject({ pods: '20', 'limits.memory': '24Gi' });
  });

  test('does not shrink when dev works where qa has', async () => {
    const issue = platform.issue({ stage: 'qa', role: 'qa' });
    await does(issue);
    expect(await does(as(issue, { stage: 'dev', role: 'dev' }))).toBe(issue.workspace);
    expect((await namespaceOf(issue.workspace)).metadata?.annotations?.['codex-k8s.dev/size']).toBe('testing');
    expect(await quotaOf(issue.workspace)).toMatchObject({ pods: '30', 'limits.memory': '32Gi' });
  });

  test('begins anew when the workspace is made anew', async () => {
    const issue = platform.issue({ stage: 'qa', role: 'qa', baseCommit: 'abc123' });
    await does(issue);
    const namespace = await does(as(issue, { stage: 'arch', role: 'sa', baseCommit: 'def456' }));
    expect(namespace).toBe(`${issue.workspace}-2`);
    expect(await quotaOf(namespace)).toMatchObject({ pods: '5' });
  });
});

describe('T47: a namespace with the name of a workspace', () => {
  test('that somebody else has made is left as it is', async () => {
    const issue = platform.issue();
    foreign.push(issue.workspace);
    await platform.admin.create({
      ...namespaceRef(issue.workspace),
      metadata: { name: issue.workspace, labels: { team: 'theirs' } },
    });
    const theirs = refIn(issue.workspace, 'ConfigMap', 'theirs');
    await platform.admin.create(theirs);
    const before = [await namespaceOf(issue.workspace), await platform.admin.find(theirs)];
    await expect(launch(platform.runtime(), issue, agentOf(issue))).rejects.toMatchObject({
      name: 'ForeignWorkspace',
      message: `namespace ${issue.workspace} belongs to somebody who is not this platform, not to ${issue.owner}: it is left as it is`,
    });
    await platform.runtime().removeWorkspace({ name: issue.workspace, owner: issue.owner });
    expect([await namespaceOf(issue.workspace), await platform.admin.find(theirs)]).toEqual(before);
    for (const row of PARTS) expect(await part(issue.workspace, row)).toBeUndefined();
    expect((await platform.runtime().listWorkspaces()).map(({ name }) => name)).not.toContain(issue.workspace);
  });

  test('that belongs to another issue is left as it is', async () => {
    const issue = platform.issue();
    const runtime = platform.runtime();
    await launch(runtime, issue, agentOf(issue));
    await runningPod(platform.admin, issue.workspace);
    const before = [await namespaceOf(issue.workspace), await versions(issue.workspace)];
    const other: Issue = { ...issue, owner: 'issue:2#2' };
    const message = `namespace ${issue.workspace} belongs to ${issue.owner}, not to issue:2#2: it is left as it is`;
    await expect(launch(runtime, other, agentOf(other))).rejects.toMatchObject({ name: 'ForeignWorkspace', message });
    await expect(runtime.removeWorkspace({ name: issue.workspace, owner: other.owner })).rejects.toMatchObject({
      name: 'ForeignWorkspace',
      message,
    });
    expect([await namespaceOf(issue.workspace), await versions(issue.workspace)]).toEqual(before);
    expect(await podsIn(platform.admin, issue.workspace)).toHaveLength(1);
  });
});

describe('T40: a workspace that is held', () => {
  test('by a finalizer: it is said what holds it, and the finalizer is left', async () => {
    const issue = platform.issue();
    await launch(platform.runtime(), issue, agentOf(issue));
    await hold(issue.workspace);
    const removal = { name: issue.workspace, owner: issue.owner };
    let words = '';
    await until(
      'Kubernetes says what holds it',
      async () => {
        words = (await removeWorkspace(platform.worker, removal, 1000)).held ?? '';
        return words.includes(FINALIZER);
      },
      180,
    );
    expect(words).toContain(`namespace ${issue.workspace} is still being deleted: `);
    expect(words).toContain('Some content in the namespace has finalizers remaining');
    const ref = refIn(issue.workspace, 'ConfigMap', 'held');
    expect((await platform.admin.find(ref))?.metadata?.finalizers).toEqual([FINALIZER]);
    await letGo(ref);
    expect(await removeWorkspace(platform.worker, removal, 240_000)).toEqual({});
  });

  test('keeps nobody waiting: the next agent works in another namespace', async () => {
    const issue = platform.issue();
    await launch(platform.runtime(), issue, agentOf(issue));
    await hold(issue.workspace);
    await removeWorkspace(platform.worker, { name: issue.workspace, owner: issue.owner }, 0);
    const agent = agentOf(issue);
    const runtime = platform.runtime({ script: 'echo here; exit 1' });
    expect(await launch(runtime, issue, agent)).toBe(`${issue.workspace}-2`);
    expect(await ended(runtime, agent)).toMatchObject({ termination: 'agent_error', log: 'here\n' });
  });

  test('is dropped, and the agent stays where it is when it is launched again', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    const runtime = platform.runtime();
    await launch(runtime, issue, agentOf(issue));
    await hold(issue.workspace);
    await removeWorkspace(platform.worker, { name: issue.workspace, owner: issue.owner }, 0);
    await launch(runtime, issue, agent);
    const pod = await runningPod(platform.admin, `${issue.workspace}-2`);
    await letGo(refIn(issue.workspace, 'ConfigMap', 'held'));
    await until('it is gone', async () => !(await platform.admin.find(namespaceRef(issue.workspace))));

    expect(await launch(runtime, issue, agent)).toBe(`${issue.workspace}-2`);
    const namespaces = await namespacesOf(platform.admin, issue.workspace);
    expect(namespaces.map(({ metadata }) => metadata?.name)).toEqual([`${issue.workspace}-2`]);
    const [same] = await podsIn(platform.admin, `${issue.workspace}-2`);
    expect(same?.metadata?.uid).toBe(pod.metadata?.uid);
  });

  test('does not stand in the way of another issue that has its name now', async () => {
    const issue = platform.issue();
    const next: Issue = { ...issue, owner: 'issue:2#2' };
    await launch(platform.runtime(), issue, agentOf(issue));
    await hold(issue.workspace);
    await removeWorkspace(platform.worker, { name: issue.workspace, owner: issue.owner }, 0);
    expect(await launch(platform.runtime(), next, agentOf(next))).toBe(`${issue.workspace}-2`);
    expect(await removeWorkspace(platform.worker, { name: next.workspace, owner: next.owner })).toEqual({});
    expect(await isLeaving(issue.workspace)).toBe(true);
  });

  test('is removed with what was made in its place', async () => {
    const issue = platform.issue();
    const removal = { name: issue.workspace, owner: issue.owner };
    await launch(platform.runtime(), issue, agentOf(issue));
    await hold(issue.workspace);
    await removeWorkspace(platform.worker, removal, 0);
    await launch(platform.runtime(), issue, agentOf(issue));
    expect((await removeWorkspace(platform.worker, removal, 0)).held).toContain(`namespace ${issue.workspace}`);
    expect(await isLeaving(issue.workspace)).toBe(true);
    await until('the other is gone', async () => !(await platform.admin.find(namespaceRef(`${issue.workspace}-2`))));
  });
});

describe('a workspace that goes', () => {
  test('by hand, under an agent: it is lost, and its next attempt works', async () => {
    const issue = platform.issue();
    const first = agentOf(issue);
    const runtime = platform.runtime();
    await launch(runtime, issue, first);
    const lost = ended(runtime, first);
    await runningPod(platform.admin, issue.workspace);
    await hold(issue.workspace);
    await platform.admin.remove(namespaceRef(issue.workspace));
    expect(await lost).toMatchObject({ termination: 'agent_lost' });
    const second = agentOf(issue, 2, first.runId);
    const namespace = await launch(runtime, issue, second);
    expect(namespace).toBe(`${issue.workspace}-2`);
    await runningPod(platform.admin, namespace);
  });

  test('by hand, before its agent is asked for: it is lost', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    await launch(platform.runtime(), issue, agent);
    await platform.admin.remove(namespaceRef(issue.workspace));
    await until('it is gone', async () => !(await platform.admin.find(namespaceRef(issue.workspace))));
    expect(await ended(platform.runtime(), agent)).toEqual({
      termination: 'agent_lost',
      detail: 'its namespace is gone',
    });
  });

  test('in the middle of a launch: the next try finds another place', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    await launch(platform.runtime(), issue, agentOf(issue));
    await hold(issue.workspace);
    const unlucky = platform.runtime({
      through: (api) => ({
        ...api,
        apply: async (object) => {
          if (object.kind === 'Role') {
            await platform.admin.remove(namespaceRef(issue.workspace));
            await platform.admin.remove(refIn(issue.workspace, 'ResourceQuota', 'codex-run-quota'));
          }
          return api.apply(object);
        },
      }),
    });
    await expect(launch(unlucky, issue, agent)).rejects.toMatchObject({ name: 'WorkspaceLeaving' });
    expect(await launch(platform.runtime(), issue, agent)).toBe(`${issue.workspace}-2`);
  });

  test('when it is removed: with its agent, and a second removal finds nothing to do', async () => {
    const issue = platform.issue();
    const runtime = platform.runtime();
    await launch(runtime, issue, agentOf(issue));
    await runningPod(platform.admin, issue.workspace);
    const removal = { name: issue.workspace, owner: issue.owner };
    expect(await runtime.removeWorkspace(removal)).toEqual({});
    expect(await namespacesOf(platform.admin, issue.workspace)).toEqual([]);
    expect(await runtime.removeWorkspace(removal)).toEqual({});
  });
});

describe('the commit that the work stands on', () => {
  const on = (issue: Issue, baseCommit: string): Issue => ({ ...issue, use: { ...issue.use, baseCommit } });

  test('unchanged lets the next agent work where the one before it did', async () => {
    const issue = on(platform.issue(), 'abc123');
    await launch(platform.runtime(), issue, agentOf(issue));
    expect(await launch(platform.runtime(), issue, agentOf(issue))).toBe(issue.workspace);
  });

  test('changed makes another namespace, and the old one goes', async () => {
    const issue = platform.issue();
    await launch(platform.runtime(), on(issue, 'abc123'), agentOf(issue));
    expect(await launch(platform.runtime(), on(issue, 'def456'), agentOf(issue))).toBe(`${issue.workspace}-2`);
    await until('the old one is gone', async () => !(await platform.admin.find(namespaceRef(issue.workspace))));
  });
});

describe('the agents’ image', () => {
  test('changed makes another namespace, and the old one goes', async () => {
    const issue = platform.issue();
    await launch(platform.runtime(), issue, agentOf(issue));
    const namespace = await launch(platform.runtime({ image: 'codex-k8s/other:1' }), issue, agentOf(issue));
    expect(namespace).toBe(`${issue.workspace}-2`);
    await until('the old one is gone', async () => !(await platform.admin.find(namespaceRef(issue.workspace))));
  });

  test('changed does not take a namespace of another issue away', async () => {
    const issue = platform.issue();
    await launch(platform.runtime(), issue, agentOf(issue));
    const other: Issue = { ...issue, owner: 'issue:2#2' };
    await expect(launch(platform.runtime({ image: 'codex-k8s/other:1' }), other, agentOf(other))).rejects.toMatchObject(
      {
        name: 'ForeignWorkspace',
      },
    );
    expect(await isLeaving(issue.workspace)).toBe(false);
  });
});

describe('the list of workspaces', () => {
  test('names ours, with their runs, and no others', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    await launch(platform.runtime(), issue, agent);
    const all = await platform.runtime().listWorkspaces();
    const usedAt = expect.stringMatching(/^\d{4}-.*Z$/) as unknown;
    expect(all.filter(({ name }) => name === issue.workspace)).toEqual([
      { name: issue.workspace, owner: issue.owner, runs: [agent.runId], usedAt },
    ]);
    expect(all.map(({ name }) => name)).not.toContain('kube-system');
    expect(all.map(({ name }) => name)).not.toContain('codex-k8s');
  });

  test('begins with what has been unused the longest', async () => {
    const [first, second] = [platform.issue(), platform.issue()];
    await launch(platform.runtime(), first, agentOf(first));
    await launch(platform.runtime(), second, agentOf(second));
    await until('a second has passed', async () => {
      await launch(platform.runtime(), first, agentOf(first));
      const names = (await platform.runtime().listWorkspaces()).map(({ name }) => name);
      return names.indexOf(second.workspace) < names.indexOf(first.workspace);
    });
  });
});
