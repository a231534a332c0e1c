/** The network guard: when it probes, what it probes, and what is recorded. */
import type { KubernetesObject, V1Job } from '@kubernetes/client-node';
import { beforeEach, describe, expect, test } from 'vitest';
import { createRecordedNetworkGuard } from '../../../src/adapters/kubernetes/index.ts';
import type { NetworkFinding } from '../../../src/domain/workspace/network-findings.ts';
import { FAILED, fakeApi, refusal, type FakeApi } from './fake-api.ts';

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
/** Output of the probes' pods in order; the last one repeats. */
let outputs: string[];
/** Addresses that each probe's pod tried. */
let tried: { forbidden: string[]; allowed: string[] }[];
let recorded: NetworkFinding[];

beforeEach(() => {
  api = Object.assign(fakeApi(), { list, logEnd });
  api.pods = [FAILED];
  outputs = [ENFORCED];
  tried = [];
  recorded = [];
});

/** The probe's namespace exists until its log was read. */
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

function guard(
  { allowUnenforced = false } = {},
  record = async (finding: NetworkFinding): Promise<void> => void recorded.push(finding),
) {
  return createRecordedNetworkGuard(
    { api, pod: POD, egress: EGRESS, forbidden: ['db.example:6543'], allowUnenforced },
    record,
  );
}

test('a probe tries the metadata service and the forbidden addresses, and that the gateways are reached', async () => {
  await guard().finding();
  expect(tried).toEqual([{ forbidden: ['169.254.169.254:80', 'db.example:6543'], allowed: ['10.0.0.1:8090'] }]);
});

describe('a network that enforces policies', () => {
  test('is probed once, and agents are started', async () => {
    const network = guard();
    await Promise.all([network.finding(), network.assertSafe()]);
    await network.assertSafe();
    expect(tried).toHaveLength(1);
    expect(recorded).toEqual([{ state: 'enforced', detail: '', agents: 'started' }]);
  });
});

describe('a network that does not enforce policies', () => {
  test('is probed again before each agent until it does', async () => {
    outputs = [UNENFORCED, UNENFORCED, ENFORCED];
    const network = guard();
    for (const _ of [1, 2]) await expect(network.assertSafe()).rejects.toMatchObject({ name: 'NetworkUnsafe' });
    for (const _ of [1, 2]) await network.assertSafe();
    expect(tried).toHaveLength(3);
    expect(recorded.map(({ state, agents }) => [state, agents])).toEqual([
      ['unenforced', 'stopped'],
      ['unenforced', 'stopped'],
      ['enforced', 'started'],
    ]);
  });

  test('stops no agent where that is allowed, and is recorded all the same', async () => {
    outputs = [UNENFORCED];
    const network = guard({ allowUnenforced: true });
    await network.finding();
    await network.assertSafe();
    expect(tried).toHaveLength(1);
    expect(recorded).toEqual([{ state: 'unenforced', detail: '10.96.0.1:443', agents: 'started' }]);
  });
});

describe('a probe that fails', () => {
  const REASON = expect.stringContaining('do it') as string;

  test.each([
    [false, 'stopped'],
    [true, 'started'],
  ])('is recorded with its reason (unenforced allowed: %s)', async (allowed, agents) => {
    api.fail('create', refusal(403));
    await expect(guard({ allowUnenforced: allowed }).finding()).rejects.toThrow('do it');
    expect(recorded).toEqual([{ state: 'unknown', detail: REASON, agents }]);
  });

  test('is recorded once, however many wait for it', async () => {
    api.fail('create', refusal(403));
    const network = guard();
    await Promise.allSettled([network.finding(), network.assertSafe(), network.assertSafe()]);
    expect(recorded).toHaveLength(1);
  });

  test('fails the launch with its own error, and the next launch probes again', async () => {
    api.fail('create', refusal(403));
    const network = guard();
    await expect(network.assertSafe()).rejects.toMatchObject({ name: 'KubernetesRefusal' });
    await network.assertSafe();
    expect(recorded.map(({ state }) => state)).toEqual(['unknown', 'enforced']);
  });

  test('keeps its error if recording fails', async () => {
    api.fail('create', refusal(403));
    const away = (): Promise<void> => Promise.reject(new Error('Postgres is away'));
    const network = guard({}, away);
    await expect(network.finding()).rejects.toThrow('do it');
  });
});

test('a pod without output leaves the network unknown, and no agent is started', async () => {
  outputs = ['node: not found'];
  await expect(guard().assertSafe()).rejects.toThrow('not known: node: not found');
  expect(recorded).toEqual([{ state: 'unknown', detail: 'node: not found', agents: 'stopped' }]);
});
