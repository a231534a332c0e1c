import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
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

  /** A platform that takes conversations, and what it was sent. */
  function startKeeper() {
    const sent: [string, string][] = [];
    const platform = { tag: 0, forgets: false };
    const take = (how: string, content: Buffer): Promise<string> => {
      sent.push([how, content.toString('utf8')]);
      platform.tag += 1;
      return Promise.resolve(`"${platform.tag}"`);
    };
    const keeper = keepConversation({
      cli: { findConversation: (threadId) => findConversation(codexHome, threadId) },
      platform: {
        storeConversation: (_threadId, content) => take('whole', content),
        appendToConversation: (_threadId, tag, lines) =>
          platform.forgets || tag !== `"${platform.tag}"` ? Promise.resolve(undefined) : take('appended', lines),
      },
      redact: (text) => text.replaceAll('secret', '[redacted]'),
    });
    keeper.close();
    keeper.follow(THREAD);
    return { keeper, sent, platform };
  }

  test('is stored whole, then only what is new, without a half-written line, redacted, and only when it has changed', async () => {
    const file = await restoreRollout(codexHome, THREAD, Buffer.from(FIRST_LINE));
    const { keeper, sent } = startKeeper();
    await keeper.store();
    await keeper.store();
    await appendFile(file, '{"a":"secret"}\n{"b":');
    await keeper.store();
    await appendFile(file, '"é secret');
    await keeper.store();
    await appendFile(file, '"}\n');
    await keeper.store();
    expect(sent).toEqual([
      ['whole', FIRST_LINE],
      ['appended', '{"a":"[redacted]"}\n'],
      ['appended', '{"b":"é [redacted]"}\n'],
    ]);
  });

  test('is stored whole again when Codex has written another beginning, or the platform has something else', async () => {
    const file = await restoreRollout(codexHome, THREAD, Buffer.from(FIRST_LINE));
    const { keeper, sent, platform } = startKeeper();
    await keeper.store();
    const other = FIRST_LINE.replace('2026', '2027');
    await writeFile(file, `${other}{"a":1}\n`);
    await keeper.store();
    platform.forgets = true;
    await appendFile(file, '{"b":2}\n');
    await keeper.store();
    expect(sent).toEqual([
      ['whole', FIRST_LINE],
      ['whole', `${other}{"a":1}\n`],
      ['whole', `${other}{"a":1}\n{"b":2}\n`],
    ]);
  });
});
