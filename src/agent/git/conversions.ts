/**
 * Keeps git from converting files that it would rewrite although nobody changed them: a file with CRLF that an attribute calls
 * `text`, one in another encoding than its attribute says. Whoever commits everything, agent or runner, would commit them too.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Git } from './git.ts';

/** Attributes that convert between a file and what is stored of it, switched off. */
const UNCONVERTED = '-text -eol -ident -working-tree-encoding';

/** Of more files than this, each with a line of its own, git would become slow: then nothing in the repository is converted. */
const MOST_LINES = 1000;

/**
 * Switches conversions off for the files that git shows as changed right after checkout, in the clone's own attributes, and
 * checks them out as they are stored. The names of these files.
 */
export async function leaveUnconverted(git: Git, repository: string): Promise<readonly string[]> {
  const attributes = join(repository, '.git', 'info', 'attributes');
  if ((await git('ls-files', '--', '.gitattributes', ':(glob)**/.gitattributes')) === '') return [];
  // Forgets when files were written, so that git compares the content of each.
  await git('read-tree', 'HEAD');
  const changed = names(await git('diff', '--name-only', '-z', '--no-ext-diff', '--no-textconv'));
  if (changed.length === 0) return [];
  const patterns = changed.length > MOST_LINES ? ['*'] : changed.map((name) => patternOf(name));
  await mkdir(join(repository, '.git', 'info'), { recursive: true });
  await writeFile(attributes, patterns.map((pattern) => `${pattern} ${UNCONVERTED}\n`).join(''));
  await git('read-tree', 'HEAD');
  await git('reset', '--quiet', '--hard', 'HEAD');
  return changed;
}

/** The paths that git prints with `-z`. */
export function names(output: string): string[] {
  return output.split('\0').filter(Boolean);
}

/** A pattern that matches this path only: gitattributes(5) quotes like C, and has the wildcards of gitignore(5). */
function patternOf(path: string): string {
  const literal = `/${path.replaceAll(/[\\*?[\]]/g, String.raw`\$&`)}`;
  const quoted = literal
    .replaceAll(/["\\]/g, String.raw`\$&`)
    .replaceAll('\n', String.raw`\n`)
    .replaceAll('\t', String.raw`\t`);
  return `"${quoted}"`;
}
