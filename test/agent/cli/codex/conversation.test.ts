import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findConversation, findRollout, restoreRollout } from '../../../../src/agent/cli/codex/conversation.ts';
import { keepConversation } from '../../../../src/agent/runner/conversation.ts';

const THREAD = '01a1fcf5-25b9-70c1-aee6-55219b6cd5f5';
const FIRST_LINE = '{"timestamp":"2026-11-21T07:14:47.045Z","type":"session_meta"}\n';

describe('the conversation as a file', () => {
  let codexHome: string;
  beforeEach(async () => {
    codexHome = await mkdtemp(join(tmpdir(), 'codex-home-'));
  });
  afterEach(() => rm(codexHome, { recursive: true }));

  test('is put where codex looks for it', async () => {
    const file = await restoreRollout(codexHome, THREAD, Buffer.from(FIRST_LINE));
    expect(file).toBe(join(codexHome, `sessions/2026/11/21/rollout-2026-11-21T07-14-47-${THREAD}.jsonl`));
    expect(await readFile(file, 'utf8')).toBe(FIRST_LINE);
  });

  test('replaces what an earlier run has left of it', async () => {
    await restoreRollout(codexHome, THREAD, Buffer.from('{"timestamp":"2026-11-20T00:00:00Z"}\n'));
    const file = await restoreRollout(codexHome, THREAD, Buffer.from(FIRST_LINE));
    expect(await findRollout(codexHome, THREAD)).toBe(file);
  });

  test('cannot be put elsewhere by its id', async () => {
    await expect(restoreRollout(codexHome, '../../x', Buffer.from(FIRST_LINE))).rejects.toThrow('not valid');
  });

  test('is stored without a half-written line, redacted, and only when it has changed', async () => {
    const file = await restoreRollout(codexHome, THREAD, Buffer.from(FIRST_LINE));
    const stored: string[] = [];
    const keeper = keepConversation({
      cli: { findConversation: (threadId) => findConversation(codexHome, threadId) },
      platform: {
        storeConversation(_threadId, content) {
          stored.push(content.toString('utf8'));
          return Promise.resolve();
        },
      },
      redact: (text) => text.replaceAll('secret', '[redacted]'),
    });
    keeper.follow(THREAD);
    await keeper.store();
    await keeper.store();
    await writeFile(file, `${FIRST_LINE}{"a":"secret"}\n{"b":`);
    await keeper.store();
    keeper.close();
    expect(stored).toEqual([FIRST_LINE, `${FIRST_LINE}{"a":"[redacted]"}\n`]);
  });
});
