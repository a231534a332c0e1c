/** The sweep of workspaces that are nobody's, on a cluster that others use too (docs/reliability.md T47). */
import { randomBytes } from 'node:crypto';
import type { V1Deployment, V1Namespace } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { ANNOTATIONS, LABELS, MANAGED_BY, PURPOSE } from '../../src/adapters/kubernetes/names.ts';
import { isRefused } from '../../src/adapters/kubernetes/refusals.ts';
import { installPlatform } from '../../src/embedded/install-platform.ts';
import { ALLOWED_IMAGES } from './support/red-team.ts';
import { eventually } from '../support/stack.ts';
import {
  agentOf,
  launch,
  namespaceRef,
  type Platform,
  podsIn,
  refIn,
  runningPod,
  startPlatform,
  until,
} from './support/agents.ts';
import { modestPod } from './support/pods.ts';
import { LONG_MS, openRuns, release, type Runs, SUCCEEDED, type WaitingRun } from './support/runs.ts';

/** Nobody has an issue of this number. */
const NUMBER = Math.floor(Math.random() * 1e9);
const tag = randomBytes(4).toString('hex');
const owner = `issue:1#${NUMBER}`;

interface Marks {
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
}

const marks = (name: string) => ({
  [LABELS.managedBy]: MANAGED_BY,
  [LABELS.purpose]: PURPOSE,
  [LABELS.workspace]: name,
});

/** Namespaces that look like ours, and are not. Each one is all but right. */
const FOREIGN: readonly [what: string, name: string, metadata: (name: string) => Marks][] = [
  [
    'has the name of a workspace',
    `codex-${tag}-r1-i${NUMBER}`,
    () => ({ annotations: { [ANNOTATIONS.owner]: owner } }),
  ],
  [
    'is managed by somebody else',
    `elsewhere-${tag}`,
    (name) => ({
      labels: { ...marks(name), [LABELS.managedBy]: 'another-worker' },
      annotations: { [ANNOTATIONS.owner]: owner },
    }),
  ],
  [
    'is for another purpose',
    `purpose-${tag}`,
    (name) => ({
      labels: { ...marks(name), [LABELS.purpose]: 'platform' },
      annotations: { [ANNOTATIONS.owner]: owner },
    }),
  ],
  [
    'carries only the mark of who manages it',
    `managed-${tag}`,
    () => ({ labels: { [LABELS.managedBy]: MANAGED_BY }, annotations: { [ANNOTATIONS.owner]: owner } }),
  ],
  [
    'carries only the mark of its purpose',
    `marked-${tag}`,
    () => ({ labels: { [LABELS.purpose]: PURPOSE }, annotations: { [ANNOTATIONS.owner]: owner } }),
  ],
  ['has no owner', `ownerless-${tag}`, (name) => ({ labels: marks(name) })],
  [
    'is no workspace by its labels',
    `unnamed-${tag}`,
    () => ({
      labels: { [LABELS.managedBy]: MANAGED_BY, [LABELS.purpose]: PURPOSE },
      annotations: { [ANNOTATIONS.owner]: owner },
    }),
  ],
];

let platform: Platform;
let runs: Runs;
const before = new Map<string, string | undefined>();

const namespaceOf = async (name: string): Promise<V1Namespace | undefined> =>
  platform.admin.find<V1Namespace>(namespaceRef(name));

/** Does what only somebody can who was there before the platform: its policies let nobody mark a namespace later. */
async function beforeInstallation(act: () => Promise<void>): Promise<void> {
  const name = 'codex-k8s-namespaces';
  const apiVersion = 'admissionregistration.k8s.io/v1';
  await platform.admin.remove({ apiVersion, kind: 'ValidatingAdmissionPolicyBinding', metadata: { name } });
  try {
    await act();
  } finally {
    await installPlatform(inject('kubeconfig'), ALLOWED_IMAGES);
    const marked = { metadata: { name: `late-${tag}`, labels: marks('late') } };
    const isLetIn = async (): Promise<boolean> =>
      platform.core.createNamespace({ body: marked, dryRun: 'All' }).then(
        () => true,
        () => false,
      );
    await until('the policies are in force', async () => !(await isLetIn()));
  }
}

/** For what a policy forbids that is gone: the API server takes a moment to see that. */
function unlessForbidden(error: unknown): false {
  if (isRefused(error, 403)) return false;
  throw error;
}

beforeAll(async () => {
  platform = await startPlatform();
  await beforeInstallation(async () => {
    for (const [, name, metadata] of FOREIGN) {
      const object = { ...namespaceRef(name), metadata: { name, ...metadata(name) } };
      await until(`${name} is made`, async () => platform.admin.create(object).catch(unlessForbidden));
      before.set(name, (await namespaceOf(name))?.metadata?.uid);
    }
  });
});

afterAll(async () => {
  await runs?.close();
  for (const [, name] of FOREIGN) await platform.admin.remove(namespaceRef(name));
  for (const [, name] of FOREIGN) await until(`${name} is gone`, async () => !(await namespaceOf(name)), 240);
  await platform.end();
});

/** A workspace of an issue that has no workflow, with an agent at work. Returns its namespace. */
async function orphan(): Promise<string> {
  const issue = platform.issue();
  const namespace = await launch(platform.runtime(), issue, agentOf(issue));
  await runningPod(platform.admin, namespace);
  return namespace;
}

/** What an agent has left running in its workspace. */
async function deploy(namespace: string): Promise<void> {
  const labels = { app: 'left' };
  const ref = refIn(namespace, 'Deployment', 'left', 'apps/v1');
  const template = { metadata: { labels }, spec: modestPod() };
  const deployment = { ...ref, spec: { selector: { matchLabels: labels }, template } };
  await platform.admin.create(deployment);
  const isReady = async (): Promise<boolean> =>
    (await platform.admin.find<V1Deployment>(ref))?.status?.readyReplicas === 1;
  await until('the Deployment is ready', isReady, 180);
}

async function isGone(namespace: string): Promise<boolean> {
  return (await namespaceOf(namespace)) === undefined;
}

describe('the list that is swept', () => {
  test('names a workspace that nobody owns, with the run that works in it', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    await launch(platform.runtime(), issue, agent);
    expect(await platform.runtime().listWorkspaces()).toContainEqual({
      name: issue.workspace,
      owner: issue.owner,
      runs: [agent.runId],
      usedAt: expect.any(String),
    });
  });

  test.each(FOREIGN)('leaves out a namespace that %s', async (_, name) => {
    const all = await platform.runtime().listWorkspaces();
    expect(all.map((workspace) => workspace.name)).not.toContain(name);
  });
});

describe('T47: the sweep', () => {
  let swept: string;
  let working: WaitingRun;

  beforeAll(async () => {
    const abandoned = await orphan();
    await deploy(abandoned);
    swept = abandoned;
    runs = await openRuns('swept', {
      CODEXK8S_SWEEP_WORKSPACE_SECONDS: '2',
      // Long enough for a pod to run in one before the sweep comes.
      CODEXK8S_SWEEP_ORPHAN_SECONDS: '20',
      CODEXK8S_SWEEP_GRACE_SECONDS: '1',
      // So impatient a sweep takes the workspace of the probe away, too.
      CODEXK8S_ALLOW_UNENFORCED_NETWORK_POLICY: 'true',
    });
    working = await runs.waiting('Stay');
  });

  test('takes a workspace that nobody owns away, with its agent and its Deployment', async () => {
    await eventually('the workspace is gone', async () => isGone(swept), LONG_MS);
    expect(await podsIn(platform.admin, swept)).toEqual([]);
  });

  test('leaves the workspace of an issue at work as it is, with its agent', async () => {
    // The sweep may come before a pod runs in it.
    const issue = platform.issue();
    const another = await launch(platform.runtime(), issue, agentOf(issue));
    await eventually('another workspace is gone', async () => isGone(another), LONG_MS);
    const { namespace = '', uid } = working.pod.metadata ?? {};
    expect((await podsIn(platform.admin, namespace)).map(({ metadata }) => metadata?.uid)).toEqual([uid]);
    await release(working.pod);
    expect(await runs.endedAtLast(working.issue)).toMatchObject({ ...SUCCEEDED, id: working.run.id });
  });

  test.each(FOREIGN)('leaves a namespace alone that %s', async (_, name) => {
    const { metadata, status } = (await namespaceOf(name)) ?? {};
    expect(before.get(name)).toEqual(expect.any(String));
    expect({ uid: metadata?.uid, phase: status?.phase }).toEqual({ uid: before.get(name), phase: 'Active' });
  });
});
