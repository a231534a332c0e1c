/**
 * Messages of an agent's commits. GitHub closes issues and notifies people by them when they reach the default branch, so keywords and
 * mentions are broken before a push. Commits that the remote has stay as they are.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withoutInvisible } from '../../domain/invisible.ts';
import { inert } from '../../domain/messages/inert.ts';
import type { Log } from '../platform/log-line.ts';
import type { Git } from './git.ts';

/**
 * Writes the new commits up to HEAD again where a message does something on GitHub; HEAD's branch moves, no file changes.
 * `workspace`: a directory for temporary files.
 */
export async function neutralizeMessages(git: Git, workspace: string, log: Log): Promise<void> {
  const ids = (await git('rev-list', '--reverse', '--topo-order', 'HEAD', '--not', '--remotes=origin'))
    .split('\n')
    .filter(Boolean);
  const written = new Map<string, string>();
  let changed = 0;
  const directory = await mkdtemp(join(workspace, 'commits-'));
  try {
    for (const id of ids) {
      const { header, message } = parse(await git('cat-file', 'commit', id));
      // Without its breaks, and with them again, a message is the same: it is written once.
      const neutral = inert(withoutInvisible(message).text);
      const parents = header.map((line) => withParent(line, written));
      if (neutral === message && parents.every((line, index) => line === header[index])) continue;
      if (neutral !== message) changed += 1;
      const file = join(directory, id);
      await writeFile(file, `${withoutSignature(parents).join('\n')}\n\n${neutral}\n`);
      written.set(id, await git('hash-object', '-t', 'commit', '-w', file));
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  const head = written.get(ids.at(-1) ?? '');
  if (head === undefined) return;
  await git('reset', '--quiet', '--soft', head);
  log(
    'runner',
    `${changed === 1 ? '1 commit message' : `${changed} commit messages`} would have mentioned people or closed issues on GitHub, and cannot any more`,
  );
}

function parse(commit: string): { readonly header: readonly string[]; readonly message: string } {
  const end = commit.indexOf('\n\n');
  return end === -1
    ? { header: commit.split('\n'), message: '' }
    : { header: commit.slice(0, end).split('\n'), message: commit.slice(end + 2) };
}

function withParent(line: string, written: ReadonlyMap<string, string>): string {
  const [key, id = ''] = line.split(' ');
  return key === 'parent' ? `parent ${written.get(id) ?? id}` : line;
}

/** A signature is one of the commit as it was; its further lines begin with a space. */
function withoutSignature(header: readonly string[]): readonly string[] {
  let within = false;
  return header.filter((line) => {
    within = line.startsWith('gpgsig') || (within && line.startsWith(' '));
    return !within;
  });
}
