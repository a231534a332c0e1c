/** What an issue's workspace is for, and how much it may use. Pure. */
import type { RuntimeMode } from '../agent/permissions.ts';
import { leavesWork, roleOf, stageRow, type Role, type Stage, type TriggerTarget } from '../stages/stages.ts';

/** What a runtime needs to know of the run that a workspace is made for. */
export interface WorkspaceUse {
  readonly project: string;
  readonly repositoryId: number;
  readonly issueNumber: number;
  readonly role: Role;
  readonly mode: RuntimeMode;
  /** The stage that is worked on; reviews and discussions have none. */
  readonly stage?: Stage;
  /** The end of the lease, ISO 8601. */
  readonly until: string;
  /** The commit that the work stands on: on another one the workspace is made anew. */
  readonly baseCommit?: string;
  /** The delivery that asked for the run. */
  readonly correlationId?: string;
  /** Blocks of addresses that the project's agents may reach, besides those that the installation lists. */
  readonly egress?: readonly string[];
}

/** The mode of a run: its stage's; a reviewer and a conversation only read. */
export function modeOf(target: TriggerTarget): RuntimeMode {
  return leavesWork(target) ? stageRow(target.stage).mode : 'code-only';
}

/** What a run asks of a workspace. */
export function useOf(
  target: TriggerTarget,
  {
    project,
    issue: { repositoryId, number },
    ...lease
  }: Pick<WorkspaceUse, 'project' | 'until' | 'baseCommit' | 'correlationId' | 'egress'> & {
    issue: { repositoryId: number; number: number };
  },
): WorkspaceUse {
  return {
    project,
    repositoryId,
    issueNumber: number,
    role: roleOf(target),
    mode: modeOf(target),
    ...(leavesWork(target) && { stage: target.stage }),
    ...lease,
  };
}

/** Kubernetes quantities. */
interface Amounts {
  readonly cpu: string;
  readonly memory: string;
}

interface SizeRow {
  readonly size: string;
  /** The most that the whole namespace may use. */
  readonly pods: number;
  readonly requests: Amounts;
  readonly limits: Amounts;
  /** What all pods together may write on their node's disk. */
  readonly ephemeralStorage: string;
  /** What a container gets that asks for nothing. */
  readonly container: {
    readonly requests: Amounts;
    readonly limits: Amounts;
    readonly ephemeralStorage: string;
  };
}

/** What a container of a workspace gets that asks for nothing, in most sizes. */
const CONTAINER: SizeRow['container'] = {
  requests: { cpu: '250m', memory: '256Mi' },
  limits: { cpu: '1', memory: '1Gi' },
  ephemeralStorage: '1Gi',
};

/**
 * How much a workspace may use, the smallest first. A larger size has no less of anything, and no less room for containers
 * that ask for nothing: what stands in a workspace still fits when it grows.
 */
export const SIZES = [
  {
    // The agent's own pod, and the one that follows it.
    size: 'checkout',
    pods: 3,
    requests: { cpu: '2', memory: '4Gi' },
    limits: { cpu: '8', memory: '16Gi' },
    ephemeralStorage: '24Gi',
    container: CONTAINER,
  },
  {
    // The same, and a pod or two that a person puts there for the agent to look at.
    size: 'reading',
    pods: 5,
    requests: { cpu: '3', memory: '6Gi' },
    limits: { cpu: '10', memory: '20Gi' },
    ephemeralStorage: '32Gi',
    container: CONTAINER,
  },
  {
    // The project's services.
    size: 'working',
    pods: 20,
    requests: { cpu: '4', memory: '8Gi' },
    limits: { cpu: '12', memory: '24Gi' },
    ephemeralStorage: '60Gi',
    container: CONTAINER,
  },
  {
    // The project's services, and the Jobs that test them.
    size: 'testing',
    pods: 30,
    requests: { cpu: '6', memory: '12Gi' },
    limits: { cpu: '16', memory: '32Gi' },
    ephemeralStorage: '80Gi',
    container: { ...CONTAINER, limits: { cpu: '1', memory: '2Gi' }, ephemeralStorage: '2Gi' },
  },
] as const satisfies readonly SizeRow[];

export type SizeName = (typeof SIZES)[number]['size'];

/**
 * What each stage has to have room for. Whoever may only look makes no pods (`FULL_ENV` in permissions.ts): before `dev` there
 * are none but his own; after it, there are those that `dev` has left. A rethink may come at any time, and keeps what it finds.
 */
const STAGE_SIZES: Readonly<Record<Stage, SizeName>> = {
  intake: 'checkout',
  vision: 'checkout',
  prd: 'checkout',
  arch: 'reading',
  design: 'reading',
  plan: 'reading',
  dev: 'working',
  'doc-audit': 'working',
  qa: 'testing',
  release: 'working',
  postdeploy: 'working',
  ops: 'working',
  'self-improve': 'checkout',
  rethink: 'reading',
  'ai-repair': 'checkout',
};

/** The size that a run asks for: its stage's, or a checkout for a run that only reads the code. */
export function sizeOf({ mode, stage }: Pick<WorkspaceUse, 'mode' | 'stage'>): SizeName {
  if (mode === 'code-only') return 'checkout';
  return stage === undefined ? 'working' : STAGE_SIZES[stage];
}

/**
 * The size of a workspace that is there and is wanted again: it never shrinks, because a later stage may find pods that an
 * earlier one has left. What is no size, such as none at all, is smaller than any.
 */
export function largerSize(found: string | undefined, wanted: SizeName): SizeName {
  const names = SIZES.map(({ size }) => size);
  return names.slice(names.indexOf(wanted)).find((size) => size === found) ?? wanted;
}

/** The numbers of a size. */
export function sizeRow(size: SizeName): SizeRow & { readonly size: SizeName } {
  const row = SIZES.find((candidate) => candidate.size === size);
  if (!row) throw new Error(`unknown size ${size}`);
  return row;
}
