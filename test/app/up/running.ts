/** Runs processes of the embedded default under a supervisor, for one test file. */
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach } from 'vitest';
import { createSupervisor, type Supervisor } from '../../../src/app/up/supervisor.ts';
import type { ProcessSpec } from '../../../src/app/up/supervised-process.ts';

const running: Supervisor[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((supervisor) => supervisor.stop()));
});

export async function run(dataDirectory: string, spec: ProcessSpec): Promise<Supervisor> {
  mkdirSync(dataDirectory, { recursive: true });
  const supervisor = createSupervisor({ dataDirectory, onEvent: () => {} });
  running.push(supervisor);
  await supervisor.start([spec]);
  return supervisor;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
