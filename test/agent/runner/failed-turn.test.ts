import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createCodex } from '../../../src/agent/cli/codex/codex.ts';
import { startCli } from '../../../src/agent/cli/process.ts';
import type { CreateAgentCli } from '../../../src/agent/cli/agent-cli.ts';
import { runAgent } from '../../../src/agent/runner/runner.ts';
import { RUN_LIMIT_MS, setStage, type Stage } from '../support/stage.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await setStage();
});
afterEach(() => stage[Symbol.asyncDispose]());

/** Codex, whose turns print these events and end with exit code 0. Returns how many turns there were. */
async function run(events: readonly object[]): Promise<number> {
  const program = join(stage.directory, 'codex.js');
  const lines = events.map((event) => `process.stdout.write(${JSON.stringify(`${JSON.stringify(event)}\n`)});`);
  await writeFile(program, lines.join('\n'));
  let turns = 0;
  const createCli: CreateAgentCli = (setting) => ({
    ...createCodex(setting),
    start({ onLine, onTooLong, prompt }) {
      turns += 1;
      const { workspace } = stage;
      return startCli({
        program,
        args: [],
        cwd: workspace,
        env: {},
        mark: `NONE=${workspace}`,
        prompt,
        onLine,
        onTooLong,
      });
    },
  });
  await runAgent({ ...stage.options, createCli });
  return turns;
}

const BEGUN = { type: 'thread.started', thread_id: '0198d3a0-0000-7000-8000-000000000001' };

test(
  'I22: a turn that Codex reports as failed with exit code 0 fails the run for that reason, without a second turn',
  { timeout: RUN_LIMIT_MS },
  async () => {
    stage.assign({ title: 'Anything' });
    const reason = 'the model is overloaded, and the stream ended early';
    const turns = await run([BEGUN, { type: 'turn.started' }, { type: 'turn.failed', error: { message: reason } }]);
    expect(stage.platform.reports).toMatchObject([
      { outcome: 'failed', failure: 'agent_failed', detail: `codex gave up its turn: ${reason}` },
    ]);
    expect(turns).toBe(1);
    expect(stage.platform.log().join('\n')).toContain(reason);
  },
);

test('a stream that broke and was taken up again fails nothing', { timeout: RUN_LIMIT_MS }, async () => {
  stage.assign({ title: 'Anything' }, { kind: 'review' });
  const answer = { summary: 'Fine.', title: 'Fine', checks: [], answers: [], back_to: '', question: null };
  const turns = await run([
    BEGUN,
    { type: 'error', message: 'Reconnecting... 1/5' },
    { type: 'item.completed', item: { id: '1', type: 'agent_message', text: JSON.stringify(answer) } },
    { type: 'turn.completed', usage: { input_tokens: 1, output_tokens: 1 } },
  ]);
  expect(stage.platform.reports).toMatchObject([{ outcome: 'finished' }]);
  expect(turns).toBe(1);
});

test('I23: Codex waits for a silent model as long as a run may be silent', { timeout: RUN_LIMIT_MS }, async () => {
  stage.assign({ title: 'Anything' }, { limits: { stallSeconds: 900, runSeconds: 3600 } });
  await run([BEGUN, { type: 'turn.failed', error: { message: 'x' } }]);
  const config = await readFile(join(stage.workspace, 'codex-home', 'config.toml'), 'utf8');
  expect(config).toContain('stream_idle_timeout_ms = 900000\n');
});
