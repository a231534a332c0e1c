/**
 * Whom agents can connect to from their own pods, by the network policies that the runtime makes (docs/reliability.md T49). A pod outside of
 * all workspaces tries the same, so that nothing is out of reach only because nobody listens.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import type { V1Pod, V1Service } from '@kubernetes/client-node';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { readKubeConfig } from '../../src/adapters/kubernetes/api.ts';
import { CONTAINER } from '../../src/adapters/kubernetes/names.ts';
import type { WorkspaceUse } from '../../src/domain/workspace/workspaces.ts';
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
import { connects, modestPod, type Place } from './support/pods.ts';

const NODE = inject('nodeAddress');
const GATEWAYS = `${NODE}:8090`;

/** Where AWS gives the credentials of a container away; no machine has it, so that this one can. */
const METADATA = '169.254.170.2';

/** Listens, as a project's program does. */
const LISTEN = 'httpd -f -p 8080 -h /';

/** Only of a local cluster is this machine the node, and its addresses are the test's to give. */
const isLocal = inject('clusterDataDirectory') !== '';

let platform: Platform;
const servers: Server[] = [];
const outside = `bystanders-${randomBytes(4).toString('hex')}`;

/** Whoever tries, and whom they try: `host:port`. */
const from: Record<string, Place> = {};
const at: Record<string, string> = {};

/** Listens on this machine; 0 is any port. Returns where. */
async function listen(host: string, port: number): Promise<string> {
  const server = createServer((socket) => socket.on('error', () => undefined).end());
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen(port, host, resolve);
  await promise;
  servers.push(server);
  return `${host}:${(server.address() as AddressInfo).port}`;
}

function placeOf({ metadata, spec }: V1Pod): Place {
  return {
    namespace: metadata?.namespace ?? '',
    pod: metadata?.name ?? '',
    container: spec?.containers[0]?.name ?? '',
  };
}

/** An agent that listens, in a workspace of its own. */
async function startAgent(who: string, use: Partial<WorkspaceUse>): Promise<void> {
  const issue = platform.issue(use);
  const namespace = await launch(platform.runtime({ script: LISTEN }), issue, agentOf(issue));
  const pod = await runningPod(platform.admin, namespace);
  expect(placeOf(pod).container).toBe(CONTAINER);
  from[who] = placeOf(pod);
  at[who] = `${pod.status?.podIP}:8080`;
}

/** A pod that listens and belongs to nobody's run. */
async function startPod(who: string, namespace: string): Promise<void> {
  const name = 'listens';
  const object = { ...refIn(namespace, 'Pod', name), spec: modestPod({ command: ['sh', '-c', LISTEN] }) };
  await platform.admin.create(object);
  await until(
    `${who} runs`,
    async () => {
      const found = (await podsIn(platform.admin, namespace)).find(({ metadata }) => metadata?.name === name);
      if (!found?.status?.containerStatuses?.[0]?.state?.running) return false;
      from[who] = placeOf(found);
      at[who] = `${found.status.podIP}:8080`;
      return true;
    },
    180,
  );
}

async function apiServers(): Promise<{ itself: string; service: string }> {
  const { host } = new URL(readKubeConfig(inject('kubeconfig')).getCurrentCluster()?.server ?? '');
  const service = await platform.admin.find<V1Service>(refIn('default', 'Service', 'kubernetes'));
  return { itself: host, service: `${service?.spec?.clusterIP}:${service?.spec?.ports?.[0]?.port}` };
}

beforeAll(async () => {
  platform = await startPlatform();
  const { itself, service } = await apiServers();
  at['the API server'] = itself;
  at['the API server by its Service'] = service;
  at['the gateways'] = await listen(NODE, Number(GATEWAYS.split(':')[1]));
  at['another port of the machine'] = await listen(NODE, 0);
  if (isLocal) {
    await execa('ip', ['address', 'replace', `${METADATA}/32`, 'dev', 'lo']);
    at['the metadata address'] = await listen(METADATA, 80);
    at['port 80 of the machine'] = await listen(NODE, 80);
    at['port 443 of the machine'] = await listen(NODE, 443);
  }
  await platform.admin.create(namespaceRef(outside));
  await Promise.all([
    startPod('a bystander', outside),
    startAgent('an agent with the code only', { mode: 'code-only', role: 'dev' }),
    startAgent('an agent with a whole workspace', { mode: 'full-env', role: 'dev' }),
    startAgent('an agent of a project with a list', { mode: 'code-only', role: 'dev', egress: [`${NODE}/32`] }),
    startAgent('an agent of a project that lists everything', {
      mode: 'code-only',
      role: 'dev',
      egress: ['0.0.0.0/0'],
    }),
  ]);
  await startPod('a pod of the same workspace', from['an agent with a whole workspace']!.namespace);
});

afterAll(async () => {
  for (const server of servers) server.close();
  if (isLocal) await execa('ip', ['address', 'del', `${METADATA}/32`, 'dev', 'lo'], { reject: false });
  await platform.admin.remove(namespaceRef(outside));
  await platform.end();
});

async function tries(who: string, whom: string): Promise<boolean> {
  return connects(from[who]!, at[whom]!);
}

/** In reach at last: a cluster may take a moment to know the address of a new pod. */
async function expectInReach(who: string, whom: string): Promise<void> {
  await until(`${who} reaches ${whom} at ${at[whom]}`, async () => tries(who, whom));
}

test.runIf(isLocal).each(['a bystander', 'an agent with the code only', 'an agent with a whole workspace'])(
  'the machine reaches %s, which listens',
  async (whom) => {
    const [host = '', port = ''] = at[whom]!.split(':');
    await until(`${whom} is reached`, async () => {
      const socket = connect({ host, port: Number(port) });
      const connected = once(socket, 'connect').then(
        () => true,
        () => false,
      );
      return connected.finally(() => socket.destroy());
    });
  },
);

describe('a bystander', () => {
  const who = 'a bystander';

  test.each(['the API server', 'the API server by its Service', 'the gateways', 'another port of the machine'])(
    'reaches %s',
    async (whom) => expectInReach(who, whom),
  );

  test.runIf(isLocal).each(['the metadata address', 'port 80 of the machine', 'port 443 of the machine'])(
    'reaches %s of a local cluster',
    async (whom) => expectInReach(who, whom),
  );

  test.each(['an agent with the code only', 'an agent with a whole workspace', 'a pod of the same workspace'])(
    'does not reach %s',
    async (whom) => expect(await tries(who, whom)).toBe(false),
  );
});

describe('T49: an agent with the code only', () => {
  const who = 'an agent with the code only';

  test('reaches the gateways', async () => expectInReach(who, 'the gateways'));

  test.each([
    'the API server',
    'the API server by its Service',
    'another port of the machine',
    'a bystander',
    'an agent with a whole workspace',
    'a pod of the same workspace',
  ])('does not reach %s', async (whom) => expect(await tries(who, whom)).toBe(false));

  test.runIf(isLocal).each(['the metadata address', 'port 80 of the machine', 'port 443 of the machine'])(
    'does not reach %s of a local cluster',
    async (whom) => expect(await tries(who, whom)).toBe(false),
  );
});

describe('T49: an agent with a whole workspace', () => {
  const who = 'an agent with a whole workspace';

  test.each(['the gateways', 'the API server', 'the API server by its Service', 'a pod of the same workspace'])(
    'reaches %s',
    async (whom) => expectInReach(who, whom),
  );

  test('is reached by a pod of the same workspace', async () => expectInReach('a pod of the same workspace', who));

  test.each(['another port of the machine', 'a bystander', 'an agent with the code only'])(
    'does not reach %s',
    async (whom) => expect(await tries(who, whom)).toBe(false),
  );

  test.runIf(isLocal).each(['the metadata address', 'port 80 of the machine', 'port 443 of the machine'])(
    'does not reach %s of a local cluster',
    async (whom) => expect(await tries(who, whom)).toBe(false),
  );
});

describe.runIf(isLocal)('T49: an agent of a project with a list of addresses', () => {
  const who = 'an agent of a project with a list';

  test.each(['port 80 of the machine', 'port 443 of the machine', 'the gateways'])('reaches %s', async (whom) =>
    expectInReach(who, whom),
  );

  test.each(['another port of the machine', 'the API server', 'a bystander', 'the metadata address'])(
    'does not reach %s',
    async (whom) => expect(await tries(who, whom)).toBe(false),
  );
});

describe.runIf(isLocal)('T49: an agent of a project that lists every address', () => {
  const who = 'an agent of a project that lists everything';

  test('reaches port 80 of the machine', async () => expectInReach(who, 'port 80 of the machine'));

  test.each(['the metadata address', 'another port of the machine', 'the API server', 'a bystander'])(
    'does not reach %s',
    async (whom) => expect(await tries(who, whom)).toBe(false),
  );
});
