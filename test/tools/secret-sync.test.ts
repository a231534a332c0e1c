/** A secret that an ops run asks for, written to GitHub's stand-in and to a cluster in memory. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createGitHub } from '../../src/adapters/github/index.ts';
import { createSealing } from '../../src/adapters/sealing.ts';
import { secretSyncs, syncedSecrets } from '../../src/store/connection/schema.ts';
import {
  claimSecret,
  confirmSecret,
  findSecretOwner,
  findSync,
  recordSync,
  releaseSecret,
} from '../../src/store/projects/synced-secrets.ts';
import { TOOL_SCHEMAS } from '../../src/tools/schemas.ts';
import { secretSync, type ClusterSecrets, type SecretSyncPorts } from '../../src/tools/secret-sync.ts';
import { startWithDemo, type Stage } from '../emulators/github/emulator.ts';
import { useTables } from '../support/tables.ts';
import { contextOf, OTHER_PROJECT, PROJECT } from './support.ts';

const tables = useTables();
let stage: Stage;
let ports: SecretSyncPorts;
let cluster: Map<string, { owner: string; value: string }>;
let environment = 0;

beforeAll(async () => {
  stage = await startWithDemo();
});
afterAll(async () => stage.emulator.close());

beforeEach(async () => {
  await tables.db.delete(syncedSecrets);
  await tables.db.delete(secretSyncs);
  environment += 1;
  cluster = new Map([['demo-i7/theirs', { owner: 'a person', value: 'of a person' }]]);
  const waits = { current: () => Promise.resolve(undefined), hold: () => Promise.reject(new Error('nobody waits')) };
  ports = {
    records: {
      findOwner: (place) => findSecretOwner(tables.db, place),
      claim: (place, owner) => claimSecret(tables.db, place, owner),
      confirm: (place, written) => confirmSecret(tables.db, place, written),
      release: (place) => releaseSecret(tables.db, place),
      findSync: (projectId, key) => findSync(tables.db, projectId, key),
      recordSync: (sync) => recordSync(tables.db, sync),
    },
    github: createGitHub({ apiUrl: stage.emulator.apiUrl, token: 'token-octo', waits, limits: { callMs: 200_000 } }),
    cluster: inMemory(),
    sealing: createSealing('a key of the platform, for tests only'),
  };
});

function inMemory(): ClusterSecrets {
  const workspaces = new Map([
    ['demo-i7', PROJECT],
    ['demo-i8', PROJECT],
    ['other-i1', OTHER_PROJECT],
  ]);
  return {
    isOfProject: async (namespace, projectId) => workspaces.get(namespace) === projectId,
    async writeSecret({ namespace, name, value, projectId }) {
      const there = cluster.get(`${namespace}/${name}`);
      if (there && there.owner !== projectId) return 'foreign';
      cluster.set(`${namespace}/${name}`, { owner: projectId, value });
      return 'written';
    },
  };
}

function argumentsOf(given: Record<string, unknown> = {}) {
  return TOOL_SCHEMAS['secret.sync.github_k8s'].parse({
    environment: `ai-${environment}`,
    github_secret_name: 'API_TOKEN',
    kubernetes_secret_name: 'api',
    ...given,
  });
}

const sync = (given: Record<string, unknown> = {}, context = contextOf()) =>
  secretSync(ports)(argumentsOf(given), context);

const onGitHub = (name = 'API_TOKEN') =>
  stage.emulator.openSecret({ fullName: 'octo/demo', environment: `ai-${environment}`, name });
const onKubernetes = (at = 'demo-i7/api') => cluster.get(at)?.value;

test('the same value is in the Secret and in the environment, and in no answer', async () => {
  const result = await sync();
  expect(result).toMatchObject({
    status: 'ok',
    message: 'applied',
    kubernetes: { status: 'written', namespace: 'demo-i7', secret: 'api', key: 'value' },
    github: { status: 'written', environment: `ai-${environment}`, secret: 'API_TOKEN', environment_made: true },
  });
  expect(onKubernetes()).toMatch(/^[\w-]{43}$/);
  await expect(onGitHub()).resolves.toBe(onKubernetes());
  expect(JSON.stringify(result)).not.toContain(onKubernetes());
});

test('a value that the agent provides arrives, and is in no answer and no table', async () => {
  const result = await sync({ policy: 'provided', secret_value: 'hunter2-provided', idempotency_key: 'k' });
  expect([onKubernetes(), await onGitHub()]).toEqual(['hunter2-provided', 'hunter2-provided']);
  const kept = [await tables.db.select().from(syncedSecrets), await tables.db.select().from(secretSyncs), result];
  expect(JSON.stringify(kept)).not.toContain('hunter2');
});

test('a deterministic value is the same each time, for another name another', async () => {
  await sync();
  const first = onKubernetes();
  await sync({}, contextOf({}, 'another call'));
  expect(onKubernetes()).toBe(first);
  await sync({ github_secret_name: 'OTHER', kubernetes_secret_name: 'other' });
  expect(onKubernetes('demo-i7/other')).not.toBe(first);
});

test('a random value is the same for each try of a call, and another one for another call', async () => {
  await sync({ policy: 'random' });
  const first = onKubernetes();
  await sync({ policy: 'random' });
  expect(onKubernetes()).toBe(first);
  await sync({ policy: 'random' }, contextOf({}, 'another call'));
  expect(onKubernetes()).not.toBe(first);
});

test('a try after a crash writes the same value to the target that was not reached', async () => {
  const github = { ...ports.github, writeEnvironmentSecret: () => Promise.reject(new Error('GitHub is down')) };
  await expect(secretSync({ ...ports, github })(argumentsOf({ policy: 'random' }), contextOf())).rejects.toThrow(
    'GitHub is down',
  );
  await expect(sync({ policy: 'random' })).resolves.toMatchObject({ message: 'applied' });
  await expect(onGitHub()).resolves.toBe(onKubernetes());
});

test('a sync with the key of an earlier one writes nothing', async () => {
  await sync({ policy: 'random', idempotency_key: 'deploy-1' });
  const first = onKubernetes();
  const again = await sync({ policy: 'random', idempotency_key: 'deploy-1' }, contextOf({}, 'another call'));
  expect(again).toMatchObject({ status: 'ok', message: 'idempotent_replay' });
  expect(onKubernetes()).toBe(first);
});

test('a sync of something else with the key of an earlier one is refused', async () => {
  await sync({ idempotency_key: 'deploy-1' });
  await expect(sync({ idempotency_key: 'deploy-1', kubernetes_secret_name: 'other' })).resolves.toMatchObject({
    status: 'failed',
    reason: 'conflict',
  });
});

test('a dry run writes nothing', async () => {
  await expect(sync({ dry_run: true })).resolves.toMatchObject({ status: 'ok', message: 'dry_run' });
  expect([onKubernetes(), await onGitHub()]).toEqual([undefined, undefined]);
  await expect(tables.db.select().from(syncedSecrets)).resolves.toEqual([]);
});

test('another workspace of the same project may be named', async () => {
  await sync({ kubernetes_namespace: 'demo-i8' });
  expect(onKubernetes('demo-i8/api')).toBeDefined();
});

// B26: the agent names the namespace, the platform decides whose it is.
test.each(['kube-system', 'codex-k8s', 'other-i1', 'no-such-namespace'])(
  'a sync to namespace %s is refused, and nothing is written anywhere',
  async (namespace) => {
    await expect(sync({ kubernetes_namespace: namespace })).resolves.toMatchObject({ reason: 'refused' });
    expect([cluster.size, await onGitHub()]).toEqual([1, undefined]);
  },
);

test.each([
  ['another project', { project_id: OTHER_PROJECT }],
  ['another repository', { repository: 'octo/secrets' }],
  ["the platform's own Secret", { kubernetes_secret_name: 'codex-k8s-run-1-1' }],
])('a sync for %s is refused', async (_, given) => {
  await expect(sync(given)).resolves.toMatchObject({ reason: 'refused' });
  expect(cluster.size).toBe(1);
});

test("a person's Secret is not overwritten, and nothing is recorded as ours", async () => {
  await expect(sync({ kubernetes_secret_name: 'theirs' })).resolves.toMatchObject({ reason: 'conflict' });
  expect(onKubernetes('demo-i7/theirs')).toBe('of a person');
  await expect(tables.db.select().from(syncedSecrets)).resolves.toEqual([]);
});

test("a person's secret on GitHub is not overwritten, nor is anything written to Kubernetes", async () => {
  const at = { owner: 'octo', name: 'demo' };
  await ports.github.ensureEnvironment(at, `ai-${environment}`);
  await ports.github.writeEnvironmentSecret(at, `ai-${environment}`, { name: 'API_TOKEN', value: 'of a person' });
  await expect(sync()).resolves.toMatchObject({ reason: 'conflict' });
  expect([onKubernetes(), await onGitHub()]).toEqual([undefined, 'of a person']);
});

test("another project's secret is not overwritten", async () => {
  await sync();
  const first = onKubernetes();
  const bySomebodyElse = contextOf({ projectId: OTHER_PROJECT, namespace: 'other-i1' });
  await expect(sync({}, bySomebodyElse)).resolves.toMatchObject({ reason: 'conflict' });
  await expect(onGitHub()).resolves.toBe(first);
});

test('without a cluster the GitHub half is written, and the other half says why not', async () => {
  ports = { ...ports, cluster: 'the local runtime has no Kubernetes cluster' };
  await expect(sync({}, contextOf({ namespace: null }))).resolves.toMatchObject({
    status: 'ok',
    message: 'applied',
    kubernetes: { status: 'not_available_here', reason: 'the local runtime has no Kubernetes cluster' },
  });
  await expect(onGitHub()).resolves.toMatch(/^[\w-]{43}$/);
});
