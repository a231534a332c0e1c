/** The closed vocabulary of stages and of the labels that start them (requirements.md 1.5a, 2.5). */

const ROLES = ['pm', 'sa', 'em', 'dev', 'reviewer', 'qa', 'sre', 'km'] as const;
type Role = (typeof ROLES)[number];

export type RunKind = 'work' | 'revise';

interface StageRow {
  readonly stage: string;
  /** The role that is launched for the stage. */
  readonly lead: Role;
  /** Whether `run:<stage>:revise` exists. */
  readonly revisable: boolean;
  /** Whether this build has prompts for the stage. A label of another stage is refused with its reason. */
  readonly launchable: boolean;
}

export const STAGES = [
  { stage: 'intake', lead: 'pm', revisable: true, launchable: false },
  { stage: 'vision', lead: 'pm', revisable: true, launchable: false },
  { stage: 'prd', lead: 'pm', revisable: true, launchable: false },
  { stage: 'arch', lead: 'sa', revisable: true, launchable: false },
  { stage: 'design', lead: 'sa', revisable: true, launchable: false },
  { stage: 'plan', lead: 'em', revisable: true, launchable: false },
  { stage: 'dev', lead: 'dev', revisable: true, launchable: true },
  { stage: 'doc-audit', lead: 'km', revisable: true, launchable: false },
  { stage: 'qa', lead: 'qa', revisable: true, launchable: false },
  { stage: 'release', lead: 'em', revisable: true, launchable: false },
  { stage: 'postdeploy', lead: 'sre', revisable: true, launchable: false },
  { stage: 'ops', lead: 'sre', revisable: true, launchable: false },
  { stage: 'self-improve', lead: 'km', revisable: true, launchable: false },
  { stage: 'rethink', lead: 'em', revisable: false, launchable: false },
] as const satisfies readonly StageRow[];

export type Stage = (typeof STAGES)[number]['stage'];

/** What a trigger label asks for. */
export interface TriggerTarget {
  readonly stage: Stage;
  readonly kind: RunKind;
}

/** The row of a stage. */
export function stageRow(stage: Stage): StageRow {
  const row = STAGES.find((candidate) => candidate.stage === stage);
  if (!row) throw new Error(`unknown stage ${stage}`);
  return row;
}

/** GitHub compares label names without regard to case; so does this (requirements.md 2.6). */
export function normalizeLabel(label: string): string {
  return label.trim().toLowerCase();
}

/** The label that asks for a run of `stage` and `kind`. */
export function triggerLabel({ stage, kind }: TriggerTarget): string {
  return kind === 'work' ? `run:${stage}` : `run:${stage}:revise`;
}

/** What a label asks for, or undefined when it is no trigger (`run:debug` is none, requirements.md 2.6). */
export function triggerOfLabel(label: string): TriggerTarget | undefined {
  const wanted = normalizeLabel(label);
  for (const { stage, revisable } of STAGES) {
    if (wanted === `run:${stage}`) return { stage, kind: 'work' };
    if (revisable && wanted === `run:${stage}:revise`) return { stage, kind: 'revise' };
  }
  return undefined;
}

/** Those of the labels that are triggers, normalized, each once. */
export function triggerLabelsIn(labels: readonly string[]): string[] {
  return [...new Set(labels.map(normalizeLabel))].filter((label) => triggerOfLabel(label));
}

export const STATE_IN_REVIEW = 'state:in-review';
