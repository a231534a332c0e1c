/** The main job with agents on Kubernetes: a whole `up`, whose worker has the account of deploy/kubernetes and no other. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Exec, type V1Job, type V1Namespace, type V1Pod, type V1Status } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { RunView } from '../../ingress/api/views.ts';
import { createKubernetesApi, readKubeConfig, type KubernetesApi } from '../../src/adapters/kubernetes/api.ts';
import { CONTAINER, LABELS } from '../../src/adapters/kubernetes/names.ts';
import { beginnings } from '../e2e/support/agents.ts';
import { closeScene, openScene, type Scene } from '../e2e/support/scene.ts';
import { eventually } from '../support/stack.ts';
import { LONG_MS } from './support/runs.ts';

const REPO = 'on-kubernetes';
/** Each emulator counts its repositories from 1, and the cluster is one for all. */
const PROJECT = `t${randomBytes(4).toString('hex')}`;

const FLAG = '/tmp/go-on';

let scene: Scene;
let admin: KubernetesApi;

beforeAll(async () => {
  admin = createKubernetesApi(() => readKubeConfig(inject('kubeconfig')));
  scene = await openScene({
    CODEXK8S_RUNTIME: 'kubernetes',
    KUBECONFIG: inject('kubeconfig'),
    CODEXK8S_AGENT_IMAGE: inject('agentImage'),
    CODEXK8S_GATEWAYS_HOST: inject('nodeAddress'),
    CODEXK8S_AGENT_MEMORY_REQUEST: '128Mi',
  });
  const { name } = await scene.bindRepository(REPO);
  await scene.platform.bindRepository({ fullName: `olivia/${name}`, project: PROJECT });
});

afterAll(async () => {
  await closeScene(scene);
  const left = await admin.list<V1Namespace>('v1', 'Namespace', { labelSelector: `${LABELS.project}=${PROJECT}` });
  for (const { metadata } of left)
    await admin.remove({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: metadata?.name ?? '' } });
});

async function waitingRun(title: string): Promise<{ issue: number; run: RunView; namespace: string }> {
  const issue = await scene.person.openIssue(REPO, { title: `${title} [script: wait]`, body: `wait-for: ${FLAG}` });
  await scene.person.label(REPO, issue, 'run:dev');
  const { id } = await scene.started(REPO, issue);
  const at = { labelSelector: `${LABELS.runId}=${id}` };
  const isRunning = async (): Promise<boolean> =>
    (await admin.list<V1Pod>('v1', 'Pod', at)).some(({ status }) => status?.phase === 'Running');
  await eventually('the pod runs', isRunning, LONG_MS);
  await scene.working(id, /until \[ -e/);
  const run = await scene.run(id);
  return { issue, run, namespace: run.workspace ?? '' };
}

const podsOf = (namespace: string, { id }: RunView): Promise<V1Pod[]> =>
  admin.list<V1Pod>('v1', 'Pod', { namespace, labelSelector: `${LABELS.runId}=${id}` });

const jobsOf = (namespace: string, { id }: RunView): Promise<V1Job[]> =>
  admin.list<V1Job>('batch/v1', 'Job', { namespace, labelSelector: `${LABELS.runId}=${id}` });

const namespaceOf = (name: string): Promise<V1Namespace | undefined> =>
  admin.find<V1Namespace>({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

/** Lets the agent in a pod go on. */
async function release(namespace: string, pod: V1Pod | undefined): Promise<void> {
  const exec = new Exec(readKubeConfig(inject('kubeconfig')));
  const { promise, resolve } = Promise.withResolvers<V1Status>();
  const name = pod?.metadata?.name ?? '';
  await exec.exec(namespace, name, CONTAINER, ['touch', FLAG], null, process.stderr, null, false, resolve);
  const { status, message } = await promise;
  if (status !== 'Success') throw new Error(`the agent in ${name} could not be told to go on: ${message}`);
}

/** Waits for the end of an issue's run, which takes longer on a cluster, and when its worker was killed. */
async function endedAtLast(issue: number): Promise<RunView> {
  const isOver = async () => (await scene.runsOf(REPO, issue))[0]?.terminal;
  await eventually(`the end of the run of ${REPO}#${issue}`, isOver, LONG_MS);
  return scene.ended(REPO, issue);
}

async function closeIssue(issue: number): Promise<void> {
  const { rest } = scene.person.octokit;
  await rest.issues.update({ owner: 'olivia', repo: REPO, issue_number: issue, state: 'closed' });
}

describe('a label on an issue', () => {
  let waiting: Awaited<ReturnType<typeof waitingRun>>;
  beforeAll(async () => {
    waiting = await waitingRun('the main job');
  });

  test('gives the issue a namespace of its own, with who it is for', async () => {
    const { metadata } = (await namespaceOf(waiting.namespace)) ?? {};
    expect(metadata?.labels).toMatchObject({
      'codex-k8s.dev/managed-by': 'codex-k8s-worker',
      'codex-k8s.dev/issue-number': String(waiting.issue),
      'codex-k8s.dev/agent-role': 'dev',
      'pod-security.kubernetes.io/enforce': 'restricted',
    });
    const { data } = await scene.person.octokit.rest.repos.getBranch({ owner: 'olivia', repo: REPO, branch: 'main' });
    expect(metadata?.annotations).toMatchObject({ 'codex-k8s.dev/base-commit': data.commit.sha });
  });

  test.each([
    ['v1', 'ServiceAccount', 'codex-runner'],
    ['v1', 'ResourceQuota', 'codex-run-quota'],
    ['v1', 'LimitRange', 'codex-run-limits'],
    ['networking.k8s.io/v1', 'NetworkPolicy', 'codex-run-network'],
    ['rbac.authorization.k8s.io/v1', 'Role', 'codex-runner'],
    ['rbac.authorization.k8s.io/v1', 'RoleBinding', 'codex-runner'],
  ])('puts into it %s %s %s', async (apiVersion, kind, name) => {
    const found = await admin.find({ apiVersion, kind, metadata: { name, namespace: waiting.namespace } });
    expect(found?.metadata?.name).toBe(name);
  });

  test('leaves nothing secret in the environment or the arguments of the pod', async () => {
    const [pod] = await podsOf(waiting.namespace, waiting.run);
    const container = pod?.spec?.containers[0];
    expect(container?.env ?? []).toEqual([]);
    expect(JSON.stringify(container?.args)).not.toMatch(/ey|v1\.|Bearer/);
  });

  test('ends in a pull request', async () => {
    const [pod] = await podsOf(waiting.namespace, waiting.run);
    await release(waiting.namespace, pod);
    const run = await endedAtLast(waiting.issue);
    expect(run).toMatchObject({ status: 'succeeded' });
    expect(await scene.pullRequestsOf(REPO, waiting.issue)).toHaveLength(1);
  });

  test('leaves no namespace when the issue is closed', async () => {
    await closeIssue(waiting.issue);
    await eventually(
      'the namespace is gone',
      async () => (await namespaceOf(waiting.namespace)) === undefined,
      LONG_MS,
    );
  });
});

describe('a worker that is killed while an agent works', () => {
  test('finds the same Job again, and the run ends as if nothing had been', async () => {
    const { issue, run, namespace } = await waitingRun('the worker dies');
    const before = scene.stack.pidOf('worker');
    process.kill(before, 'SIGKILL');
    await eventually('another worker', () => {
      const now = scene.stack.pids()['worker'];
      return now !== undefined && now !== before;
    });
    const [pod] = await podsOf(namespace, run);
    await release(namespace, pod);
    await endedAtLast(issue);
    expect(beginnings(await scene.log(run.id))).toHaveLength(1);
    await closeIssue(issue);
  });

  test('T46: does not start an agent again whose Job is gone meanwhile', async () => {
    const { issue, run, namespace } = await waitingRun('the worker is away');
    const [pod] = await podsOf(namespace, run);
    process.kill(scene.stack.pidOf('worker'), 'SIGSTOP');
    await release(namespace, pod);
    const [job] = await eventually(
      'the Job is over',
      async () => {
        const jobs = await jobsOf(namespace, run);
        return jobs.every(({ status }) => status?.completionTime !== undefined) && jobs;
      },
      LONG_MS,
    );
    await admin.remove({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: job?.metadata?.name ?? '', namespace },
    });
    process.kill(scene.stack.pidOf('worker'), 'SIGKILL');
    expect(await endedAtLast(issue)).toMatchObject({ status: 'succeeded' });
    expect(beginnings(await scene.log(run.id))).toHaveLength(1);
    await closeIssue(issue);
  });
});

describe('a pod that is deleted by hand while its agent works', () => {
  test('is followed by another that goes on with the conversation', async () => {
    const { issue, run, namespace } = await waitingRun('the pod goes');
    const [first] = await podsOf(namespace, run);
    await eventually('the conversation is stored', async () => {
      const [row] = await scene.sql`select count(*)::int as n from agent_conversations where run_id = ${run.id}`;
      return row?.['n'] === 1;
    });
    await admin.remove({ apiVersion: 'v1', kind: 'Pod', metadata: { name: first?.metadata?.name ?? '', namespace } });
    const isRunning = ({ metadata, status }: V1Pod): boolean =>
      metadata?.uid !== first?.metadata?.uid && status?.phase === 'Running';
    const second = await eventually(
      'another pod runs',
      async () => (await podsOf(namespace, run)).find(isRunning),
      LONG_MS,
    );
    await release(namespace, second);
    expect(await endedAtLast(issue)).toMatchObject({ status: 'succeeded' });
    const threads = await scene.sql`select thread_id from agent_conversations where run_id = ${run.id}`;
    expect(threads).toHaveLength(1);
    await closeIssue(issue);
  });
});

test('no run token is in any log of the platform', () => {
  const logs = ['server', 'worker'].map((name) => readFileSync(`${scene.stack.directory}/logs/${name}.log`, 'utf8'));
  expect(logs.join('')).not.toMatch(/run-token|Bearer [A-Za-z0-9]/);
});
