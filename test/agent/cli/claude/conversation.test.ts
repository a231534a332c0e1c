import { mkdir, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findTranscript, restoreTranscript } from '../../../../src/agent/cli/claude/conversation.ts';

const SESSION = '935fb4b2-c15b-4bc2-b520-4d323ee82a68';

describe('a conversation of Claude Code as a file', () => {
  let directory: string;
  let home: string;
  let repository: string;
  beforeEach(async () => {
    directory = await realpath(await mkdtemp(join(tmpdir(), 'claude-')));
    home = join(directory, 'home');
    repository = join(directory, 'a_b', 'repo.x');
    await mkdir(repository, { recursive: true });
  });
  afterEach(() => rm(directory, { recursive: true }));

  test('is put into the folder of the directory in which it goes on', async () => {
    const file = await restoreTranscript(home, SESSION, Buffer.from('{}\n'), repository);
    const folder = repository.replaceAll(/[/._]/g, '-');
    expect(file).toBe(join(home, 'projects', folder, `${SESSION}.jsonl`));
    expect(await readFile(file, 'utf8')).toBe('{}\n');
  });

  test('replaces what an earlier run in another directory has left of it', async () => {
    await restoreTranscript(home, SESSION, Buffer.from('{"old":1}\n'), directory);
    const file = await restoreTranscript(home, SESSION, Buffer.from('{}\n'), repository);
    expect(await findTranscript(home, SESSION)).toBe(file);
  });

  test.each(['../../x', 'x', `${SESSION}/../x`])('cannot be put elsewhere by the id %s', async (id) => {
    await expect(restoreTranscript(home, id, Buffer.from('{}\n'), repository)).rejects.toThrow('not valid');
  });

  test('is refused where Claude Code would look for it under a name that only it can compute', async () => {
    const long = join(directory, 'x'.repeat(200));
    await mkdir(long);
    await expect(restoreTranscript(home, SESSION, Buffer.from('{}\n'), long)).rejects.toThrow('longer than 200');
  });
});
