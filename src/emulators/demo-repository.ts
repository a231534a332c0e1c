/** The small program that the demo works on, with the demo's issue and the review of its pull request. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const DIRECTORY = fileURLToPath(new URL('demo-repository', import.meta.url));

export interface DemoFile {
  /** Relative to the repository's root, with slashes. */
  readonly path: string;
  readonly content: string;
  readonly executable: boolean;
}

/** Every file of the program, in the order of their paths. */
export function demoRepositoryFiles(): DemoFile[] {
  const names = readdirSync(DIRECTORY, { recursive: true, encoding: 'utf8' }).toSorted();
  return names
    .map((name) => ({ name, stats: statSync(join(DIRECTORY, name)) }))
    .filter(({ stats }) => stats.isFile())
    .map(({ name, stats }) => ({
      path: name.replaceAll(sep, '/'),
      content: readFileSync(join(DIRECTORY, name), 'utf8'),
      executable: (stats.mode & 0o100) !== 0,
    }));
}

export const DEMO_ISSUE = {
  title: 'Add a --json flag',
  body: [
    'We call `tally` from a script and pick its columns apart with `awk`. That breaks as soon as a file name has a space in it.',
    '',
    'It would be nice to have `tally --json FILE...`, which prints the same numbers as JSON:',
    '',
    '- one object with `files` (name, lines, words, bytes of each) and `total`,',
    '- the same shape for one file and for several,',
    '- exit codes as they are today.',
    '',
    'Please add tests, and a paragraph in the README.',
  ].join('\n'),
} as const;

/** The review of the demo's pull request. Line numbers are those of the pull request's files. */
export const DEMO_REVIEW = {
  body: 'Works for me, and the shape is what I need. Two things before this goes in.',
  comments: [
    {
      path: 'src/cli.js',
      line: 10,
      body: [
        'A typo is taken for a file now: `tally --jsno notes.txt` prints the table, complains that there is no file `--jsno`,',
        'and ends with 1. Please reject an unknown option: name it on standard error, and end with exit code 2.',
      ].join(' '),
    },
    {
      path: 'README.md',
      line: 12,
      body: 'Could the README say which exit codes there are? Scripts will want to rely on them.',
    },
  ],
} as const;
