/** What a clone does not hold: the content of Git LFS files, and of submodules. The runner fetches neither. */
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MOST_SUBMODULES, NOTE_PATH_CHARACTERS, type WorkNotes } from '../../domain/run/work-notes.ts';
import { names } from './conversions.ts';
import type { Git } from './git.ts';

export type AbsentContent = WorkNotes['absent'];

/** The first line of a Git LFS pointer. */
const POINTER = 'version https://git-lfs.github.com/spec/';
/** A pointer is smaller than this (Git LFS specification). */
const POINTER_BYTES = 1024;

/** Looks for Git LFS pointers and submodules in what is checked out. */
export async function absentContent(git: Git, repository: string): Promise<AbsentContent> {
  let lfsFiles = 0;
  for (const path of names(await git('ls-files', '-z', '--', ':(attr:filter=lfs)')))
    if (await isPointer(join(repository, path))) lfsFiles += 1;
  const modules = names(await git('ls-files', '--stage', '-z'))
    .filter((line) => line.startsWith('160000 '))
    .map((line) => line.slice(line.indexOf('\t') + 1, line.indexOf('\t') + 1 + NOTE_PATH_CHARACTERS));
  return { lfsFiles, submodules: modules.slice(0, MOST_SUBMODULES) };
}

async function isPointer(path: string): Promise<boolean> {
  const about = await lstat(path).catch(() => undefined);
  if (!about?.isFile() || about.size > POINTER_BYTES) return false;
  return (await readFile(path, 'utf8')).startsWith(POINTER);
}

/** What an agent has to know of it; an empty text if nothing is absent. */
export function absentNotice({ lfsFiles, submodules }: AbsentContent): string {
  const parts = [
    ...(lfsFiles > 0
      ? [
          `${lfsFiles === 1 ? '1 file of this clone is a Git LFS pointer' : `${lfsFiles} files of this clone are Git LFS pointers`}: the content is absent and cannot be fetched. Do not replace a pointer by content, and do not take it for the content.`,
        ]
      : []),
    ...(submodules.length > 0
      ? [
          `The content of these submodules is absent and cannot be fetched; their folders are empty: ${submodules.join(', ')}. Do not change them.`,
        ]
      : []),
  ];
  return parts.length === 0
    ? ''
    : `${parts.join('\n')}\nWhat needs that content cannot be built or tested here: say so in your summary.`;
}
