import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findRollout } from '../../src/agent/cli/codex/conversation.ts';
import { endProcesses, processesOf } from '../../src/agent/process-tree.ts';
import { RUN_LIMIT_MS, setStage, textOf, until, type Stage } from './support/stage.ts';

const RUNNER = fileURLToPath(new URL('support/runner-process.ts', import.meta.url));

describe('the runner as a process', { timeout: RUN_LIMIT_MS }, () => {
  let stage: Stage;
  let runner: ChildProcess;
  let ended: Promise<unknown[]>;
  let go: string;
  let codexHome: string;

  beforeEach(async () => {
    stage = await setStage();
    go = join(stage.directory, 'go');
    codexHome = join(stage.workspace, 'codex-home');
    await start();
  });
  afterEach(async () => {
    runner.kill('SIGKILL');
    await ended;
    await endProcesses(`CODEX_HOME=${codexHome}`);
    await stage[Symbol.asyncDispose]();
  });

  /** Starts the runner, and waits until its agent waits. */
  async function start(): Promise<void> {
    stage.platform.lines.clear();
    stage.assign({ title: `[script: wait] ${stage.platform.token}`, body: `wait-for: ${go}` });
    const { platformUrl, tokenFile, workspace } = stage.options;
    runner = spawn(process.execPath, [RUNNER, platformUrl, tokenFile, workspace], {
      env: { ...process.env, SECRET_OF_THE_HOST: 'hunter2' },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    ended = once(runner, 'exit');
    await agentWaits();
  }

  const agentWaits = (): Promise<void> =>
    until(() => stage.platform.log().some((text) => text.startsWith('$ until')), 'the agent waits');

  test('ends with 143 on SIGTERM, without a report', async () => {
    runner.kill('SIGTERM');
    expect(await ended).toEqual([143, null]);
    expect(stage.platform.reports).toEqual([]);
  });

  test('ends within five seconds, since nothing resists', async () => {
    const waits: number[] = [];
    while (waits.length < 4 && !waits.some((wait) => wait < 5000)) {
      if (waits.length > 0) await start();
      const before = performance.now();
      runner.kill('SIGTERM');
      await ended;
      waits.push(performance.now() - before);
    }
    // The best of a few: a machine that is busy may be late now and then.
    expect(Math.min(...waits)).toBeLessThan(5000);
  });

  test('leaves no process of the agent behind', async () => {
    expect((await processesOf(`CODEX_HOME=${codexHome}`)).length).toBeGreaterThan(1);
    runner.kill('SIGTERM');
    await ended;
    expect(await processesOf(`CODEX_HOME=${codexHome}`)).toEqual([]);
  });

  test('stores the conversation of a cancelled run', async () => {
    // The log tells of the command before Codex has written it down.
    const threadId = /^Conversation (.+)$/m.exec(stage.platform.log().join('\n'))?.[1] ?? '';
    const written = async (): Promise<boolean> => {
      const file = await findRollout(codexHome, threadId);
      return ((await textOf(file ?? '')) ?? '').includes('until [ -e');
    };
    await until(written, 'the command is in the conversation');
    runner.kill('SIGTERM');
    await ended;
    expect(stage.platform.conversation?.content).toContain('until [ -e');
  });

  test('ends what a killed runner has left, when the next one begins', async () => {
    runner.kill('SIGKILL');
    await ended;
    const orphans = await processesOf(`CODEX_HOME=${codexHome}`);
    stage.platform.lines.clear();
    stage.assign({ title: '[script: wait]', body: `wait-for: ${go}` });
    const running = stage.run();
    await agentWaits();
    expect(orphans.length).toBeGreaterThan(0);
    expect((await processesOf(`CODEX_HOME=${codexHome}`)).filter((pid) => orphans.includes(pid))).toEqual([]);
    await writeFile(go, '');
    await running;
  });

  test('shows the token in no environment and no command line', async () => {
    expect(await processesThatShow(stage.platform.token)).toEqual([]);
  });

  test('passes on no variable that is not on the list', async () => {
    const environments = await Promise.all(
      // One of them may be over by then.
      (await processesOf(`CODEX_HOME=${codexHome}`)).map((pid) =>
        readFile(`/proc/${pid}/environ`, 'utf8').catch(() => ''),
      ),
    );
    expect(environments.join('\n')).toContain('CODEX_HOME');
    expect(environments.join('\n')).not.toContain('hunter2');
  });

  test('shows the token in no log line and not in the conversation, though the issue says it', async () => {
    await writeFile(go, '');
    expect(await ended).toEqual([0, null]);
    const shown =
      stage.platform.log().join('\n') + stage.platform.conversation?.content + JSON.stringify(stage.platform.reports);
    expect(shown).toContain('[redacted]');
    expect(shown).not.toContain(stage.platform.token);
  });
});

async function processesThatShow(secret: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const files = pids.flatMap((pid) => [`/proc/${pid}/environ`, `/proc/${pid}/cmdline`]);
  const texts = await Promise.all(
    files.map(async (file) => [file, await readFile(file, 'utf8').catch(() => '')] as const),
  );
  return texts.filter(([, text]) => text.includes(secret)).map(([file]) => file);
}
