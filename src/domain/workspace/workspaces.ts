/** The use of an issue's workspace, and its limits. Pure. */
import type { RuntimeMode } from '../agent/permissions.ts';
import { FEW, MANY, type ObjectCounts } from './object-counts.ts';
import { leavesWork, roleOf, stageRow, type Role, type Stage, type TriggerTarget } from '../stages/stages.ts';

/** What a runtime has to know of the run that needs the workspace. */
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
  /** The commit that the work is based on: for another one the workspace is created anew. */
  readonly baseCommit?: string;
  /** The delivery that asked for the run. */
  readonly correlationId?: string;
  /** Address blocks that the project's agents may reach, besides those of the installation. */
  readonly egress?: readonly string[];
}

/** The mode of a run: its stage's; reviews and discussions only read. */
export function modeOf(target: TriggerTarget): RuntimeMode {
  return leavesWork(target) ? stageRow(target.stage).mode : 'code-only';
}

/** The use of the workspace by a run. */
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
  /** The limits of the whole namespace. */
  readonly pods: number;
  readonly requests: Amounts;
  readonly limits: Amounts;
  /** The limit of all pods together on their node's disk. */
  readonly ephemeralStorage: string;
  /** Of all volumes together. */
  readonly volumes: string;
  /** The most objects of each kind. */
  readonly objects: ObjectCounts;
  /** The defaults of a container that names no resources. */
  readonly container: {
    readonly requests: Amounts;
    readonly limits: Amounts;
    readonly ephemeralStorage: string;
  };
}

/** The same for most sizes. */
const CONTAINER: SizeRow['container'] = {
  requests: { cpu: '250m', memory: '256Mi' },
  limits: { cpu: '1', memory: '1Gi' },
  ephemeralStorage: '1Gi',
};

/**
 * The sizes of a workspace, the smallest first. A larger size has no less of anything, defaults for containers included:
 * everything in a workspace still fits when it grows.
 */
export const SIZES = [
  {
    // The agent's own pod, and its successor.
    size: 'checkout',
    pods: 3,
    requests: { cpu: '2', memory: '4Gi' },
    limits: { cpu: '8', memory: '16Gi' },
    ephemeralStorage: '24Gi',
    volumes: '10Gi',
    objects: FEW,
    container: CONTAINER,
  },
  {
    // The same, and a pod or two that a person puts there for the agent to look at.
    size: 'reading',
    pods: 5,
    requests: { cpu: '3', memory: '6Gi' },
    limits: { cpu: '10', memory: '20Gi' },
    ephemeralStorage: '32Gi',
    volumes: '10Gi',
    objects: FEW,
    container: CONTAINER,
  },
  {
    // The project's services.
    size: 'working',
    pods: 20,
    requests: { cpu: '4', memory: '8Gi' },
    limits: { cpu: '12', memory: '24Gi' },
    ephemeralStorage: '60Gi',
    volumes: '50Gi',
    objects: MANY,
    container: CONTAINER,
  },
  {
    // The project's services, and the Jobs that test them.
    size: 'testing',
    pods: 30,
    requests: { cpu: '6', memory: '12Gi' },
    limits: { cpu: '16', memory: '32Gi' },
    ephemeralStorage: '80Gi',
    volumes: '100Gi',
    objects: { ...MANY, 'jobs.batch': 100, persistentvolumeclaims: 20, pods: 300 },
    container: { ...CONTAINER, limits: { cpu: '1', memory: '2Gi' }, ephemeralStorage: '2Gi' },
  },
] as const satisfies readonly SizeRow[];

export type SizeName = (typeof SIZES)[number]['size'];

/**
 * The size that each stage needs. Roles without write access create no pods (`FULL_ENV` in permissions.ts): before `dev` there
 * is only the agent's own; later there are those that `dev` has left. A rethink may come at any time, and keeps the present
 * size.
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
 * The size of an existing workspace for another run: it never shrinks, because an earlier stage may have left pods. An unknown
 * size, or none, counts as smaller than any.
 */
export function largerSize(found: string | undefined, wanted: SizeName): SizeName {
  const names = SIZES.map(({ size }) => size);
  return names.slice(names.indexOf(wanted)).find((size) => size === found) ?? wanted;
}

/** The limits of a size. */
export function sizeRow(size: SizeName): SizeRow & { readonly size: SizeName } {
  const row = SIZES.find((candidate) => candidate.size === size);
  if (!row) throw new Error(`unknown size ${size}`);
  return row;
}
