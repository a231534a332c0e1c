/** The closed lists of roles and stages, and the labels that start them. */

interface RoleRow {
  readonly role: string;
  readonly title: string;
  /** The default limit of runs of this role that work at once in one project. */
  readonly atOnce: number;
}

export const ROLES = [
  { role: 'pm', title: 'product manager', atOnce: 1 },
  { role: 'sa', title: 'systems analyst and architect', atOnce: 1 },
  { role: 'em', title: 'engineering manager', atOnce: 1 },
  { role: 'dev', title: 'developer', atOnce: 2 },
  { role: 'reviewer', title: 'reviewer', atOnce: 2 },
  { role: 'qa', title: 'quality engineer', atOnce: 2 },
  { role: 'sre', title: 'site reliability engineer', atOnce: 1 },
  { role: 'km', title: 'keeper of documents and knowledge', atOnce: 2 },
] as const satisfies readonly RoleRow[];

export type Role = (typeof ROLES)[number]['role'];

/**
 * The purpose of a run. `review`: a reviewer reads a pull request and comments; `discussion`: one answer in comments. Neither
 * of the two leaves a commit.
 */
export type RunKind = 'work' | 'revise' | 'review' | 'discussion';

/** The files that a stage's pull request may change. `code`: any. */
export type Scope = 'code' | 'documents' | 'prompts';

/**
 * What has to exist before a stage begins. `open_work`: the pull request of `dev`, open; `merged_work`: the same,
 * merged. Stages in a trajectory also need the stages before them ({@link TRAJECTORIES}).
 */
export type Candidate = 'open_work' | 'merged_work';

interface StageRow {
  readonly stage: string;
  /** The role that is launched for the stage. */
  readonly lead: Role;
  /** Other roles that take part. */
  readonly others: readonly Role[];
  /** Documents that it usually creates or updates. */
  readonly artefacts: readonly string[];
  readonly scope: Scope;
  /** Whether the agent gets a workspace with the project's services, or only a checkout. */
  readonly mode: 'full-env' | 'code-only';
  /** Whether `run:<stage>:revise` exists. */
  readonly revisable: boolean;
  readonly candidate: Candidate | null;
}

export const STAGES = [
  {
    stage: 'intake',
    lead: 'pm',
    others: ['km'],
    artefacts: ['problem', 'brief', 'scope_mvp', 'personas', 'constraints', 'risks_register'],
    scope: 'documents',
    mode: 'code-only',
    revisable: true,
    candidate: null,
  },
  {
    stage: 'vision',
    lead: 'pm',
    others: ['em'],
    artefacts: ['project_charter', 'success_metrics', 'risks_register'],
    scope: 'documents',
    mode: 'code-only',
    revisable: true,
    candidate: null,
  },
  {
    stage: 'prd',
    lead: 'pm',
    others: ['sa'],
    artefacts: ['prd', 'nfr', 'user_story'],
    scope: 'documents',
    mode: 'code-only',
    revisable: true,
    candidate: null,
  },
  {
    stage: 'arch',
    lead: 'sa',
    others: [],
    artefacts: ['c4_context', 'c4_container', 'adr', 'alternatives'],
    scope: 'documents',
    mode: 'full-env',
    revisable: true,
    candidate: null,
  },
  {
    stage: 'design',
    lead: 'sa',
    others: ['qa'],
    artefacts: ['design_doc', 'api_contract', 'data_model', 'migrations_policy'],
    scope: 'documents',
    mode: 'full-env',
    revisable: true,
    candidate: null,
  },
  {
    stage: 'plan',
    lead: 'em',
    others: ['km'],
    artefacts: ['delivery_plan', 'epic', 'definition_of_done', 'issue_map'],
    scope: 'documents',
    mode: 'full-env',
    revisable: true,
    candidate: null,
  },
  {
    stage: 'dev',
    lead: 'dev',
    others: ['reviewer'],
    artefacts: ['code', 'tests', 'documentation'],
    scope: 'code',
    mode: 'full-env',
    revisable: true,
    candidate: null,
  },
  {
    stage: 'doc-audit',
    lead: 'km',
    others: [],
    artefacts: ['documentation', 'traceability'],
    scope: 'documents',
    mode: 'full-env',
    revisable: true,
    candidate: null,
  },
  {
    stage: 'qa',
    lead: 'qa',
    others: [],
    artefacts: ['test_strategy', 'test_plan', 'test_matrix', 'regression_checklist'],
    scope: 'documents',
    mode: 'full-env',
    revisable: true,
    candidate: 'open_work',
  },
  {
    stage: 'release',
    lead: 'em',
    others: ['sre'],
    artefacts: ['release_plan', 'release_notes', 'rollback_plan'],
    scope: 'documents',
    mode: 'full-env',
    revisable: true,
    candidate: 'open_work',
  },
  {
    stage: 'postdeploy',
    lead: 'sre',
    others: ['qa'],
    artefacts: ['postdeploy_review', 'incident_postmortem'],
    scope: 'documents',
    mode: 'full-env',
    revisable: true,
    candidate: 'merged_work',
  },
  {
    stage: 'ops',
    lead: 'sre',
    others: ['km'],
    artefacts: ['runbook', 'slo', 'alerts', 'monitoring'],
    scope: 'documents',
    mode: 'full-env',
    revisable: true,
    candidate: 'merged_work',
  },
  {
    stage: 'self-improve',
    lead: 'km',
    others: ['dev', 'reviewer'],
    artefacts: ['prompts', 'documentation', 'tool lists'],
    scope: 'prompts',
    mode: 'code-only',
    revisable: true,
    candidate: null,
  },
  {
    stage: 'rethink',
    lead: 'em',
    others: [],
    artefacts: ['decision record'],
    scope: 'documents',
    mode: 'full-env',
    revisable: false,
    candidate: null,
  },
  {
    stage: 'ai-repair',
    lead: 'sre',
    others: [],
    artefacts: ['code', 'tests', 'incident_postmortem'],
    scope: 'code',
    mode: 'code-only',
    revisable: false,
    candidate: null,
  },
] as const satisfies readonly StageRow[];

export type Stage = (typeof STAGES)[number]['stage'];

interface TrajectoryRow {
  readonly name: string;
  /** The stages of an issue, in this order. Any of them may be repeated. */
  readonly stages: readonly Stage[];
}

/**
 * The allowed trajectories; stages that a trajectory leaves out are waived. Stages that are in no trajectory may begin at any
 * time.
 */
export const TRAJECTORIES = [
  { name: 'quick-fix', stages: ['dev', 'qa', 'release', 'postdeploy', 'ops'] },
  {
    name: 'feature',
    stages: ['intake', 'prd', 'design', 'plan', 'dev', 'qa', 'release', 'postdeploy', 'ops'],
  },
  {
    name: 'new-service',
    stages: [
      'intake',
      'vision',
      'prd',
      'arch',
      'design',
      'plan',
      'dev',
      'doc-audit',
      'qa',
      'release',
      'postdeploy',
      'ops',
    ],
  },
] as const satisfies readonly TrajectoryRow[];

export type TrajectoryName = (typeof TRAJECTORIES)[number]['name'];

/** The stage and kind of a run that a trigger asks for. */
export interface TriggerTarget {
  readonly stage: Stage;
  readonly kind: RunKind;
}

/** The row of a stage. */
export function stageRow(stage: Stage): StageRow & { readonly stage: Stage } {
  const row = STAGES.find((candidate) => candidate.stage === stage);
  if (!row) throw new Error(`unknown stage ${stage}`);
  return row;
}

/** The role of the agent: the reviewer for a review, whatever the stage of the pull request. */
export function roleOf({ stage, kind }: TriggerTarget): Role {
  return kind === 'review' ? 'reviewer' : stageRow(stage).lead;
}

/** Whether a run leaves commits and a pull request. */
export function leavesWork({ kind }: Pick<TriggerTarget, 'kind'>): boolean {
  return kind === 'work' || kind === 'revise';
}

/** GitHub compares label names case-insensitively; so does this. */
export function normalizeLabel(label: string): string {
  return label.trim().toLowerCase();
}

/** The label that asks for a run of `stage` and `kind`. */
export function triggerLabel({ stage, kind }: TriggerTarget): string {
  switch (kind) {
    case 'work':
      return `run:${stage}`;
    case 'revise':
      return `run:${stage}:revise`;
    case 'review':
      return NEED_REVIEWER;
    case 'discussion':
      return MODE_DISCUSSION;
  }
}

/** The target of a trigger label; undefined for other labels (`run:debug`, for example). */
export function triggerOfLabel(label: string): TriggerTarget | undefined {
  const wanted = normalizeLabel(label);
  for (const { stage, revisable } of STAGES) {
    if (wanted === `run:${stage}`) return { stage, kind: 'work' };
    if (revisable && wanted === `run:${stage}:revise`) return { stage, kind: 'revise' };
  }
  return undefined;
}

/** The trigger labels among these, normalized, each once. */
export function triggerLabelsIn(labels: readonly string[]): string[] {
  return [...new Set(labels.map(normalizeLabel))].filter((label) => triggerOfLabel(label));
}

export const STATE_IN_REVIEW = 'state:in-review';
export const STATE_BLOCKED = 'state:blocked';
export const STATE_SUPERSEDED = 'state:superseded';
export const NEED_INPUT = 'need:input';
/** On a pull request: starts a reviewer. */
export const NEED_REVIEWER = 'need:reviewer';
/** On an issue: starts a discussion. */
export const MODE_DISCUSSION = 'mode:discussion';
/** On an issue: keeps its workspace until the issue is closed. */
export const RUN_DEBUG = 'run:debug';
