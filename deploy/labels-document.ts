/** docs/labels.md: the vocabulary as a repository's owner would print it out, made from the tables themselves. */
import { LABELS, type LabelGroup, type LabelRow } from '../src/domain/stages/labels.ts';
import {
  MODE_DISCUSSION,
  NEED_INPUT,
  NEED_REVIEWER,
  TRAJECTORIES,
  ROLES,
  RUN_DEBUG,
  STAGES,
  STATE_BLOCKED,
  STATE_IN_REVIEW,
  triggerLabel,
  type Candidate,
  type Scope,
  type Stage,
} from '../src/domain/stages/stages.ts';

/** The whole page. `npm run docs:labels` writes it; a test compares. */
export function labelsDocument(): string {
  const parts = [INTRODUCTION, ...GROUPS.flatMap(group), stages(), roles(), profiles(), COMBINATIONS, TROUBLE, NAMES];
  return `${filled(parts.join('\n\n'))}\n`;
}

const LINE_CHARACTERS = 120;

/** Fills the lines of texts and lists; headings, tables and comments stay as they are. */
function filled(page: string): string {
  const joined = page.replaceAll(/(?<=[^\n])\n(?=[^\n|#<-])/g, ' ').split('\n');
  return joined.map((line) => (/^[#|<]|^$/.test(line) ? line : filledText(line))).join('\n');
}

function filledText(text: string): string {
  const indent = text.startsWith('- ') ? '  ' : '';
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1);
    if (line === undefined) lines.push(word);
    else if (line.length + 1 + word.length <= LINE_CHARACTERS) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(indent + word);
  }
  return lines.join('\n');
}

const INTRODUCTION = `<!-- Made from src/domain/stages/labels.ts and src/domain/stages/stages.ts with \`npm run docs:labels\`. -->

# Labels

Labels are how people and codex-k8s talk about an issue. You put one \`run:…\` label on an issue, and an agent works on it.
Nothing else on this page starts an agent, but for \`${NEED_REVIEWER}\` and \`${MODE_DISCUSSION}\`. Only people who may start runs
are heeded (\`codex-k8s members add LOGIN --role read_write\`); bots and agents never are. \`codex-k8s labels sync OWNER/NAME\`
makes all of these labels in a repository that is bound, and gives them their colours and descriptions; it deletes none.`;

interface GroupText {
  readonly group: LabelGroup;
  readonly title: string;
  readonly text: string;
}

const GROUPS: readonly GroupText[] = [
  {
    group: 'trigger',
    title: 'Start a stage',
    text: `On an issue, one at a time. codex-k8s reacts with eyes, writes a status comment and launches the agent; when its work is
there, it opens a pull request, takes the label off and puts \`${STATE_IN_REVIEW}\` on both. Taking the label off before cancels.`,
  },
  {
    group: 'revise',
    title: 'Send work back',
    text: `On an issue. The same agent goes on in the same conversation, on the same branch and pull request. You rarely need these: a
review that requests changes does the same. Its stage is that of the labels on the pull request, else of those on the
issue, else of the last run on this pull request.`,
  },
  {
    group: 'reviewer',
    title: 'Ask for a reviewer',
    text: 'On a pull request of codex-k8s.',
  },
  {
    group: 'discussion',
    title: 'Talk first',
    text: `On an issue without a \`run:…\` label. Each comment of a person who may start runs is answered; nothing is committed. The
conversation ends when the label is taken off, a run is asked for, the issue is closed, or nobody spoke for eight hours.`,
  },
  {
    group: 'debug',
    title: 'Look into the workspace',
    text: `On an issue, beside a \`run:…\` label. It has a name like theirs and starts nothing.`,
  },
  {
    group: 'profile',
    title: 'Choose the stages',
    text: 'On an issue, one at most. Without one, every profile is possible that has the stages done so far.',
  },
  {
    group: 'state',
    title: 'Where it stands',
    text: `On issues and pull requests. They start nothing; \`${STATE_BLOCKED}\` keeps everything from starting.`,
  },
  {
    group: 'need',
    title: 'Who is waited for',
    text: `On issues and pull requests. They start nothing; \`${NEED_INPUT}\` keeps everything from starting until a person takes it off.`,
  },
  {
    group: 'model',
    title: 'Choose the model',
    text: `On an issue or its pull request, one at most; the issue comes before the pull request. Without one, the choice of the run
before holds, then the project's, then the platform's. A label of another model says nothing.`,
  },
  {
    group: 'reasoning',
    title: 'Choose the effort',
    text: 'As for the model.',
  },
];

const SET_BY: Readonly<Record<LabelRow['setBy'], string>> = {
  people: 'you',
  platform: 'codex-k8s',
  both: 'you or codex-k8s',
};

function group({ group: wanted, title, text }: GroupText): string[] {
  const rows = LABELS.filter((row) => row.group === wanted);
  return [
    `## ${title}`,
    text,
    table(
      ['label', 'put on by', 'what happens'],
      rows.map(({ name, setBy, description }) => [`\`${name}\``, SET_BY[setBy], description]),
    ),
  ];
}

const SCOPES: Readonly<Record<Scope, string>> = {
  code: 'any file',
  documents: 'Markdown',
  prompts: 'prompts, documents, lists of tools',
};

const CANDIDATES: Readonly<Record<Candidate, string>> = {
  open_work: "the issue's pull request is open",
  merged_work: "the issue's pull request is merged",
};

function stages(): string {
  const rows = STAGES.map(({ stage, lead, others, artefacts, scope, mode, candidate }) => [
    `\`${stage}\``,
    lead,
    others.join(', ') || '–',
    artefacts.join(', '),
    SCOPES[scope],
    mode,
    [entry(stage), ...(candidate ? [CANDIDATES[candidate]] : [])].join('; '),
  ]);
  return `## Stages

The lead is the agent that is launched; the other roles have a say in the review. A pull request that changes files outside
its stage's scope is not opened. \`full-env\` has the project's services around it, \`code-only\` a checkout.

${table(['stage', 'lead', 'others', 'usual artefacts', 'may change', 'workspace', 'begins when'], rows)}`;
}

/** When the profiles let a stage begin. */
function entry(stage: Stage): string {
  const before = TRAJECTORIES.flatMap(({ stages }) => {
    const order: readonly Stage[] = stages;
    const place = order.indexOf(stage);
    return place === -1 ? [] : [place === 0 ? 'at the beginning' : `after ${order[place - 1]}`];
  });
  return before.length === 0 ? 'at any time' : [...new Set(before)].join(' or ');
}

function roles(): string {
  const rows = ROLES.map(({ role, title, atOnce }) => [role, title, String(atOnce)]);
  return `## Roles

${table(['role', 'who that is', 'at work at once in a project'], rows)}`;
}

function profiles(): string {
  const rows = TRAJECTORIES.map(({ name, stages }) => [`\`profile:${name}\``, stages.join(' → ')]);
  return `## Profiles

A stage begins when the one before it in the profile is done, that is, when its run has ended well. What a profile leaves out
is waived. What is done may be done again.

${table(['profile', 'its stages'], rows)}`;
}

const DEV = triggerLabel({ stage: 'dev', kind: 'work' });

const COMBINATIONS = `## What goes together

| on one issue | |
|---|---|
| one \`run:…\` | yes |
| one \`run:…\` and \`${RUN_DEBUG}\` | yes |
| one \`run:…\` and any \`state:…\` or \`need:…\` | yes; \`${STATE_BLOCKED}\` and \`${NEED_INPUT}\` hold it back |
| one \`run:…\`, one model, one effort, one profile | yes, each of them or all |
| \`state:…\` and \`need:…\` alone | yes; nothing starts |
| two \`run:…\` | no: nothing starts |
| two profiles | no: nothing starts |
| two models, or two efforts | no: the run ends as failed before an agent works |
| \`${MODE_DISCUSSION}\` put on beside a \`run:…\` | no: no conversation begins |`;

const TROUBLE = `## When something is wrong

- **Two \`run:…\` labels.** No run starts; a comment lists them, and \`${NEED_INPUT}\` is put on. Take all off but one, then put the
  one that you want on again.
- **You may not start runs.** If the platform knows you, a comment says what is missing; a stranger gets no answer. Either way
  \`/deliveries\` on the dashboard says why.
- **\`${STATE_BLOCKED}\` or \`${NEED_INPUT}\` is on.** No run starts; a comment says so. Take it off, and put the \`run:…\` label on again.
  A \`${NEED_INPUT}\` that codex-k8s itself put on, because a label or a review could not be carried out, is answered by the next
  label that can be.
- **The stage before is not done, or the profile does not have the stage.** No run starts; a comment lists the labels that are
  possible now.
- **There is no pull request to look at** (${candidates()}). No run starts; a comment suggests
  \`${DEV}\`, and \`${NEED_INPUT}\` is put on.
- **Two models, or two efforts.** The run ends as failed (\`failed_precondition\`). Take one off and put the \`run:…\` label on again.
- **A review whose stage is unclear.** No run starts; a comment lists the \`:revise\` labels to choose from.
- **Another run of the issue is at work.** The new one waits; its comment shows the place in the queue.`;

function candidates(): string {
  return STAGES.filter(({ candidate }) => candidate !== null)
    .map(({ stage }) => `\`${stage}\``)
    .join(', ');
}

const NAMES = `## Other names

An installation can call labels otherwise: \`CODEXK8S_LABELS_FILE\` names a file of JSON like \`{"${DEV}": "agent:dev"}\`, canonical
name first, the same for server and worker. What it does not list keeps the name above. A label that still has a name which was
given up means nothing. Comments, pages and this document go on naming the canonical labels.`;

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(headings), `|${'---|'.repeat(headings.length)}`, ...rows.map(line)].join('\n');
}
