/** The demo: an issue of the `tally` program, worked on and revised with real commands. */
import { readFileSync } from 'node:fs';
import { DEMO_ISSUE, DEMO_REVIEW } from '../demo-repository.ts';
import { applyPatch, commitAll } from './commands.ts';
import type { Script } from './script.ts';
import type { ReviewComment, Turn } from './turn.ts';

const RUN_TESTS = 'node --test';
const TRY_JSON = 'node src/cli.js --json README.md package.json';
const TRY_UNKNOWN = 'node src/cli.js --jsno README.md; test $? -eq 2';

const SUMMARY_OF_WORK = [
  '`tally --json FILE...` prints one object with `files` and `total`. The shape is the same for one file and for several,',
  'and the exit codes are as before.',
].join(' ');

const SUMMARY_OF_REVISE = [
  'An unknown option is named on standard error and ends with exit code 2; nothing is counted then. The arguments are read',
  'by `parseArgs` of Node, so a file whose name begins with a dash can be given after `--`. The README lists the exit codes.',
].join(' ');

/** The script for the demo's issue and for the demo's review; undefined for everything else. */
export function demoScript(turn: Turn): Script | undefined {
  if (turn.issue.title !== DEMO_ISSUE.title) return undefined;
  if (!turn.isRevise) return work(turn);
  return turn.comments.some((comment) => answerTo(comment) !== undefined) ? revise(turn) : undefined;
}

function work({ cli }: Turn): Script {
  return {
    steps: [
      {
        think: 'The issue asks for JSON output. Before changing anything I need to know how the program is laid out.',
        say: 'I look at the repository and its README first.',
        command: 'git ls-files && cat package.json README.md',
      },
      { say: 'Now the code, and the tests that are there.', command: 'cat src/*.js && cat test/cli.js' },
      {
        think: 'Counting and printing are separate, so --json is a second formatter and one choice in cli.js.',
        say: 'Counting and printing are separate already: the flag only has to choose another formatter. I add it.',
        command: applyPatch(patchFile('add-json.patch'), cli),
      },
      {
        say: 'Next come tests for the shape and the exit code, and a paragraph in the README.',
        command: applyPatch(patchFile('test-json.patch'), cli),
      },
      { say: 'I run the tests.', command: RUN_TESTS },
      { say: 'They pass. I try it by hand as well.', command: TRY_JSON },
      {
        say: 'The output is what the issue asks for. I commit.',
        command: commitAll('Add --json to print the counts as JSON'),
      },
    ],
    ending: {
      kind: 'answer',
      answer: {
        title: 'Add --json to print the counts as JSON',
        summary: [
          SUMMARY_OF_WORK,
          '',
          '- `src/report.js` has a second formatter, `formatJson`; `src/cli.js` chooses between the two.',
          '- The tests cover several files, a single file and a missing one.',
          '- The README shows the output, and the usage line names the flag.',
          '',
          'Worth a look: `--json` may stand before or after the files.',
        ].join('\n'),
        checks: [RUN_TESTS, TRY_JSON].map(passed),
        answers: [],
      },
    },
  };
}

function revise({ cli, comments }: Turn): Script {
  return {
    steps: [
      {
        think:
          'Two comments: unknown options, and the exit codes in the README. First I look at the branch as it is now.',
        say: 'I look at the branch as it is now.',
        command: 'git log --oneline -5 && cat src/cli.js',
      },
      {
        think: 'parseArgs of node:util rejects unknown options, and handles `--` for files that begin with a dash.',
        say: '`parseArgs` of Node rejects what it does not know, so I use it instead of the filter, and add tests for both.',
        command: applyPatch(patchFile('reject-options.patch'), cli),
      },
      { say: 'I run the tests.', command: RUN_TESTS },
      { say: 'They pass. I try the typo of the review by hand.', command: TRY_UNKNOWN },
      {
        say: 'It is named on standard error, with exit code 2. I commit.',
        command: commitAll('Reject unknown options, and document the exit codes'),
      },
    ],
    ending: {
      kind: 'answer',
      answer: {
        title: 'Reject unknown options, and document the exit codes',
        summary: SUMMARY_OF_REVISE,
        checks: [RUN_TESTS, TRY_UNKNOWN].map(passed),
        answers: comments.map((comment) => ({ comment_id: comment.id, answer: answerTo(comment) ?? UNKNOWN_COMMENT })),
      },
    },
  };
}

const UNKNOWN_COMMENT =
  'Left as it is: the answers of this installation come from a script, which does not know this comment.';

const ANSWERS: Readonly<Record<string, string>> = {
  'src/cli.js': [
    'Done. `tally --jsno notes.txt` now says `tally: unknown option --jsno` with the usage on standard error, ends with 2, and',
    'counts nothing. A file that is really called `--jsno` can be given after `--`. Both have a test.',
  ].join(' '),
  'README.md': 'Added: 0 when every file was counted, 1 when one could not be read, 2 when the command line was wrong.',
};

function answerTo({ path, text }: ReviewComment): string | undefined {
  const known = DEMO_REVIEW.comments.find((comment) => comment.path === path && comment.body === text);
  return known && ANSWERS[known.path];
}

/** The script goes on only after a command that ended with 0. */
function passed(command: string): { command: string; passed: boolean } {
  return { command, passed: true };
}

function patchFile(name: string): string {
  return readFileSync(new URL(`demo/${name}`, import.meta.url), 'utf8');
}
