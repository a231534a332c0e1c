/** Default script, for an issue without a script of its own: adds a note file and says so. */
import { commitIfChanged, shellWord } from './commands.ts';
import type { Script, Step } from './script.ts';
import type { Turn } from './turn.ts';

const EXPLANATION =
  'The answers of this installation come from a script that does not know this issue. Configure a model to have it worked on.';

/** Adds `notes/issue-<number>.md`; on a review, a line for each comment. `before` runs first. */
export function notesScript(turn: Turn, before: readonly Step[] = []): Script {
  return turn.isRevise ? revise(turn, before) : work(turn, before);
}

function work({ issue }: Turn, before: readonly Step[]): Script {
  const file = `notes/issue-${issue.number}.md`;
  return {
    steps: [
      { say: 'I look at the repository first.', command: 'git log --oneline -5 && git ls-files | head -50' },
      ...before,
      {
        think: 'There is no script for this issue, so a note has to do.',
        say: `I am a scripted model and do not know this issue, so I write it down in ${file}.`,
        command: `mkdir -p notes && printf '%s\\n' ${shellWord(`# ${issue.title}`)} '' ${shellWord(`From issue #${issue.number}.`)} > ${file} && cat ${file}`,
      },
      { say: 'Now I commit it.', command: commitIfChanged(`Note issue #${issue.number}`) },
    ],
    ending: {
      kind: 'answer',
      answer: {
        title: cut(`Note: ${issue.title}`, 100),
        summary: `Adds \`${file}\` with the title of the issue.\n\n${EXPLANATION}`,
        checks: [{ command: `cat ${file}`, passed: true }],
        answers: [],
      },
    },
  };
}

function revise({ issue, comments }: Turn, before: readonly Step[]): Script {
  const file = `notes/issue-${issue.number}.md`;
  const lines = comments.map(
    ({ id, author, text }) => `- ${author} (${id}): ${cut(text.replaceAll(/\s+/g, ' '), 200)}`,
  );
  const added = lines.length > 0 ? lines : ['- reviewed, without a comment on a line'];
  return {
    steps: [
      ...before,
      {
        say: `I add what the review says to ${file}.`,
        command: `mkdir -p notes && printf '%s\\n' ${added.map(shellWord).join(' ')} >> ${file} && cat ${file}`,
      },
      { say: 'Now I commit it.', command: commitIfChanged(`Note the review of issue #${issue.number}`) },
    ],
    ending: {
      kind: 'answer',
      answer: {
        title: cut(`Note the review: ${issue.title}`, 100),
        summary: `Adds the comments of the review to \`${file}\`.`,
        checks: [{ command: `cat ${file}`, passed: true }],
        answers: comments.map(({ id }) => ({ comment_id: id, answer: `Written down in \`${file}\`.` })),
      },
    },
  };
}

function cut(text: string, characters: number): string {
  return text.length <= characters ? text : `${text.slice(0, characters - 1)}…`;
}
