/** What the scripted agent does with an issue whose title says `[script: asks]`: it begins, asks people, and goes on with what they say. */
import type { Question } from '../../domain/run/requests.ts';
import { commitIfChanged, shellWord } from './commands.ts';
import type { Script } from './script.ts';
import type { Turn } from './turn.ts';

const WITH_OPTIONS: Question = {
  text: 'Which format should the report have? Both are used in this repository, and programs read it.',
  options: ['JSON', 'CSV', 'Plain text'],
};

const FREE: Question = {
  text: 'What should the report be called? Its name appears in the file and in the title.',
  options: [],
};

/**
 * Asks with three options and what it has made committed; or freely, and in the middle of its work. The branch and the pull request
 * show the answer.
 */
export function questionScript(turn: Turn, freely: boolean): Script {
  const answer = turn.answers.at(-1);
  return answer === undefined ? ask(turn, freely ? FREE : WITH_OPTIONS) : goOn(turn, answer);
}

function ask({ issue }: Turn, question: Question): Script {
  const file = fileOf(issue);
  return {
    steps: [
      { say: 'I look at the repository first.', command: 'git log --oneline -5 && git ls-files | head -50' },
      {
        think: 'One thing here is for people to decide. I do what is clear already, and then ask.',
        say: `I begin ${file} with what is clear.`,
        command: `mkdir -p reports && printf '%s\\n' ${shellWord(`# ${issue.title}`)} > ${file}`,
      },
      ...(question === FREE
        ? []
        : [
            {
              say: 'I commit it before I ask.',
              command: commitIfChanged(`Begin the report of issue #${issue.number}`),
            },
          ]),
    ],
    ending: {
      kind: 'answer',
      answer: {
        title: `A question about issue #${issue.number}`,
        summary: `\`${file}\` is begun. What comes next depends on the answer.`,
        checks: [],
        answers: [],
        question,
      },
    },
  };
}

function goOn({ issue }: Turn, answer: string): Script {
  const file = fileOf(issue);
  const [line = ''] = answer.split('\n');
  return {
    steps: [
      {
        say: `The answer is: ${line.slice(0, 200)}. I write it down in ${file}.`,
        command: `mkdir -p reports && printf '%s\\n' '' ${answer
          .split('\n')
          .map((text) => shellWord(`Answer: ${text}`))
          .join(' ')} >> ${file} && cat ${file}`,
      },
      { say: 'Now I commit it.', command: commitIfChanged(`Write the report of issue #${issue.number}`) },
    ],
    ending: {
      kind: 'answer',
      answer: {
        title: `Report: ${line}`.slice(0, 100),
        summary: `Adds \`${file}\`. It follows the answer to the question: **${line}**.`,
        checks: [{ command: `cat ${file}`, passed: true }],
        answers: [],
      },
    },
  };
}

function fileOf({ number }: Turn['issue']): string {
  return `reports/issue-${number}.md`;
}
