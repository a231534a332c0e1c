/** A turn that the platform ends, because a tool call waits for a person. */
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Report } from '../../src/agent/platform/protocol.ts';
import { RUN_LIMIT_MS, setStage, type Stage } from './support/stage.ts';

const TITLE = 'Count words [script: wait]';
const RESULT = '{"tool":"database.lifecycle","status":"ok"}';

describe('an agent whose turn the platform ends', { timeout: RUN_LIMIT_MS }, () => {
  let stage: Stage;
  let goes: string;
  let parked: Report;

  beforeAll(async () => {
    stage = await setStage();
    goes = `${stage.directory}/goes`;
    stage.assign({ title: TITLE, body: `wait-for: ${goes}` });
    const run = stage.run();
    const waits = () => expect(stage.platform.log().join('\n')).toContain(goes);
    await vi.waitFor(waits, { timeout: RUN_LIMIT_MS });
    stage.platform.endTurn = 'parked';
    parked = await run;
  }, RUN_LIMIT_MS);
  afterAll(() => stage[Symbol.asyncDispose]());

  test('ends it by itself, and reports that it waits', () => {
    expect(parked).toMatchObject({ outcome: 'parked', headSha: null, threadId: expect.stringMatching(/\w/) });
  });

  test('has stored its conversation', () => {
    expect(stage.platform.conversation).toMatchObject({ threadId: parked.threadId });
    expect(stage.platform.conversation?.content).toContain('Count words');
  });

  test('goes on in the same conversation, and reads the result of the call as it is stored', async () => {
    stage.platform.endTurn = null;
    await writeFile(goes, '');
    const { threadId = null } = parked;
    stage.assign({ title: TITLE }, { prompt: RESULT, resumeThreadId: threadId, interrupted: true });
    const report = await stage.run();
    expect(report.threadId).toBe(threadId);
    expect(stage.platform.conversation?.content).toContain(JSON.stringify(RESULT).slice(1, -1));
  });
});
