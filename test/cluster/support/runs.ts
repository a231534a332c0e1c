/** Whole runs with agents on Kubernetes: an `up` of its own, with a repository, and what tests do with the agents' pods. */
import { randomBytes } from 'node:crypto';
import type { V1Namespace, V1Pod } from '@kubernetes/client-node';
import { inject } from 'vitest';
import type { RunView } from '../../../ingress/api/views.ts';
import { createKubernetesApi, type KubernetesApi, readKubeConfig } from '../../../src/adapters/kubernetes/api.ts';
import { CONTAINER, LABELS } from '../../../src/adapters/kubernetes/names.ts';
import { OWNER } from '../../../src/embedded/accounts.ts';
import { closeScene, openScene, type Scene } from '../../e2e/support/scene.ts';
import { eventually } from '../../support/stack.ts';
import { namespaceRef } from './agents.ts';
import { runIn } from './pods.ts';

/** The file that the agent of a {@link Runs.waiting} run waits for. */
const FLAG = '/tmp/go-on';

/** Milliseconds for what takes a cluster long: to notice a termination, to give an image up twice, to remove a namespace. */
export const LONG_MS = 240_000;

/** How a run is shown that went well. */
export const SUCCEEDED = { status: 'succeeded', failure: null, detail: null } as const;

/** A run whose agent waits until it is let go on. */
export interface WaitingRun {
  readonly issue: number;
  readonly run: RunView;
  readonly pod: V1Pod;
}

export interface Runs {
  readonly scene: Scene;
  /** The administrator's. */
  readonly admin: KubernetesApi;
  /** Opens an issue with a label that starts a run. */
  labeled(title: string, body?: string): Promise<number>;
  waiting(title: string): Promise<WaitingRun>;
  podsOf(runId: string): Promise<V1Pod[]>;
  closeIssue(issue: number): Promise<void>;
  /** Waits for the end of the issue's run of this place, counted from 0: it has more to wait for than most. */
  endedAtLast(issue: number, place?: number): Promise<RunView>;
  /** Ends it all, with every namespace that was made for it. */
  close(): Promise<void>;
}

/** `env`: for `up`, over what agents on the cluster of this run of vitest need. */
export async function openRuns(repo: string, env: Readonly<Record<string, string>> = {}): Promise<Runs> {
  const admin = createKubernetesApi(() => readKubeConfig(inject('kubeconfig')));
  // Each emulator counts its repositories from 1, and the cluster is one for all.
  const project = `t${randomBytes(4).toString('hex')}`;
  const scene = await openScene({
    CODEXK8S_RUNTIME: 'kubernetes',
    KUBECONFIG: inject('kubeconfig'),
    CODEXK8S_AGENT_IMAGE: inject('agentImage'),
    CODEXK8S_GATEWAYS_HOST: inject('nodeAddress'),
    CODEXK8S_AGENT_MEMORY_REQUEST: '128Mi',
    ...env,
  });

  async function close(): Promise<void> {
    await closeScene(scene);
    const left = await admin.list<V1Namespace>('v1', 'Namespace', { labelSelector: `${LABELS.project}=${project}` });
    for (const { metadata } of left) await admin.remove(namespaceRef(metadata?.name ?? ''));
  }

  async function labeled(title: string, body = ''): Promise<number> {
    const issue = await scene.person.openIssue(repo, { title, body });
    await scene.person.label(repo, issue, 'run:dev');
    return issue;
  }

  async function podsOf(runId: string): Promise<V1Pod[]> {
    return admin.list<V1Pod>('v1', 'Pod', { labelSelector: `${LABELS.runId}=${runId}` });
  }

  try {
    await scene.bindRepository(repo);
    await scene.platform.bindRepository({ fullName: `${OWNER}/${repo}`, project });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    scene,
    admin,
    labeled,
    podsOf,
    close,
    async waiting(title) {
      const issue = await labeled(`${title} [script: wait]`, `wait-for: ${FLAG}`);
      const { id } = await scene.started(repo, issue);
      // Controllers that lost their API server a few times are slow to come back.
      const runsNow = async () => (await podsOf(id)).some(({ status }) => status?.phase === 'Running');
      await eventually(`the pod of run ${id} runs`, runsNow, LONG_MS);
      await scene.working(id, /until \[ -e/);
      const [pod] = await podsOf(id);
      if (!pod) throw new Error(`run ${id} works, and has no pod`);
      return { issue, run: await scene.run(id), pod };
    },
    async closeIssue(issue) {
      await scene.person.octokit.rest.issues.update({ owner: OWNER, repo, issue_number: issue, state: 'closed' });
    },
    async endedAtLast(issue, place = 0) {
      const isOver = async () => (await scene.runsOf(repo, issue))[place]?.terminal;
      await eventually(`the end of run ${place} of ${repo}#${issue}`, isOver, LONG_MS);
      return scene.ended(repo, issue, place);
    },
  };
}

/** Lets the agent in a pod go on. */
export async function release({ metadata }: V1Pod): Promise<void> {
  const place = { namespace: metadata?.namespace ?? '', pod: metadata?.name ?? '', container: CONTAINER };
  const { succeeded, said } = await runIn(place, ['touch', FLAG]);
  if (!succeeded) throw new Error(`the agent in ${place.pod} could not be told to go on: ${said}`);
}
