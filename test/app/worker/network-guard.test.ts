/** The guard of the cluster's network as the worker has it: what it tries, when, and what becomes known of it. */
import type { KubernetesObject, V1Job } from '@kubernetes/client-node';
import { beforeEach, describe, expect, test } from 'vitest';
import { openNetworkGuard, type NetworkSettings } from '../../../src/app/worker/network-guard.ts';
import type { NetworkFinding } from '../../../src/domain/workspace/network-findings.ts';
import { FAILED, fakeApi, refusal, type FakeApi } from '../../adapters/kubernetes/fake-api.ts';

const SETTINGS: NetworkSettings = {
  DATABASE_URL: 'postgres://codex:secret@db.example:6543/codex',
  CODEXK8S_TEMPORAL_ADDRESS: 'temporal.example:7233',
  CODEXK8S_AGENT_FORBIDDEN: [],
  CODEXK8S_ALLOW_UNENFORCED_NETWORK_POLICY: false,
};
const AMOUNT = { cpu: '1', memory: '1Gi', ephemeralStorage: '1Gi' };
const POD = {
  image: 'agent:1',
  platformUrl: 'http://10.0.0.1:8090',
  deadlineSeconds: 60,
  keepSeconds: 60,
  requests: AMOUNT,
  limits: AMOUNT,
};
const EGRESS = { gateways: { port: 8090, address: '10.0.0.1' }, apiServers: [], listed: [] };

const ENFORCED = '{"open":[],"blocked":[]}';
const UNENFORCED = '{"open":["10.96.0.1:443"],"blocked":[]}';

let api: FakeApi;
/** What the pods of the probes write, one after the other; the last one is written by all that follow. */
let outputs: string[];
/** What the probes' pods were told to try. */
let tried: { forbidden: string[]; allowed: string[] }[];
let kept: NetworkFinding[];

beforeEach(() => {
  api = Object.assign(fakeApi(), { list, logEnd });
  api.pods = [FAILED];
  outputs = [ENFORCED];
  tried = [];
  kept = [];
});

/** The namespace of the probe is there until its pod has written. */
async function list<Kind extends KubernetesObject>(_version: string, kind: string): Promise<Kind[]> {
  const namespace = api.job && { metadata: { name: api.job.metadata?.namespace ?? '' } };
  return ({ Namespace: [namespace], Job: [api.job], Pod: api.pods }[kind] ?? []).filter(Boolean) as Kind[];
}

async function logEnd(): Promise<string> {
  const { spec } = (api.job as V1Job).spec?.template ?? {};
  tried.push(JSON.parse(spec?.containers[0]?.command?.[2] ?? '') as (typeof tried)[number]);
  api.job = undefined;
  return (outputs.length > 1 ? outputs.shift() : outputs[0]) ?? '';
}

function guard(settings: Partial<NetworkSettings> = {}) {
  return openNetworkGuard({ ...SETTINGS, ...settings }, { api, pod: POD, egress: EGRESS }, async (finding) => {
    kept.push(finding);
  });
}

const METADATA = '169.254.169.254:80';

describe('what no agent may reach', () => {
  test.each<[string, Partial<NetworkSettings>, string[]]>([
    ['Postgres and Temporal', {}, ['db.example:6543', 'temporal.example:7233']],
    [
      'a Postgres without a port',
      { DATABASE_URL: 'postgres://db.example/codex' },
      ['db.example:5432', 'temporal.example:7233'],
    ],
    [
      'what the installation lists',
      { CODEXK8S_AGENT_FORBIDDEN: ['10.1.2.3:22'] },
      ['db.example:6543', 'temporal.example:7233', '10.1.2.3:22'],
    ],
    [
      'a host that is called almost like this machine',
      { DATABASE_URL: 'postgres://localhost.example/codex', CODEXK8S_TEMPORAL_ADDRESS: '127.example:7233' },
      ['localhost.example:5432', '127.example:7233'],
    ],
    ['no Postgres on localhost', { DATABASE_URL: 'postgres://localhost/codex' }, ['temporal.example:7233']],
    ['no Postgres on ::1', { DATABASE_URL: 'postgres://[::1]:6543/codex' }, ['temporal.example:7233']],
    ['no Temporal on 127.0.0.1', { CODEXK8S_TEMPORAL_ADDRESS: '127.0.0.1:7233' }, ['db.example:6543']],
  ])('is, besides the metadata: %s', async (_what, settings, forbidden) => {
    await guard(settings).finding();
    expect(tried).toEqual([{ forbidden: [METADATA, ...forbidden], allowed: ['10.0.0.1:8090'] }]);
  });
});

describe('a network that heeds policies', () => {
  test('is tried once, and lets agents be started', async () => {
    const network = guard();
    await Promise.all([network.finding(), network.assertSafe()]);
    await network.assertSafe();
    expect(tried).toHaveLength(1);
    expect(kept).toEqual([{ state: 'enforced', detail: '', agents: 'started' }]);
  });
});

describe('a network that does not', () => {
  test('is tried again before each agent, until it does', async () => {
    outputs = [UNENFORCED, UNENFORCED, ENFORCED];
    const network = guard();
    for (const _ of [1, 2]) await expect(network.assertSafe()).rejects.toMatchObject({ name: 'NetworkUnsafe' });
    for (const _ of [1, 2]) await network.assertSafe();
    expect(tried).toHaveLength(3);
    expect(kept.map(({ state, agents }) => [state, agents])).toEqual([
      ['unenforced', 'stopped'],
      ['unenforced', 'stopped'],
      ['enforced', 'started'],
    ]);
  });

  test('stops no agent where that is accepted, and is known all the same', async () => {
    outputs = [UNENFORCED];
    const network = guard({ CODEXK8S_ALLOW_UNENFORCED_NETWORK_POLICY: true });
    await network.finding();
    await network.assertSafe();
    expect(tried).toHaveLength(1);
    expect(kept).toEqual([{ state: 'unenforced', detail: '10.96.0.1:443', agents: 'started' }]);
  });
});

describe('a probe that fails', () => {
  const REASON = expect.stringContaining('do it') as string;

  test.each([
    [false, 'stopped'],
    [true, 'started'],
  ])('is known with its reason (accepted: %s)', async (allowed, agents) => {
    api.fail('create', refusal(403));
    await expect(guard({ CODEXK8S_ALLOW_UNENFORCED_NETWORK_POLICY: allowed }).finding()).rejects.toThrow('do it');
    expect(kept).toEqual([{ state: 'unknown', detail: REASON, agents }]);
  });

  test('is known once, however many wait for it', async () => {
    api.fail('create', refusal(403));
    const network = guard();
    await Promise.allSettled([network.finding(), network.assertSafe(), network.assertSafe()]);
    expect(kept).toHaveLength(1);
  });

  test('before an agent keeps it from being started, as what it is, and is made good by the next', async () => {
    api.fail('create', refusal(403));
    const network = guard();
    await expect(network.assertSafe()).rejects.toMatchObject({ name: 'KubernetesRefusal' });
    await network.assertSafe();
    expect(kept.map(({ state }) => state)).toEqual(['unknown', 'enforced']);
  });

  test('says why also where that cannot be kept', async () => {
    api.fail('create', refusal(403));
    const away = (): Promise<void> => Promise.reject(new Error('Postgres is away'));
    const network = openNetworkGuard(SETTINGS, { api, pod: POD, egress: EGRESS }, away);
    await expect(network.finding()).rejects.toThrow('do it');
  });
});

test('a pod that says nothing leaves the network unknown, and no agent is started', async () => {
  outputs = ['node: not found'];
  await expect(guard().assertSafe()).rejects.toThrow('not known: node: not found');
  expect(kept).toEqual([{ state: 'unknown', detail: 'node: not found', agents: 'stopped' }]);
});
