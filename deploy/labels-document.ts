/** Generates docs/labels.md from the tables of labels, stages, roles and trajectories. */
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

/** The whole page. `npm run docs:labels` writes it; a test compares it with the file. */
export function labelsDocument(): string {
  const parts = [INTRODUCTION, ...GROUPS.flatMap(group), stages(), roles(), profiles(), COMBINATIONS, TROUBLE, NAMES];
  return `${filled(parts.join('\n\n'))}\n`;
}

const LINE_CHARACTERS = 120;

/** Wraps the lines of texts and lists; headings, tables and comments stay as they are. */
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

const INTRODUCTION = `<!-- Generated from src/domain/stages/labels.ts and src/domain/stages/stages.ts by \`npm run docs:labels\`. -->

# Labels

Put one \`run:…\` label on an issue, and an agent works on it. Of the other labels on this page only \`${NEED_REVIEWER}\` and
\`${MODE_DISCUSSION}\` start an agent. They work only for people who may start runs (\`codex-k8s members add LOGIN --role read_write\`),
never for bots and agents. \`codex-k8s labels sync OWNER/NAME\` creates all of these labels in a bound repository and sets their colours and
descriptions; it deletes none.`;

interface GroupText {
  readonly group: LabelGroup;
  readonly title: string;
  readonly text: string;
}

const GROUPS: readonly GroupText[] = [
  {
    group: 'trigger',
    title: 'Start a stage',
    text: `On an issue, one at a time. codex-k8s reacts with 👀, writes a status comment and launches the agent. When the agent has finished, codex-k8s
opens a pull request, takes the label off and puts \`${STATE_IN_REVIEW}\` on both until it is merged or closed. Taking the label off earlier
cancels the run.`,
  },
  {
    group: 'revise',
    title: 'Request changes',
    text: `On an issue. The agent continues the same conversation on the same branch and pull request. You rarely need these labels: a
review that requests changes does the same. Its stage is taken from the labels on the pull request, else from those on the
issue, else from the last run on this pull request.`,
  },
  {
    group: 'reviewer',
    title: 'Ask for a reviewer',
    text: 'On a pull request that codex-k8s opened.',
  },
  {
    group: 'discussion',
    title: 'Discuss first',
    text: `On an issue without a \`run:…\` label. Each comment of a person who may start runs is answered; nothing is committed. The
discussion ends when the label is taken off, a run is requested, the issue is closed, or nobody has commented for eight hours.`,
  },
  {
    group: 'debug',
    title: 'Keep the workspace',
    text: `On an issue, beside a \`run:…\` label. In spite of its name it starts nothing.`,
  },
  {
    group: 'profile',
    title: 'Choose the stages',
    text: 'On an issue, one at most. Without one, every profile that contains the stages done so far is possible.',
  },
  {
    group: 'state',
    title: 'State',
    text: `On issues and pull requests. They start nothing; while \`${STATE_BLOCKED}\` is on, no run starts.`,
  },
  {
    group: 'need',
    title: 'Needed from people',
    text: `On issues and pull requests. They start nothing; while \`${NEED_INPUT}\` is on, no run starts.`,
  },
  {
    group: 'agent',
    title: 'Choose the agent',
    text: `On an issue or its pull request, one at most; the issue's label takes precedence. Without one, a label for a model chooses the
program that works with it; else a label's choice for the run before still applies; else the project's setting, then the platform's
(agents.md). A run of another program than the one before begins a conversation of its own, with a summary of what was done.`,
  },
  {
    group: 'model',
    title: 'Choose the model',
    text: `On an issue or its pull request, one at most; the issue's label takes precedence. Without one, a label's choice for
the run before it still applies; else the project's setting, then the platform's. A label for a model that is not listed has no effect.`,
  },
  {
    group: 'reasoning',
    title: 'Choose the reasoning effort',
    text: 'The same rules as for the model.',
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

The lead is the role of the agent that is launched; people of the other roles should take part in the review. If a run changes files outside
its stage's scope, no pull request is opened. A \`full-env\` workspace may run the project's services, and its agent may get access to the
Kubernetes API; a \`code-only\` workspace has only a checkout.

${table(['stage', 'lead', 'others', 'usual artefacts', 'may change', 'workspace', 'begins when'], rows)}`;
}

/** The stages after which a stage may begin, by trajectory. */
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

${table(['role', 'meaning', 'concurrent runs in a project'], rows)}`;
}

function profiles(): string {
  const rows = TRAJECTORIES.map(({ name, stages }) => [`\`profile:${name}\``, stages.join(' → ')]);
  return `## Profiles

A profile is the name of a trajectory, the sequence of an issue's stages. A stage may begin when the one before it is done, that is, when its run has
succeeded. Stages that a profile leaves out are not required. A stage that is done may be repeated.

${table(['profile', 'its stages'], rows)}`;
}

const DEV = triggerLabel({ stage: 'dev', kind: 'work' });

const COMBINATIONS = `## Combinations

| on one issue | |
|---|---|
| one \`run:…\` | yes |
| one \`run:…\` and \`${RUN_DEBUG}\` | yes |
| one \`run:…\` and any \`state:…\` or \`need:…\` | yes; but \`${STATE_BLOCKED}\` and \`${NEED_INPUT}\` stop it |
| one \`run:…\`, and at most one agent, one model, one effort, one profile | yes |
| \`state:…\` and \`need:…\` alone | yes; nothing starts |
| two \`run:…\` | no: nothing starts |
| two profiles | no: nothing starts |
| two agents, two models, two efforts, or an agent and a model of another | no: the run fails before an agent is launched |
| \`${MODE_DISCUSSION}\` put on beside a \`run:…\` | no: no discussion begins |`;

const TROUBLE = `## When something is wrong

- **Two \`run:…\` labels.** No run starts; a comment lists them, and \`${NEED_INPUT}\` is put on. Take all of them off, then put
  the one that you want on again.
- **You may not start runs.** If the platform knows you, a comment says which role is missing; a stranger gets no answer. In both cases
  \`/deliveries\` on the dashboard shows the reason.
- **\`${STATE_BLOCKED}\` or \`${NEED_INPUT}\` is on.** No run starts; a comment says so. Take it off, and put the \`run:…\` label on again.
  If codex-k8s itself put \`${NEED_INPUT}\` on because it could not carry out a label or a review, the next label that it can carry out
  takes it off.
- **The stage before is not done, or the profile does not contain the stage.** No run starts; a comment lists the labels that are
  possible now.
- **The stage needs a pull request that does not exist** (${candidates()}). No run starts; a comment suggests
  \`${DEV}\`, and \`${NEED_INPUT}\` is put on.
- **Two agents, two models, two efforts, or a model of another agent.** The run fails (\`failed_precondition\`). Take one off and put the \`run:…\` label on again.
- **A review whose stage is unclear.** No run starts; a comment lists the \`:revise\` labels to choose from.
- **Another run of the issue is working.** The new one waits; its comment shows its queue position.`;

function candidates(): string {
  return STAGES.filter(({ candidate }) => candidate !== null)
    .map(({ stage }) => `\`${stage}\``)
    .join(', ');
}

const NAMES = `## Other names

An installation can rename labels: \`CODEXK8S_LABELS_FILE\` names a JSON file like \`{"${DEV}": "agent:dev"}\`, with the canonical
name first, the same for server and worker. Labels that it does not list keep the names above. A label under its old name has no effect.
Comments and pull requests use the new names; the dashboard, Temporal, Postgres and this document use the canonical ones.`;

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(headings), `|${'---|'.repeat(headings.length)}`, ...rows.map(line)].join('\n');
}
