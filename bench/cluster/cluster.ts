/**
 * `npm run bench:cluster [-- --runs 20 --rounds 3 --at-once 20 --data DIR]`: from a delivery's arrival to the first
 * instruction of the agent's container on Kubernetes, beside creating the same Job bare. Real parts: a whole `up`, and a
 * local cluster, which is made in DIR or is the one of the tests.
 */
import { randomBytes } from 'node:crypto';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { CoreV1Event, V1Namespace } from '@kubernetes/client-node';
import { Client, Connection } from '@temporalio/client';
import { createKubernetesApi, readKubeConfig, type KubernetesApi } from '../../src/adapters/kubernetes/api.ts';
import type { PodSettings } from '../../src/adapters/kubernetes/job.ts';
import { LABELS } from '../../src/adapters/kubernetes/names.ts';
import { startCluster } from '../../deploy/local-cluster/cluster.ts';
import { dataConverter } from '../../src/temporal/data-converter.ts';
import { cacheDirectory } from '../../src/embedded/files/cache-directory.ts';
import { OWNER } from '../../src/embedded/accounts.ts';
import { closeScene, openScene, type Scene } from '../../test/e2e/support/scene.ts';
import { eventually } from '../../test/support/stack.ts';
import { describeMachine, machineSentence } from '../machine.ts';
import { silence } from '../start/deliveries.ts';
import { writeResults } from '../table.ts';
import { prepareBare, type BareStarts } from './bare.ts';
import { measureAtOnce, measureRun, type Place } from './platform.ts';
import { watchCluster } from './sightings.ts';
import { summarize, type Round } from './summary.ts';
import { render, type Result } from './text.ts';
import { FIRST_INSTRUCTION, type Timeline } from './timeline.ts';

/** Each emulator numbers its repositories from 1, and several may share the cluster. */
const PROJECT = `b${randomBytes(4).toString('hex')}`;

/** Small, so that all agents have room at once. */
const REQUESTS = { cpu: '10m', memory: '16Mi', ephemeralStorage: '0' };
const LIMITS = { cpu: '2', memory: '256Mi', ephemeralStorage: '256Mi' };

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '3' },
    'at-once': { type: 'string', default: '20' },
    data: { type: 'string', default: join(cacheDirectory(process.env), 'test-cluster') },
  },
});
const atOnce = Number(values['at-once']);

function say(what: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${what}\n`);
}

async function measureRound(place: Place, bareStarts: BareStarts): Promise<Round> {
  const platform: Timeline[] = [];
  const bare: Timeline[] = [];
  for (let run = 0; run < Number(values.runs); run += 1) {
    platform.push(await measureRun(place));
    bare.push(await bareStarts.start());
    process.stderr.write('.');
  }
  process.stderr.write('\n');
  say(`${atOnce} at once`);
  const platformAtOnce = atOnce > 0 ? await measureAtOnce(place, atOnce) : [];
  const bareAtOnce = atOnce > 0 ? await bareStarts.startAtOnce(atOnce) : [];
  return { platform, bare, platformAtOnce, bareAtOnce, load: loadavg()[0] ?? 0 };
}

const namespacesOf = (admin: KubernetesApi): Promise<V1Namespace[]> =>
  admin.list<V1Namespace>('v1', 'Namespace', { labelSelector: `${LABELS.project}=${PROJECT}` });

/** Why Kubernetes was not content in the namespaces of runs, and how often. */
async function warningsOf(admin: KubernetesApi): Promise<Record<string, number>> {
  const ours = new Set((await namespacesOf(admin)).map(({ metadata }) => metadata?.name));
  const counts: Record<string, number> = {};
  for (const { metadata, reason = 'unknown', count } of await admin.list<CoreV1Event>('v1', 'Event', {
    fieldSelector: 'type=Warning',
  }))
    if (ours.has(metadata.namespace)) counts[reason] = (counts[reason] ?? 0) + (count ?? 1);
  return counts;
}

/** The worker tries the cluster's network once, in a pod, before its first agent. */
async function untilProbed({ sql }: Scene): Promise<void> {
  await eventually(
    'the network is known',
    async () => (await sql`select 1 from cluster_findings where name = 'network_policy'`)[0],
    180_000,
  );
}

const load = loadavg()[0] ?? 0;
const cluster = await startCluster({ dataDirectory: values.data, install: true, report: say });
const admin = createKubernetesApi(() => readKubeConfig(cluster.kubeconfig));
const scene = await openScene({
  CODEXK8S_RUNTIME: 'kubernetes',
  KUBECONFIG: cluster.kubeconfig,
  CODEXK8S_GATEWAYS_HOST: cluster.nodeAddress,
  CODEXK8S_AGENT_IMAGE: cluster.images.agent,
  CODEXK8S_AGENT_COMMAND: JSON.stringify(FIRST_INSTRUCTION),
  CODEXK8S_AGENT_CPU_REQUEST: REQUESTS.cpu,
  CODEXK8S_AGENT_MEMORY_REQUEST: REQUESTS.memory,
  CODEXK8S_AGENT_CPU: LIMITS.cpu,
  CODEXK8S_AGENT_MEMORY: LIMITS.memory,
  CODEXK8S_AGENT_DISK: LIMITS.ephemeralStorage,
});
const connection = await Connection.connect({ address: scene.stack.ready.temporalAddress });
const sightings = await watchCluster(cluster.kubeconfig, PROJECT);
const pod: PodSettings = {
  image: cluster.images.agent,
  command: FIRST_INSTRUCTION,
  platformUrl: `http://${cluster.nodeAddress}`,
  deadlineSeconds: 600,
  keepSeconds: 600,
  requests: REQUESTS,
  limits: LIMITS,
};
const bareStarts = await prepareBare({ kubeconfig: cluster.kubeconfig, project: PROJECT, pod, sightings });
try {
  const repository = await scene.bindRepository('measured');
  await scene.platform.bindRepository({ fullName: `${OWNER}/${repository.name}`, project: PROJECT });
  await silence(scene, repository);
  say('waiting until the network is known');
  await untilProbed(scene);
  const client = new Client({ connection, namespace: 'codex-k8s', dataConverter });
  const place = { scene, repository, sightings, client };
  const cold = { platform: await measureRun(place), bare: await bareStarts.start() };
  const rounds: Round[] = [];
  while (rounds.length < Number(values.rounds)) {
    say(`round ${rounds.length + 1}`);
    rounds.push(await measureRound(place, bareStarts));
  }

  const machine = describeMachine(['@temporalio/worker', '@kubernetes/client-node']);
  const result: Result & { rounds: readonly Round[]; machine: typeof machine } = {
    date: new Date().toISOString(),
    machine,
    load,
    runs: Number(values.runs),
    atOnce,
    ...summarize(rounds, cold),
    warnings: await warningsOf(admin),
    rounds,
  };
  const text = render(result, machineSentence(machine));
  writeResults('cluster', result, text);
  process.stdout.write(`${text}\n`);
} finally {
  sightings.close();
  await connection.close();
  await closeScene(scene);
  await bareStarts.remove();
  for (const { metadata } of await namespacesOf(admin))
    await admin.remove({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: metadata?.name ?? '' } });
}
