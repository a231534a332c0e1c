/** The client against a server that answers as an API server does that has just been started. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { expect, onTestFinished, test } from 'vitest';
import { createKubernetesApi, type KubernetesApi } from '../../../src/adapters/kubernetes/api.ts';

const LOG = { namespace: 'n', name: 'p', container: 'agent' };
const NOT_PERMITTED = 'pods "p" is forbidden: User "w" cannot get resource "pods/log" in API group ""';
const DENIED = 'pods "p" is forbidden: a policy says no';

/** Refuses with these words as often as there are some, then shows a log. */
async function apiThatRefuses(...words: string[]): Promise<{ api: KubernetesApi; asked: () => number }> {
  let asked = 0;
  const server = createServer((_request, response) => {
    const message = words[asked];
    asked += 1;
    response.writeHead(message === undefined ? 200 : 403, {
      'content-type': message === undefined ? 'text/plain' : 'application/json',
    });
    response.end(message === undefined ? 'words' : JSON.stringify({ kind: 'Status', reason: 'Forbidden', message }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: 'c', server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, skipTLSVerify: true },
    { name: 'w', token: 't' },
  );
  return { api: createKubernetesApi(() => config), asked: () => asked };
}

test('T45: what an API server does not permit yet, since it has just begun, is asked for again', async () => {
  const { api } = await apiThatRefuses(NOT_PERMITTED, NOT_PERMITTED);
  expect(await api.logEnd(LOG, 100)).toBe('words');
});

test('T45: what is not permitted at all is refused in the end', async () => {
  const { api, asked } = await apiThatRefuses(...Array.from({ length: 9 }, () => NOT_PERMITTED));
  await expect(api.logEnd(LOG, 100)).rejects.toMatchObject({ code: 403 });
  expect(asked()).toBe(4);
});

test('T45: what a policy denies is not asked for again', async () => {
  const { api, asked } = await apiThatRefuses(DENIED);
  await expect(api.logEnd(LOG, 100)).rejects.toMatchObject({ code: 403 });
  expect(asked()).toBe(1);
});
