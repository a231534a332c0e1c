import { once } from 'node:events';
import { readFileSync, rmSync, utimesSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  choosePorts,
  DEFAULT_PORTS,
  type PortName,
  type PortOptions,
  type Ports,
} from '../../../src/embedded/files/ports.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

interface Case {
  options: PortOptions;
  messages: string[];
}

/** Nobody else's ports: free, and below those that the system gives to whoever asks for any. */
async function freshCase(): Promise<Case> {
  const names = Object.keys(DEFAULT_PORTS) as PortName[];
  const first = await freeRow(names.length);
  const ports = names.map((name, index) => [name, first + index]);
  const messages: string[] = [];
  return {
    messages,
    options: {
      dataDirectory: temporaryDirectory(),
      cacheDirectory: temporaryDirectory(),
      report: (message) => messages.push(message),
      preferred: Object.fromEntries(ports) as Ports,
    },
  };
}

/** The first of so many free ports that follow each other. */
async function freeRow(count: number): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 12_000);
    const tried = await Promise.allSettled(Array.from({ length: count }, (_, index) => listen(first + index)));
    for (const one of tried) if (one.status === 'fulfilled') one.value.close();
    if (tried.every(({ status }) => status === 'fulfilled')) return first;
  }
}

async function listen(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return server;
}

test('the preferred ports are taken where they are free, without a word', async () => {
  const { options, messages } = await freshCase();
  expect(await choosePorts(options)).toEqual(options.preferred);
  expect(messages).toEqual([]);
});

test('on the first start a taken port is replaced, and that is said', async () => {
  const { options, messages } = await freshCase();
  await listen(options.preferred?.server ?? 0);
  const ports = await choosePorts(options);
  expect(ports.server).not.toBe(options.preferred?.server);
  expect(messages).toEqual([`Port ${options.preferred?.server} is in use: server uses ${ports.server}`]);
});

test('ports are the same at the next start, whatever is preferred then', async () => {
  const { options } = await freshCase();
  const ports = await choosePorts(options);
  const { preferred: _, ...later } = options;
  expect(await choosePorts(later)).toEqual(ports);
  expect(JSON.parse(readFileSync(join(options.dataDirectory, 'ports.json'), 'utf8'))).toEqual(ports);
});

test('a remembered port that may move does, when somebody else has taken it', async () => {
  const { options, messages } = await freshCase();
  const before = await choosePorts(options);
  await listen(before.postgres);
  const ports = await choosePorts(options);
  expect({ ...ports, postgres: 0 }).toEqual({ ...before, postgres: 0 });
  expect(messages).toEqual([`Port ${before.postgres} is in use: postgres uses ${ports.postgres}`]);
});

for (const name of ['server', 'github'] as const) {
  test(`a recorded port of the ${name} that is in use is an error that names it`, async () => {
    const { options } = await freshCase();
    const before = await choosePorts(options);
    await listen(before[name]);
    await expect(choosePorts(options)).rejects.toThrow(`Port ${before[name]} is in use by another process`);
  });
}

test('two directories never get the same port, even before either has bound it', async () => {
  const { options } = await freshCase();
  const other = { ...options, dataDirectory: temporaryDirectory() };
  const [one, two] = await Promise.all([choosePorts(options), choosePorts(other)]);
  const chosen = [...Object.values(one), ...Object.values(two)];
  expect(new Set(chosen).size).toBe(chosen.length);
});

describe('the ports of an up that has ended', () => {
  /** Chooses ports in a process that is over. */
  async function choosePortsAndEnd(options: PortOptions): Promise<void> {
    const module = JSON.stringify(new URL('../../../src/embedded/files/ports.ts', import.meta.url));
    const given = JSON.stringify({ ...options, report: undefined });
    const script = `import { choosePorts } from ${module}; await choosePorts({ ...${given}, report() {} });`;
    await execa(process.execPath, ['--input-type=module', '-e', script]);
  }

  test('are left to it, as far as it cannot do with others', async () => {
    const { options } = await freshCase();
    await choosePortsAndEnd(options);
    const others = await choosePorts({ ...options, dataDirectory: temporaryDirectory() });
    expect(others.server).not.toBe(options.preferred?.server);
    expect(others.postgres).toBe(options.preferred?.postgres);
    expect((await choosePorts(options)).server).toBe(options.preferred?.server);
  });

  test('are free again when its directory is gone', async () => {
    const { options } = await freshCase();
    await choosePortsAndEnd(options);
    rmSync(options.dataDirectory, { recursive: true });
    const others = await choosePorts({ ...options, dataDirectory: temporaryDirectory() });
    expect(others.server).toBe(options.preferred?.server);
  });

  test('are free again when it was not used for a week', async () => {
    const { options } = await freshCase();
    await choosePortsAndEnd(options);
    const longAgo = new Date(Date.now() - 8 * 24 * 3_600_000);
    utimesSync(join(options.dataDirectory, 'ports.json'), longAgo, longAgo);
    const others = await choosePorts({ ...options, dataDirectory: temporaryDirectory() });
    expect(others.server).toBe(options.preferred?.server);
  });
});
