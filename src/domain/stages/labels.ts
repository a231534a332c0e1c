/**
 * Every label that has a meaning: its purpose, who puts it on, its look. Parsing, gates, texts, docs/labels.md and the labels
 * that `codex-k8s labels sync` creates come from here.
 */
import {
  MODE_DISCUSSION,
  NEED_INPUT,
  NEED_REVIEWER,
  normalizeLabel,
  TRAJECTORIES,
  ROLES,
  RUN_DEBUG,
  STAGES,
  STATE_BLOCKED,
  STATE_IN_REVIEW,
  STATE_SUPERSEDED,
  triggerLabel,
  type TrajectoryName,
} from './stages.ts';
import { AGENT_CLIS, CLI_NAMES, type AgentCliName } from './clis.ts';
import type { ReasoningEffort } from './settings.ts';

/** The purpose of a label. Only `trigger` labels start runs; `reviewer` and `discussion` start what their names say. */
export type LabelGroup =
  | 'trigger'
  | 'revise'
  | 'reviewer'
  | 'discussion'
  | 'debug'
  | 'profile'
  | 'state'
  | 'need'
  | 'agent'
  | 'model'
  | 'reasoning';

export interface LabelRow {
  readonly name: string;
  readonly group: LabelGroup;
  /** At most 100 characters, GitHub's limit. */
  readonly description: string;
  /** Six hexadecimal digits. */
  readonly color: string;
  /** Who puts it on; the platform takes its own off again. */
  readonly setBy: 'people' | 'platform' | 'both';
}

const COLORS: Readonly<Record<LabelGroup, string>> = {
  trigger: '1f6feb',
  revise: '8957e5',
  reviewer: '8957e5',
  discussion: '0e8a16',
  debug: '6e7781',
  profile: '5319e7',
  state: 'd29922',
  need: 'd93f0b',
  agent: 'a2c4ef',
  model: 'bfd4f2',
  reasoning: 'c5def5',
};

/** Models that a label may choose. A label of another model has no effect. */
const MODELS = [
  'gpt-5.5',
  'gpt-5.4',
  'gpt-5.3-codex',
  'gpt-5.3-codex-spark',
  'gpt-5.2-codex',
  'gpt-5.2',
  'gpt-5.1-codex-max',
  'gpt-5.1-codex-mini',
  'claude-opus-4-8',
  'claude-sonnet-5',
  'claude-haiku-4-5',
] as const;

/** Reasoning efforts by the word on their label. */
const REASONING: Readonly<Record<string, ReasoningEffort>> = {
  low: 'low',
  medium: 'medium',
  high: 'high',
  'extra-high': 'xhigh',
};

const STATE_MEANINGS: readonly [string, LabelRow['setBy'], string][] = [
  [STATE_BLOCKED, 'people', 'Nothing is started while this is on'],
  [STATE_IN_REVIEW, 'platform', "An agent's work waits for a person"],
  ['state:approved', 'people', 'A person has approved the work'],
  [STATE_SUPERSEDED, 'platform', 'Given up by a rethink; newer work stands in its place'],
  ['state:abandoned', 'people', 'Nobody goes on with this'],
];

const label = (group: LabelGroup, name: string, setBy: LabelRow['setBy'], description: string): LabelRow => ({
  group,
  name,
  setBy,
  description,
  color: COLORS[group],
});

/** All labels, in the order in which they are shown. */
export const LABELS: readonly LabelRow[] = [
  ...STAGES.map(({ stage, lead }) =>
    label('trigger', triggerLabel({ stage, kind: 'work' }), 'people', `Start the ${stage} agent (role ${lead})`),
  ),
  ...STAGES.filter(({ revisable }) => revisable).map(({ stage }) =>
    label(
      'revise',
      triggerLabel({ stage, kind: 'revise' }),
      'people',
      `Have the ${stage} agent work in what the review asks for`,
    ),
  ),
  label('reviewer', NEED_REVIEWER, 'people', 'On a pull request: an agent reviews it, and only comments'),
  label('discussion', MODE_DISCUSSION, 'people', 'Talk with an agent in comments; nothing is committed'),
  label('debug', RUN_DEBUG, 'people', 'Keep the workspace until the issue is closed'),
  ...TRAJECTORIES.map(({ name, stages }) =>
    label('profile', `profile:${name}`, 'people', `Stages of this issue: ${shortTrajectory(stages)}`),
  ),
  ...STATE_MEANINGS.map(([name, setBy, meaning]) => label('state', name, setBy, meaning)),
  label('need', NEED_INPUT, 'both', 'Nothing goes on until a person has answered'),
  ...ROLES.filter(({ role }) => role !== 'reviewer' && role !== 'dev').map(({ role, title }) =>
    label('need', `need:${role}`, 'people', `Waits for the ${title}`),
  ),
  ...AGENT_CLIS.map((cli) => label('agent', `[ai-agent-${cli}]`, 'people', `The agent is ${CLI_NAMES[cli]}`)),
  ...MODELS.map((model) => label('model', `[ai-model-${model}]`, 'people', `Agents work with ${model}`)),
  ...Object.keys(REASONING).map((word) =>
    label('reasoning', `[ai-reasoning-${word}]`, 'people', `Agents think with ${word} effort`),
  ),
];

function shortTrajectory(trajectory: readonly string[]): string {
  return `${trajectory.slice(0, -1).join(', ')} and ${trajectory.at(-1)}`.replace(/, qa.*$/, ', qa … ops');
}

/** The choice of the labels of one group: nothing, one value, or a conflict of several. */
export type Choice<Value> =
  | { readonly chosen: Value | undefined; readonly conflict?: undefined }
  | { readonly conflict: readonly string[] };

/** The agent's program that labels ask for. */
export function cliChoice(labels: readonly string[]): Choice<AgentCliName> {
  return choice(labels, 'agent', (name) => AGENT_CLIS.find((cli) => name === `[ai-agent-${cli}]`));
}

/** The models that labels ask for. */
export function modelChoice(labels: readonly string[]): Choice<string> {
  return choice(labels, 'model', (name) => /^\[ai-model-(.+)\]$/.exec(name)?.[1]);
}

/** The reasoning effort that labels ask for. */
export function reasoningChoice(labels: readonly string[]): Choice<ReasoningEffort> {
  return choice(labels, 'reasoning', (name) => REASONING[/^\[ai-reasoning-(.+)\]$/.exec(name)?.[1] ?? '']);
}

/** The profile that labels ask for. */
export function profileChoice(labels: readonly string[]): Choice<TrajectoryName> {
  return choice(labels, 'profile', (label) => TRAJECTORIES.find(({ name }) => label === `profile:${name}`)?.name);
}

function choice<Value>(
  labels: readonly string[],
  group: LabelGroup,
  valueOf: (name: string) => Value | undefined,
): Choice<Value> {
  const known = new Set(LABELS.filter((row) => row.group === group).map(({ name }) => name));
  const found = [...new Set(labels.map(normalizeLabel))].filter((name) => known.has(name));
  return found.length > 1 ? { conflict: found } : { chosen: found[0] === undefined ? undefined : valueOf(found[0]) };
}
