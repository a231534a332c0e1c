/** Scripts for tests, chosen by `[script: NAME]` in the issue's title. */
import type { AgentAnswer } from '../../domain/run/runs.ts';
import { shellWord } from './commands.ts';
import { notesScript } from './notes-script.ts';
import { questionScript } from './question-script.ts';
import type { Script } from './script.ts';
import type { Turn } from './turn.ts';

const MISBEHAVIOURS = [
  'exit',
  'nothing',
  'not-json',
  'repair',
  'hang',
  'long-line',
  'wait',
  'leak',
  'does',
  'calls-out',
  'asks',
  'asks-freely',
] as const;
type Misbehaviour = (typeof MISBEHAVIOURS)[number];

/** Output of the `leak` script: it has the format of a GitHub token, but is not one. */
const LEAKED = `ghp_${'NotARealToken0'.repeat(3).slice(0, 36)}`;

const PROSE = { kind: 'prose', text: 'All done. I have changed what was needed and everything works.' } as const;

/** The script that the issue's title names, or undefined. */
export function misbehaviourScript(turn: Turn): Script | undefined {
  const name = /\[script: ([\w-]+)\]/.exec(turn.issue.title)?.[1];
  const known = MISBEHAVIOURS.find((candidate) => candidate === name);
  return known && scriptOf(known, turn);
}

function scriptOf(name: Misbehaviour, turn: Turn): Script {
  switch (name) {
    case 'exit':
      return { steps: [], ending: { kind: 'error', message: 'The scripted model was told to refuse this request.' } };
    case 'nothing':
      return { steps: [], ending: { kind: 'answer', answer: answerWithoutChange(turn) } };
    case 'not-json':
      return { ...notesScript(turn), ending: PROSE };
    case 'repair':
      return turn.isRepair ? notesScript(turn) : { ...notesScript(turn), ending: PROSE };
    case 'hang':
      return { steps: [], ending: { kind: 'silence' } };
    case 'long-line':
      return notesScript(turn, [
        { say: 'I print a megabyte on one line.', command: `head -c 1048576 /dev/zero | tr '\\0' x` },
      ]);
    case 'wait': {
      const file = /wait-for: (\S+)/.exec(turn.prompt)?.[1] ?? '/nowhere';
      return notesScript(turn, [
        { say: `I wait for ${file}.`, command: `until [ -e ${shellWord(file)} ]; do sleep 0.1; done` },
      ]);
    }
    case 'does':
      return asTold(turn);
    case 'asks':
      return questionScript(turn, false);
    case 'asks-freely':
      return questionScript(turn, true);
    case 'calls-out':
      return {
        steps: [
          ...notesScript(turn).steps,
          { say: 'I tell people.', command: `git commit --quiet --allow-empty --message 'Fixes #1 for @olivia'` },
        ],
        ending: { kind: 'answer', answer: answerThatCallsOut(turn) },
      };
    case 'leak':
      return notesScript(turn, [{ say: `I print ${LEAKED}.`, command: `echo ${LEAKED}` }]);
  }
}

/** Runs the lines `$ COMMAND` of the issue. Its last message is a line `says: TEXT`; with a line `fails: TEXT` the turn fails. */
function asTold({ prompt, issue, comments }: Turn): Script {
  const lines = [...prompt.matchAll(/^> (?:\$ (.+)|says: (.+))$/gm)];
  const said = lines.findLast(([, , text]) => text !== undefined)?.[2];
  const steps = lines.flatMap(([, command]) => (command === undefined ? [] : [{ say: 'I do as I am told.', command }]));
  const failing = /^> fails: (.+)$/m.exec(prompt)?.[1];
  if (failing !== undefined) return { steps, ending: { kind: 'error', message: failing } };
  if (said !== undefined) return { steps, ending: { kind: 'prose', text: said } };
  const answers = comments.map(({ id }) => ({ comment_id: id, answer: 'Done.' }));
  return {
    steps,
    ending: {
      kind: 'answer',
      answer: { title: issue.title.slice(0, 90), summary: 'Done as told.', checks: [], answers },
    },
  };
}

function answerWithoutChange({ comments }: Turn): AgentAnswer {
  return {
    title: 'Nothing to change',
    summary: 'Everything is as it should be.',
    checks: [],
    answers: comments.map(({ id }) => ({ comment_id: id, answer: 'I looked at it again, and it is right as it is.' })),
  };
}

/** Every text mentions a person, closes the first issue, and loads a picture, each in another disguise. */
function answerThatCallsOut({ comments }: Turn): AgentAnswer {
  const text = [
    '_@olivia_ and `@olivia, see &#64;olivia: **Fixes** #1, closes GH-1',
    '',
    '![a picture](https://pictures.example/?all-of-it) <img src="https://pictures.example">',
    '',
    '[Details]: https://pictures.example',
  ].join('\n');
  return {
    title: 'Closes #1 for @olivia',
    summary: text,
    checks: [{ command: 'echo fixes #1', passed: true }],
    answers: comments.map(({ id }) => ({ comment_id: id, answer: text })),
  };
}
