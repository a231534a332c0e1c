import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { probe } from '../../../src/agent/runner/network-probe.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listening(): Promise<string> {
  const server = createServer((socket) => socket.end());
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function closed(): Promise<string> {
  const target = await listening();
  await new Promise((resolve) => servers.pop()?.close(resolve));
  return target;
}

test('what is forbidden and answers is open', async () => {
  const target = await listening();
  expect(await probe({ forbidden: [target], allowed: [] }, 0)).toEqual({ open: [target], blocked: [] });
});

test('what is allowed and does not answer is blocked', async () => {
  const target = await closed();
  expect(await probe({ forbidden: [], allowed: [target] }, 0)).toEqual({ open: [], blocked: [target] });
});

test('nothing is found where everything is as it ought to be', async () => {
  const found = await probe({ forbidden: [await closed()], allowed: [await listening()] }, 10_000);
  expect(found).toEqual({ open: [], blocked: [] });
});

test('a network that takes a moment to heed policies is waited for', async () => {
  const target = await listening();
  const found = probe({ forbidden: [target], allowed: [] }, 10_000);
  servers.pop()?.close();
  expect(await found).toEqual({ open: [], blocked: [] });
});
