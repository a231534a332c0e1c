import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findRollout } from '../../src/agent/cli/codex/conversation.ts';
import { processesOf } from '../../src/agent/process-tree.ts';
import { EXIT_CODES } from '../../src/domain/run/exit-codes.ts';
import { runAgent } from '../../src/agent/runner/runner.ts';
import { RUN_LIMIT_MS, setStage, textOf, until, type Stage } from './support/stage.ts';

describe('a platform that goes away', { timeout: RUN_LIMIT_MS }, () => {
  let stage: Stage;
  let go: string;
  beforeEach(async () => {
    stage = await setStage();
    go = join(stage.directory, 'go');
    stage.assign({ title: '[script: wait]', body: `wait-for: ${go}` });
  });
  afterEach(() => stage[Symbol.asyncDispose]());

  const agentWaits = (): Promise<void> =>
    until(() => stage.platform.log().some((text) => text.startsWith('$ until')), 'the agent waits');

  /** Lets the agent go on while nobody listens, until its command has ended. */
  async function workUnheard(): Promise<void> {
    await agentWaits();
    const threadId = /^Conversation (.+)$/m.exec(stage.platform.log().join('\n'))?.[1] ?? '';
    await stage.platform.goAway();
    await writeFile(go, '');
    const ended = async (): Promise<boolean> => {
      const file = await findRollout(join(stage.workspace, 'codex-home'), threadId);
      return /until .*Process exited with code 0/s.test((await textOf(file ?? '')) ?? '');
    };
    await until(ended, 'the command has ended');
  }

  test('is waited for, and the run is reported', async () => {
    const running = stage.run();
    await workUnheard();
    await stage.platform.comeBack();
    expect(await running).toMatchObject({ outcome: 'finished' });
  });

  test('misses no line of the log', async () => {
    const running = stage.run();
    await workUnheard();
    await stage.platform.comeBack();
    await running;
    const numbers = [...stage.platform.lines.keys()].toSorted((a, b) => a - b);
    expect(numbers).toEqual(numbers.map((_, index) => index));
    expect(stage.platform.log()).toContain('exit code 0');
  });

  test('may be away when the runner begins', async () => {
    await writeFile(go, '');
    await stage.platform.goAway();
    const door = createServer((socket) => socket.destroy()).listen(
      Number(new URL(stage.platform.url).port),
      '127.0.0.1',
    );
    await once(door, 'listening');
    const knocked = once(door, 'connection');
    const running = stage.run();
    await knocked;
    door.close();
    await once(door, 'close');
    await stage.platform.comeBack();
    expect(await running).toMatchObject({ outcome: 'finished' });
  });

  test('ends the run at once when it says that the run is over', async () => {
    const running = runAgent(stage.options);
    await agentWaits();
    stage.platform.isOver = true;
    await writeFile(go, '');
    expect(await running).toBe(EXIT_CODES.over);
    expect(await processesOf(`CODEX_HOME=${join(stage.workspace, 'codex-home')}`)).toEqual([]);
  });
});

describe('a model that is started again', { timeout: RUN_LIMIT_MS }, () => {
  test('does no harm to a run', async () => {
    await using stage = await setStage();
    const go = join(stage.directory, 'go');
    stage.assign({ title: '[script: wait]', body: `wait-for: ${go}` });
    const running = stage.run();
    await until(() => stage.platform.log().some((text) => text.startsWith('$ until')), 'the agent waits');
    await stage.restartModel();
    await writeFile(go, '');
    expect(await running).toMatchObject({ outcome: 'finished' });
  });
});
