/** S16: what an agent has left running ends with its turn, however it has detached itself. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { adopting } from '../../src/app/agent/agent-command.ts';
import { RUN_LIMIT_MS, setStage, textOf } from './support/stage.ts';

const RUNNER = fileURLToPath(new URL('support/runner-process.ts', import.meta.url));

async function isRunning(commandLine: string): Promise<boolean> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map(async (pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.some((line) => line.replaceAll('\0', ' ').trim() === commandLine);
}

test.skipIf(process.platform !== 'linux').each([
  ['in a session of its own', 'setsid'],
  ['in a session of its own, without the variables of the agent', 'env -i setsid'],
  ['by a parent that has ended at once', 'env -i setsid --fork setsid --fork'],
])('a process that an agent has left %s ends with the run', { timeout: RUN_LIMIT_MS }, async (_how, detached) => {
  await using stage = await setStage();
  const sleep = `sleep ${100_000 + process.pid}`;
  const seen = `${stage.directory}/seen`;
  // One command: Codex ends the process group of a command that is over.
  const command = `${detached} ${sleep} </dev/null >/dev/null 2>&1 & until pgrep -f '^${sleep}$' > ${seen}; do sleep 0.1; done`;
  stage.assign({ title: 'As told [script: does]', body: `$ ${command}` });
  const { platformUrl, tokenFile, workspace } = stage.options;
  const [program, ...args] = adopting([process.execPath, RUNNER, platformUrl, tokenFile, workspace]);
  await once(spawn(program, args, { stdio: 'ignore' }), 'exit');
  expect(await textOf(seen)).toMatch(/\d/);
  expect(stage.platform.reports).toHaveLength(1);
  expect(await isRunning(sleep)).toBe(false);
});
