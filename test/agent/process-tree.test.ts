import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { endProcesses, processesOf } from '../../src/agent/process-tree.ts';

const MARK = `CODEX_HOME=/nowhere/${process.pid}/codex-home`;

describe('the processes of an agent', () => {
  const started: ChildProcess[] = [];
  afterEach(() => {
    for (const child of started.splice(0)) child.kill('SIGKILL');
  });

  /** A shell in a session of its own that says when it is ready, and then waits. */
  async function start(mark: string, script = ''): Promise<number | undefined> {
    const child = spawn('bash', ['-c', `${script} echo ready; while :; do sleep 1; done`], {
      env: { PATH: process.env['PATH'], CODEX_HOME: mark.slice('CODEX_HOME='.length) },
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    started.push(child);
    await once(child.stdout ?? child, 'data');
    return child.pid;
  }

  test('are found although they have left its process group', async () => {
    const pid = await start(MARK);
    expect(await processesOf(MARK)).toContain(pid);
  });

  test('are ended', async () => {
    await start(MARK);
    await endProcesses(MARK);
    expect(await processesOf(MARK)).toEqual([]);
  });

  test('are ended by force when they do not listen', async () => {
    await start(MARK, "trap '' TERM;");
    await endProcesses(MARK, 200);
    expect(await processesOf(MARK)).toEqual([]);
  });

  test('are not those of another agent', async () => {
    const pid = await start(`${MARK}-of-another`);
    await endProcesses(MARK);
    expect(await processesOf(`${MARK}-of-another`)).toContain(pid);
  });
});
