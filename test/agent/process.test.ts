import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findRollout } from '../../src/agent/cli/codex/conversation.ts';
import { endProcesses, processesOf } from '../../src/agent/process-tree.ts';
import { RUN_LIMIT_MS, setStage, textOf, until, type Stage } from './support/stage.ts';

const RUNNER = fileURLToPath(new URL('support/runner-process.ts', import.meta.url));

interface Running {
  readonly stage: Stage;
  /** The agent goes on when this file is there. */
  readonly go: string;
  readonly codexHome: string;
  readonly runner: ChildProcess;
  /** Resolves with the code and the signal. */
  readonly ended: Promise<unknown[]>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A runner in a process of its own, whose agent waits. */
async function runnerAtWork(): Promise<Running> {
  const stage = await setStage();
  const go = join(stage.directory, 'go');
  const codexHome = join(stage.workspace, 'codex-home');
  stage.assign({ title: `[script: wait] ${stage.platform.token}`, body: `wait-for: ${go}` });
  const { platformUrl, tokenFile, workspace } = stage.options;
  const runner = spawn(process.execPath, [RUNNER, platformUrl, tokenFile, workspace], {
    env: { ...process.env, SECRET_OF_THE_HOST: 'hunter2' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const ended = once(runner, 'exit');
  await agentWaits(stage);
  return {
    stage,
    go,
    codexHome,
    runner,
    ended,
    async [Symbol.asyncDispose]() {
      runner.kill('SIGKILL');
      await ended;
      await endProcesses(`CODEX_HOME=${codexHome}`);
      await stage[Symbol.asyncDispose]();
    },
  };
}

async function agentWaits({ platform }: Stage): Promise<void> {
  await until(() => platform.log().some((text) => text.startsWith('$ until')), 'the agent waits');
}

describe('a runner whose agent works', { timeout: RUN_LIMIT_MS }, () => {
  let running: Running;
  beforeAll(async () => {
    running = await runnerAtWork();
  });
  afterAll(async () => running?.[Symbol.asyncDispose]());

  test('shows the token in no environment and no command line', async () => {
    expect(await processesThatShow(running.stage.platform.token)).toEqual([]);
  });

  test('passes on no variable that is not on the list', async () => {
    const environments = await Promise.all(
      // One of them may be over by then.
      (await processesOf(`CODEX_HOME=${running.codexHome}`)).map((pid) =>
        readFile(`/proc/${pid}/environ`, 'utf8').catch(() => ''),
      ),
    );
    expect(environments.join('\n')).toContain('CODEX_HOME');
    expect(environments.join('\n')).not.toContain('hunter2');
  });

  test('shows the token in no log line and not in the conversation, though the issue says it', async () => {
    const { stage, go, ended } = running;
    await writeFile(go, '');
    expect(await ended).toEqual([0, null]);
    const shown =
      stage.platform.log().join('\n') + stage.platform.conversation?.content + JSON.stringify(stage.platform.reports);
    expect(shown).toContain('[redacted]');
    expect(shown).not.toContain(stage.platform.token);
  });
});

describe('a runner that is asked to stop', { timeout: RUN_LIMIT_MS }, () => {
  let running: Running;
  let before: number[];
  let milliseconds: number;
  beforeAll(async () => {
    running = await runnerAtWork();
    const { stage, codexHome, runner, ended } = running;
    // The log tells of the command before Codex has written it down.
    const threadId = /^Conversation (.+)$/m.exec(stage.platform.log().join('\n'))?.[1] ?? '';
    const written = async (): Promise<boolean> => {
      const file = await findRollout(codexHome, threadId);
      return ((await textOf(file ?? '')) ?? '').includes('until [ -e');
    };
    await until(written, 'the command is in the conversation');
    before = await processesOf(`CODEX_HOME=${codexHome}`);
    milliseconds = await timeToStop(runner, ended);
  });
  afterAll(async () => running?.[Symbol.asyncDispose]());

  async function timeToStop(runner: ChildProcess, ended: Promise<unknown>): Promise<number> {
    const since = performance.now();
    runner.kill('SIGTERM');
    await ended;
    return performance.now() - since;
  }

  test('ends with 143, without a report', async () => {
    expect(await running.ended).toEqual([143, null]);
    expect(running.stage.platform.reports).toEqual([]);
  });

  test('ends within five seconds, since nothing resists', async () => {
    const waits = [milliseconds];
    while (waits.length < 4 && !waits.some((wait) => wait < 5000)) {
      await using again = await runnerAtWork();
      waits.push(await timeToStop(again.runner, again.ended));
    }
    // The best of a few: a machine that is busy may be late now and then.
    expect(Math.min(...waits)).toBeLessThan(5000);
  });

  test('leaves no process of the agent behind', async () => {
    expect(before.length).toBeGreaterThan(1);
    expect(await processesOf(`CODEX_HOME=${running.codexHome}`)).toEqual([]);
  });

  test('stores the conversation of the cancelled run', () => {
    expect(running.stage.platform.conversation?.content).toContain('until [ -e');
  });
});

test('a runner ends what a killed one has left, when it begins', { timeout: RUN_LIMIT_MS }, async () => {
  await using running = await runnerAtWork();
  const { stage, go, codexHome, runner, ended } = running;
  runner.kill('SIGKILL');
  await ended;
  const orphans = await processesOf(`CODEX_HOME=${codexHome}`);
  stage.platform.lines.clear();
  stage.assign({ title: '[script: wait]', body: `wait-for: ${go}` });
  const next = stage.run();
  await agentWaits(stage);
  expect(orphans.length).toBeGreaterThan(0);
  expect((await processesOf(`CODEX_HOME=${codexHome}`)).filter((pid) => orphans.includes(pid))).toEqual([]);
  await writeFile(go, '');
  await next;
});

async function processesThatShow(secret: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const files = pids.flatMap((pid) => [`/proc/${pid}/environ`, `/proc/${pid}/cmdline`]);
  const texts = await Promise.all(
    files.map(async (file) => [file, await readFile(file, 'utf8').catch(() => '')] as const),
  );
  return texts.filter(([, text]) => text.includes(secret)).map(([file]) => file);
}
