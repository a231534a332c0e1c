/**
 * Scripts of the stages other than dev: they write one document and the stage's answer. A rethink goes back to the stage that
 * the issue names: `[rethink: design]`.
 */
import { commitIfChanged, shellWord } from './commands.ts';
import type { Script } from './script.ts';
import type { Turn } from './turn.ts';

/** The script of a stage; undefined for `dev` and `ai-repair`. */
export function stageScript(turn: Turn): Script | undefined {
  if (turn.kind === 'review') return review(turn);
  if (turn.kind === 'discussion') return talk(turn);
  return turn.stage === 'dev' || turn.stage === 'ai-repair' ? undefined : document(turn);
}

function document({ issue, stage, isRevise, comments, prompt }: Turn): Script {
  const file = `docs/delivery/issue-${issue.number}/${stage}.md`;
  const lines = isRevise
    ? [
        '',
        ...comments.map(({ author, text }) => `- ${author}: ${text.replaceAll(/\s+/g, ' ').slice(0, 200)}`),
        '- revised',
      ]
    : [`# ${stage}: ${issue.title}`, '', `What issue #${issue.number} needs in this stage.`];
  const quotedLines = lines.map(shellWord).join(' ');
  // A stage that is repeated after a rethink adds a line that says so.
  const repeated = isRevise ? 'false' : `{ [ -f ${file} ] && echo '- done anew' >> ${file}; }`;
  return {
    steps: [
      {
        say: 'I look at what the earlier stages have written.',
        command: 'git log --oneline -5 && ls -R docs 2>/dev/null | head -40 || true',
      },
      {
        say: `I write ${file}.`,
        command: `mkdir -p ${file.slice(0, file.lastIndexOf('/'))} && { ${repeated} || printf '%s\\n' ${quotedLines} ${isRevise ? '>>' : '>'} ${file}; } && cat ${file}`,
      },
      {
        say: 'Now I commit it.',
        command: commitIfChanged(`${isRevise ? 'Revise' : 'Write'} ${stage} of issue #${issue.number}`),
      },
    ],
    ending: {
      kind: 'answer',
      answer: {
        title: `${stage}: ${issue.title}`.slice(0, 100),
        summary: `${isRevise ? 'Revises' : 'Adds'} \`${file}\`.`,
        checks: [{ command: `cat ${file}`, passed: true }],
        answers: comments.map(({ id }) => ({ comment_id: id, answer: `Worked in, in \`${file}\`.` })),
        back_to: stage === 'rethink' ? (/\[rethink: ([\w-]+)\]/.exec(prompt)?.[1] ?? 'dev') : '',
      },
    },
  };
}

function review({ issue }: Turn): Script {
  return {
    steps: [{ say: 'I look at what changed.', command: 'git log --oneline -5 && git diff --stat HEAD~1' }],
    ending: {
      kind: 'answer',
      answer: {
        title: 'Nothing stands in the way',
        summary: `Looked at the last commit for issue #${issue.number}: nothing was found that stands in the way.`,
        checks: [{ command: 'git diff --stat HEAD~1', passed: true }],
        answers: [],
      },
    },
  };
}

function talk({ issue, prompt }: Turn): Script {
  const asked = /New comments[\s\S]*?\n> (.*)/.exec(prompt)?.[1] ?? issue.title;
  return {
    steps: [{ say: 'I look at the repository first.', command: 'git ls-files | head -20' }],
    ending: {
      kind: 'answer',
      answer: { title: 'An answer', summary: `You said: ${asked.slice(0, 200)}`, checks: [], answers: [] },
    },
  };
}
