import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { identify } from '../../src/adapters/process-identity.ts';
import { killGroup } from '../../src/embedded/processes/process-record.ts';
import { eventually, temporaryDirectory } from './temporary-directory.ts';

interface Up {
  process: ChildProcessByStdio<null, Readable, Readable>;
  said: { kind: string; pids?: Record<string, number>; leftovers?: string[]; name?: string; reason?: string }[];
  stderr: () => string;
}

const started: Up[] = [];

afterEach(async () => {
  for (const up of started) up.process.kill('SIGKILL');
  for (const up of started.splice(0)) for (const pid of Object.values(pidsOf(up))) if (identify(pid)) killGroup(pid);
});

function startUp(dataDirectory: string): Up {
  const script = join(import.meta.dirname, 'supervisor-process.ts');
  const child = spawn(process.execPath, [script, dataDirectory], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said: Up['said'] = [];
  let stderr = '';
  createInterface({ input: child.stdout }).on('line', (line) => said.push(JSON.parse(line)));
  child.stderr.on('data', (data: Buffer) => (stderr += String(data)));
  const up = { process: child, said, stderr: () => stderr };
  started.push(up);
  return up;
}

function pidsOf(up: Up): Record<string, number> {
  return up.said.find(({ kind }) => kind === 'ready')?.pids ?? {};
}

async function ready(up: Up): Promise<Record<string, number>> {
  await eventually('up is ready', () => up.said.some(({ kind }) => kind === 'ready') || up.process.exitCode !== null);
  return pidsOf(up);
}

function exitCode(up: Up): Promise<number> {
  return eventually('up ends', () => up.process.exitCode ?? undefined);
}

test('after a SIGKILL the next up finds what was left running, stops it and starts anew', async () => {
  const dataDirectory = temporaryDirectory();
  const first = startUp(dataDirectory);
  const before = await ready(first);
  first.process.kill('SIGKILL');
  await eventually('the end of the first', () => first.process.signalCode);
  for (const pid of Object.values(before)) expect(identify(pid)).toBeDefined();

  const second = startUp(dataDirectory);
  const after = await ready(second);
  expect(second.said.at(-1)?.leftovers).toEqual(['willing', 'stubborn']);
  for (const pid of Object.values(before)) expect(identify(pid)).toBeUndefined();
  expect(Object.keys(after)).toEqual(['stubborn', 'willing']);
});

test('a second up beside a living one is refused and touches nothing', async () => {
  const dataDirectory = temporaryDirectory();
  const first = startUp(dataDirectory);
  const pids = await ready(first);
  const second = startUp(dataDirectory);
  expect(await exitCode(second)).toBe(1);
  const refusal = `Another codex-k8s up (pid ${first.process.pid}, http://127.0.0.1:1) runs in ${dataDirectory}`;
  await eventually(refusal, () => second.stderr().includes(refusal));
  for (const pid of Object.values(pids)) expect(identify(pid)).toBeDefined();
});

test('the first Ctrl-C stops in order, the second kills at once; nothing is left', async () => {
  const dataDirectory = temporaryDirectory();
  const up = startUp(dataDirectory);
  const pids = await ready(up);
  up.process.kill('SIGINT');
  await eventually('the willing one has stopped', () =>
    up.said.some(({ kind, name }) => kind === 'stopped' && name === 'willing'),
  );
  expect(identify(pids['stubborn'] ?? 0)).toBeDefined();
  up.process.kill('SIGINT');
  expect(await exitCode(up)).toBe(0);
  await eventually('its last word', () => up.said.at(-1)?.name === 'stubborn');
  expect(up.said.at(-1)).toEqual({ kind: 'stopped', name: 'stubborn', reason: 'killed by SIGKILL' });
  for (const pid of Object.values(pids)) expect(identify(pid)).toBeUndefined();
  expect(readdirSync(join(dataDirectory, 'run'))).toEqual([]);
});
