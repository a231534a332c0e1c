/** What a project and the installation choose for a run. */
import type { Locale } from '../locale.ts';
import type { Role } from './stages.ts';

export type ReasoningEffort = 'low' | 'medium' | 'high' | 'xhigh';

/** How long a run waits for people at most. Fractions of an hour are possible. */
export interface WaitHours {
  /** For an answer to its agent's question. */
  readonly question: number;
  /** For an operator to resume it. */
  readonly paused: number;
}

export interface RunSettings {
  readonly project: string;
  readonly locale: Locale;
  readonly baseBranch: string;
  readonly model: string;
  readonly reasoningEffort: ReasoningEffort;
  /** Where people find the dashboard, without a slash at its end. */
  readonly dashboardUrl: string;
  /** How long a workspace is kept after a run began. */
  readonly workspaceHours: number;
  /** The same for roles that have their own. */
  readonly workspaceHoursByRole?: Readonly<Partial<Record<Role, number>>>;
  readonly waitHours: WaitHours;
  /** How the project's namespaces are called, where it says so. */
  readonly namespaceTemplate?: string;
  /** Blocks of addresses that the project's agents may reach, besides those that the installation lists; absent when none. */
  readonly egress?: readonly string[];
}

/** Hours that a workspace is kept after a run of this role began. */
export function workspaceHoursOf(
  { workspaceHours, workspaceHoursByRole = {} }: Pick<RunSettings, 'workspaceHours' | 'workspaceHoursByRole'>,
  role: Role,
): number {
  return workspaceHoursByRole[role] ?? workspaceHours;
}
