/** A stored conversation that cannot be gone on with: the agent begins a new one, and is told what was done. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createCodex } from '../../../src/agent/cli/codex/codex.ts';
import type { AgentCli, CreateAgentCli } from '../../../src/agent/cli/agent-cli.ts';
import { startCli } from '../../../src/agent/cli/process.ts';
import { runAgent } from '../../../src/agent/runner/runner.ts';
import { RUN_LIMIT_MS, setStage, type Stage } from '../support/stage.ts';

const EARLIER = '0198d3a0-0000-7000-8000-000000000001';
const BEGUN = { type: 'thread.started', thread_id: '0198d3a0-0000-7000-8000-000000000002' };
const GOES_ON = { type: 'thread.started', thread_id: EARLIER };
const ANSWER = { summary: 'Fine.', title: 'Fine', checks: [], answers: [], back_to: '', question: null };
const DONE = [
  BEGUN,
  { type: 'item.completed', item: { id: '1', type: 'agent_message', text: JSON.stringify(ANSWER) } },
  { type: 'turn.completed', usage: { input_tokens: 1, output_tokens: 1 } },
];

let stage: Stage;
beforeEach(async () => {
  stage = await setStage();
  stage.assign(
    { title: 'Anything' },
    { kind: 'review', prompt: 'Go on.', resumeThreadId: EARLIER, fresh: 'The task again.\n\n> It counted words.' },
  );
  stage.platform.conversation = { threadId: EARLIER, content: '{"type":"session_meta"}\n' };
});
afterEach(() => stage[Symbol.asyncDispose]());

/** Runs an agent whose turns print these events. Returns what each turn was started with. */
async function run(turns: readonly (readonly object[])[], more: Partial<AgentCli> = {}) {
  const started: { prompt: string; threadId: string | undefined }[] = [];
  const createCli: CreateAgentCli = (setting) => ({
    ...createCodex(setting),
    restoreConversation: async () => {},
    ...more,
    start({ onLine, onTooLong, prompt, threadId }) {
      const events = turns[started.length] ?? [];
      started.push({ prompt, threadId });
      const { workspace } = stage;
      const lines = events.map((event) => JSON.stringify(event)).join('\n');
      const args = [lines === '' ? 'process.exit(1)' : `process.stdout.write(${JSON.stringify(`${lines}\n`)})`];
      return startCli({ program, args, cwd: workspace, env: {}, mark: `NONE=${workspace}`, prompt, onLine, onTooLong });
    },
  });
  const program = join(stage.directory, 'agent.js');
  await writeFile(program, 'eval(process.argv[2])');
  await runAgent({ ...stage.options, createCli });
  return started;
}

const report = () => stage.platform.reports.at(-1);
const FRESH = { prompt: expect.stringContaining('> It counted words.') as string, threadId: undefined };

test('one whose checksum differs is not restored', { timeout: RUN_LIMIT_MS }, async () => {
  stage.platform.conversation = { threadId: EARLIER, content: 'cut o', damaged: true };
  expect(await run([DONE])).toEqual([FRESH]);
  expect(report()).toMatchObject({ outcome: 'finished', notes: { lostConversation: 'damaged' } });
  expect(stage.platform.log().join('\n')).toContain('does not match its checksum');
});

test('one that the program does not restore is given up', { timeout: RUN_LIMIT_MS }, async () => {
  const restoreConversation = () => Promise.reject(new Error('no rollout'));
  expect(await run([DONE], { restoreConversation })).toEqual([FRESH]);
  expect(report()).toMatchObject({ outcome: 'finished', notes: { lostConversation: 'refused' } });
});

test('one that the program refuses to resume is given up', { timeout: RUN_LIMIT_MS }, async () => {
  expect(await run([[], DONE])).toEqual([{ prompt: 'Go on.', threadId: EARLIER }, FRESH]);
  expect(report()).toMatchObject({ outcome: 'finished', notes: { lostConversation: 'refused' } });
  expect(stage.platform.log().join('\n')).toContain('a new one begins');
});

test('one that has become too long for the model is given up', { timeout: RUN_LIMIT_MS }, async () => {
  const message = "Your input exceeds the model's context window.";
  expect(await run([[GOES_ON, { type: 'turn.failed', error: { message } }], DONE])).toMatchObject([{}, FRESH]);
});

test('a turn that fails otherwise is not tried with another conversation', { timeout: RUN_LIMIT_MS }, async () => {
  const failed = { type: 'turn.failed', error: { message: 'the model is overloaded' } };
  expect(await run([[GOES_ON, failed]])).toHaveLength(1);
  expect(report()).toMatchObject({ outcome: 'failed', failure: 'agent_failed' });
});

test(
  'B42: an answer that does not fit is asked for once more in a resumed conversation',
  { timeout: RUN_LIMIT_MS },
  async () => {
    const wrong = [GOES_ON, { type: 'item.completed', item: { id: '1', type: 'agent_message', text: 'Done.' } }];
    const started = await run([wrong, [GOES_ON, ...DONE.slice(1)]]);
    expect(started.map(({ threadId }) => threadId)).toEqual([EARLIER, EARLIER]);
    expect(report()).toMatchObject({ outcome: 'finished', threadId: EARLIER });
  },
);
