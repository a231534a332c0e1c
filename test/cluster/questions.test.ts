/** A run on Kubernetes that waits for an answer: its pod is gone, its namespace stays, and another pod goes on with the conversation. */
import { randomBytes } from 'node:crypto';
import type { V1Job, V1Namespace, V1Pod } from '@kubernetes/client-node';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { storedConversation } from '../support/conversations.ts';
import type { RunView } from '../../ingress/api/views.ts';
import { createKubernetesApi, readKubeConfig, type KubernetesApi } from '../../src/adapters/kubernetes/api.ts';
import { LABELS } from '../../src/adapters/kubernetes/names.ts';
import { beginnings } from '../e2e/support/agents.ts';
import { closeScene, openScene, type Scene } from '../e2e/support/scene.ts';
import { eventually } from '../support/stack.ts';
import { LONG_MS } from './support/runs.ts';

const REPO = 'asks-on-kubernetes';
/** Each emulator counts its repositories from 1, and the cluster is one for all. */
const PROJECT = `t${randomBytes(4).toString('hex')}`;

let scene: Scene;
let admin: KubernetesApi;
let issue: number;
let run: RunView;

beforeAll(async () => {
  admin = createKubernetesApi(() => readKubeConfig(inject('kubeconfig')));
  scene = await openScene({
    CODEXK8S_RUNTIME: 'kubernetes',
    KUBECONFIG: inject('kubeconfig'),
    CODEXK8S_AGENT_IMAGE: inject('agentImage'),
    CODEXK8S_GATEWAYS_HOST: inject('nodeAddress'),
    CODEXK8S_AGENT_MEMORY_REQUEST: '128Mi',
    CODEXK8S_QUESTION_HOURS: '0.5',
  });
  const { name } = await scene.bindRepository(REPO);
  await scene.platform.bindRepository({ fullName: `olivia/${name}`, project: PROJECT });
  issue = await scene.person.openIssue(REPO, { title: 'Report the words [script: asks]', body: 'Please.' });
  await scene.person.label(REPO, issue, 'run:dev');
  const { id } = await scene.started(REPO, issue);
  run = await eventually(
    'the run waits',
    async () => {
      const now = await scene.run(id);
      if (now.terminal) throw new Error(`run ${id} is over: ${now.status} ${now.failureText} ${now.detail}`);
      return now.status === 'waiting' && now;
    },
    LONG_MS,
  );
});

afterAll(async () => {
  await closeScene(scene);
  const left = await admin.list<V1Namespace>('v1', 'Namespace', { labelSelector: `${LABELS.project}=${PROJECT}` });
  for (const { metadata } of left)
    await admin.remove({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: metadata?.name ?? '' } });
});

const livingPods = async (): Promise<V1Pod[]> =>
  (await admin.list<V1Pod>('v1', 'Pod', { labelSelector: `${LABELS.runId}=${run.id}` })).filter(
    ({ status }) => status?.phase === 'Running' || status?.phase === 'Pending',
  );

test('while it waits no pod of it runs and no Job of it is at work, and its namespace stays', async () => {
  // What a Job says of its pods follows them.
  await eventually('no pod is left', async () => (await livingPods()).length === 0, LONG_MS);
  await eventually(
    'no Job is at work',
    async () => {
      const jobs = await admin.list<V1Job>('batch/v1', 'Job', { labelSelector: `${LABELS.runId}=${run.id}` });
      return jobs.every(({ status }) => (status?.active ?? 0) === 0);
    },
    LONG_MS,
  );
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: run.workspace ?? '' } };
  expect((await admin.find<V1Namespace>(namespace))?.metadata?.deletionTimestamp).toBeUndefined();
});

test('the answer starts another pod, which goes on with the conversation and with what was committed', async () => {
  await scene.platform.answerRun(run.id, { text: 'csv', actor: 'paula' });
  await eventually('the end of the run', async () => (await scene.run(run.id)).terminal, LONG_MS);
  const ended = await scene.ended(REPO, issue);
  expect(ended).toMatchObject({ status: 'succeeded', pullRequest: expect.any(Number) as number });
  expect(beginnings(await scene.log(run.id))).toHaveLength(2);
  const conversation = await storedConversation(scene.sql, run.id);
  expect(conversation?.threadId).toBe(ended.threadId);
  expect(conversation?.text.match(/"type":"session_meta"/g)).toHaveLength(1);
  const { data } = await scene.person.octokit.rest.repos.getContent({
    owner: 'olivia',
    repo: REPO,
    path: `reports/issue-${issue}.md`,
    ref: ended.branch,
  });
  const text = Buffer.from((data as { content: string }).content, 'base64').toString('utf8');
  expect(text).toBe('# Report the words [script: asks]\n\nAnswer: CSV\n');
});
