import { spawn } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { identify, isAlive } from '../../../src/adapters/process-identity.ts';
import { recordProcess, stopLeftovers } from '../../../src/embedded/processes/process-record.ts';
import { createSupervisor, type Supervisor } from '../../../src/embedded/processes/supervisor.ts';
import type { ProcessEvent, ProcessSpec } from '../../../src/embedded/processes/supervised-process.ts';
import { eventually, temporaryDirectory } from '../temporary-directory.ts';

const supervisors: Supervisor[] = [];

afterEach(async () => {
  for (const supervisor of supervisors) supervisor.kill();
  await Promise.all(supervisors.splice(0).map((supervisor) => supervisor.stop()));
});

interface Case {
  supervisor: Supervisor;
  dataDirectory: string;
  events: ProcessEvent[];
}

function supervise(): Case {
  const dataDirectory = temporaryDirectory();
  const events: ProcessEvent[] = [];
  const backoff = { firstMs: 20, longestMs: 80, forgivenAfterMs: 60_000 };
  const supervisor = createSupervisor({ dataDirectory, onEvent: (event) => events.push(event), backoff });
  supervisors.push(supervisor);
  return { supervisor, dataDirectory, events };
}

function shell(name: string, command: string, more: Partial<ProcessSpec> = {}): ProcessSpec {
  return { name, command: '/bin/sh', args: ['-c', command], env: { PATH: '/usr/bin:/bin' }, ...more };
}

function alive(pid: number): boolean {
  return identify(pid) !== undefined;
}

test('one that is killed is started again under another pid', async () => {
  const { supervisor, events } = supervise();
  await supervisor.start([shell('server', 'exec sleep 1000')]);
  const { server: before = 0 } = supervisor.pids();
  process.kill(before, 'SIGKILL');
  const restarted = await eventually('a restart', () => events.find(({ kind }) => kind === 'restarted'));
  expect(supervisor.pids()).toEqual({ server: (restarted as { pid: number }).pid });
  expect(supervisor.pids()['server']).not.toBe(before);
  expect(events.map(({ kind }) => kind)).toEqual(['started', 'exited', 'restarted']);
});

test('one that dies again and again is started again ever more slowly, up to a limit', async () => {
  const { supervisor, events } = supervise();
  await supervisor.start([shell('server', 'exit 3', { ready: async () => true })]);
  const deaths = await eventually('five deaths', () => {
    const seen = events.filter((event) => event.kind === 'exited');
    return seen.length >= 5 && seen.slice(0, 5);
  });
  expect(deaths.map(({ restartInMs }) => restartInMs)).toEqual([20, 40, 80, 80, 80]);
  expect(deaths[0]?.reason).toBe('exit code 3');
});

test('each waits until those it comes after are ready, whatever the order of the list', async () => {
  const { supervisor, events } = supervise();
  let databaseIsReady = false;
  const database = shell('database', 'exec sleep 1000', { ready: async () => databaseIsReady });
  const started = supervisor.start([shell('server', 'exec sleep 1000', { after: ['database'] }), database]);
  await eventually('the database', () => supervisor.pids()['database']);
  expect(supervisor.pids()['server']).toBeUndefined();
  databaseIsReady = true;
  await started;
  expect(events.map(({ name }) => name)).toEqual(['database', 'server']);
});

test('they are stopped in the reverse order of starting, and asking twice is asking once', async () => {
  const { supervisor, events } = supervise();
  const line = ['one', 'two', 'three'].map((name, index, names) =>
    shell(name, 'exec sleep 1000', { after: names.slice(Math.max(0, index - 1), index) }),
  );
  await supervisor.start(line);
  await Promise.all([supervisor.stop(), supervisor.stop()]);
  expect(events.flatMap(({ kind, name }) => (kind === 'stopped' ? [name] : []))).toEqual(['three', 'two', 'one']);
  expect(supervisor.pids()).toEqual({});
});

test('each is stopped with the signal that it wants', async () => {
  const { supervisor, events } = supervise();
  await supervisor.start([shell('postgres', 'exec sleep 1000', { stopSignal: 'SIGINT' })]);
  await supervisor.stop();
  expect(events.at(-1)).toEqual({ kind: 'stopped', name: 'postgres', reason: 'killed by SIGINT' });
});

test('one that does not stop is killed after its time', async () => {
  const { supervisor, dataDirectory, events } = supervise();
  const deaf = `trap "" TERM; touch ${join(dataDirectory, 'deaf')}; while :; do sleep 0.05; done`;
  const ready = async (): Promise<boolean> => readdirSync(dataDirectory).includes('deaf');
  await supervisor.start([shell('server', deaf, { stopWithinMs: 100, ready })]);
  await supervisor.stop();
  expect(events.at(-1)).toEqual({ kind: 'stopped', name: 'server', reason: 'killed by SIGKILL' });
});

test('what a process started in its own group ends with it, and what it detached lives on', async () => {
  const { supervisor, dataDirectory } = supervise();
  const pids = join(dataDirectory, 'pids');
  // setsid is what starting a detached process is.
  const command = `sleep 1000 & own=$!; setsid sleep 1001 & echo $own $! > ${pids}.new; mv ${pids}.new ${pids}; wait`;
  await supervisor.start([
    shell('worker', command, { ready: async () => readdirSync(dataDirectory).includes('pids') }),
  ]);
  const [own = 0, detached = 0] = readFileSync(pids, 'utf8').trim().split(' ').map(Number);
  await eventually(
    'a group of its own',
    () => readFileSync(`/proc/${detached}/stat`, 'utf8').split(' ')[4] === String(detached),
  );
  process.kill(supervisor.pids()['worker'] ?? 0, 'SIGKILL');
  await eventually('the end of the group', () => !alive(own));
  expect(alive(detached)).toBe(true);
  process.kill(detached, 'SIGKILL');
});

test('output goes to a log of its name, and the log of the time before is kept aside', async () => {
  const { supervisor, dataDirectory } = supervise();
  const log = join(dataDirectory, 'logs', 'server.log');
  writeFileSync(log, 'before\n');
  await supervisor.start([shell('server', 'echo out; echo err >&2; exec sleep 1000')]);
  await eventually('the output', () => readFileSync(log, 'utf8') === 'out\nerr\n');
  expect(readFileSync(`${log}.1`, 'utf8')).toBe('before\n');
});

test('one that exits at every start fails the start, with the end of its log', async () => {
  const { supervisor } = supervise();
  const start = supervisor.start([shell('server', 'echo no configuration; exit 1', { ready: async () => false })]);
  await expect(start).rejects.toThrow(/server exits at every start.*\n(no configuration\n?)+/);
});

test('one that is not ready in time fails the start, with the reason that was last heard', async () => {
  const { supervisor } = supervise();
  const ready = (): Promise<boolean> => Promise.reject(new Error('connection refused'));
  const start = supervisor.start([shell('server', 'exec sleep 1000', { ready, readyWithinMs: 150 })]);
  await expect(start).rejects.toThrow('server was not ready within 0.15 s: Error: connection refused');
});

test('an executable that is not there is a death with its reason', async () => {
  const { supervisor, events } = supervise();
  const start = supervisor.start([{ name: 'server', command: '/nowhere/server', args: [], env: {} }]);
  await expect(start).rejects.toThrow('server exits at every start');
  expect(events[0]).toMatchObject({ kind: 'exited', reason: expect.stringContaining('ENOENT') });
});

test('a circle is refused before anything is started', async () => {
  const { supervisor, events } = supervise();
  const circle = [shell('one', 'exit 0', { after: ['two'] }), shell('two', 'exit 0', { after: ['one'] })];
  await expect(supervisor.start(circle)).rejects.toThrow('Unknown name or cycle in "after" of: one, two');
  expect(events).toEqual([]);
});

test('a process that has the pid of a leftover and is not the leftover is left alone', async () => {
  const dataDirectory = temporaryDirectory();
  const bystander = spawn('/bin/sleep', ['1000'], { detached: true });
  const pid = bystander.pid ?? 0;
  recordProcess(dataDirectory, { pid, startTime: 'another time', name: 'server', stopSignal: 'SIGTERM', order: 0 });
  expect(await stopLeftovers(dataDirectory)).toEqual([]);
  expect(alive(pid)).toBe(true);
  bystander.kill('SIGKILL');
});

test('a zombie is not alive', async () => {
  // A shell would clear its child away: this one ends only when `sleep` has taken the shell's place.
  const child = '(until grep -q sleep /proc/$$/comm; do :; done)';
  const parent = spawn('/bin/sh', ['-c', `${child} & echo $!; exec sleep 1000`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const pid = await new Promise<number>((resolve) =>
    parent.stdout.once('data', (data: Buffer) => resolve(Number(String(data)))),
  );
  await eventually('a zombie', () => readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '));
  expect(isAlive({ pid, startTime: 'any' })).toBe(false);
  expect(identify(pid)).toBeUndefined();
  parent.kill('SIGKILL');
});
