/** What an issue's environment is for, and how much it may use (requirements.md 6, R6). Pure. */
import type { RuntimeMode } from './permissions.ts';
import { roleOf, stageRow, type Role, type TriggerTarget } from './stages.ts';

/** What a runtime needs to know of the run that an environment is made for. */
export interface EnvironmentUse {
  readonly project: string;
  readonly repositoryId: number;
  readonly issueNumber: number;
  readonly role: Role;
  readonly mode: RuntimeMode;
  /** The end of the lease, ISO 8601. */
  readonly until: string;
  /** The commit that the work stands on: on another one the environment is made anew. */
  readonly baseCommit?: string;
  /** The delivery that asked for the run. */
  readonly correlationId?: string;
  /** Blocks of addresses that the project's agents may reach, besides those that the installation lists. */
  readonly egress?: readonly string[];
}

/** The mode of a run: its stage's; a reviewer and a conversation only read. */
export function modeOf(target: TriggerTarget): RuntimeMode {
  return target.kind === 'work' || target.kind === 'revise' ? stageRow(target.stage).mode : 'code-only';
}

/** What a run asks of an environment. */
export function useOf(
  target: TriggerTarget,
  {
    project,
    issue: { repositoryId, number },
    ...lease
  }: Pick<EnvironmentUse, 'project' | 'until' | 'baseCommit' | 'correlationId' | 'egress'> & {
    issue: { repositoryId: number; number: number };
  },
): EnvironmentUse {
  return { project, repositoryId, issueNumber: number, role: roleOf(target), mode: modeOf(target), ...lease };
}

/** Kubernetes quantities. */
interface Amounts {
  readonly cpu: string;
  readonly memory: string;
}

export interface Sizing {
  readonly pods: number;
  readonly requests: Amounts;
  readonly limits: Amounts;
  /** What all pods together may write on their node's disk. */
  readonly ephemeralStorage: string;
}

/**
 * The most that a namespace may use: a checkout needs the agent's own pod and the one that follows it; a whole environment
 * has room for the project's services (requirements.md 6.3, first row, and B28).
 */
export const SIZES: Readonly<Record<RuntimeMode, Sizing>> = {
  'code-only': {
    pods: 3,
    requests: { cpu: '2', memory: '4Gi' },
    limits: { cpu: '8', memory: '16Gi' },
    ephemeralStorage: '24Gi',
  },
  'full-env': {
    pods: 20,
    requests: { cpu: '4', memory: '8Gi' },
    limits: { cpu: '12', memory: '24Gi' },
    ephemeralStorage: '60Gi',
  },
};

/** What a container gets that asks for nothing (requirements.md 6.3). */
export const CONTAINER_DEFAULTS: {
  readonly requests: Amounts;
  readonly limits: Amounts;
  readonly ephemeralStorage: string;
} = {
  requests: { cpu: '250m', memory: '256Mi' },
  limits: { cpu: '1', memory: '1Gi' },
  ephemeralStorage: '1Gi',
};
