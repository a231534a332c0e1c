/** Settings of a project and the installation for a run. */
import type { AgentCliName } from './clis.ts';
import type { Locale } from '../locale.ts';
import type { Role } from './stages.ts';

export type ReasoningEffort = 'low' | 'medium' | 'high' | 'xhigh';

/** The longest waits of a run for people. Fractions of an hour are possible. */
export interface WaitHours {
  /** For an answer to its agent's question. */
  readonly question: number;
  /** For the approval of a tool call; missing in runs that began before there were approvals. */
  readonly approval?: number;
  /** For an operator to resume it. */
  readonly paused: number;
}

export interface RunSettings {
  readonly project: string;
  readonly locale: Locale;
  readonly baseBranch: string;
  readonly model: string;
  /** The agent's program; missing: Codex. */
  readonly cli?: AgentCliName;
  /** The model of Claude Code, for which `model` is not meant. */
  readonly claudeModel?: string;
  readonly reasoningEffort: ReasoningEffort;
  /** The dashboard's base URL, without a slash at its end. */
  readonly dashboardUrl: string;
  /** How long a workspace is kept after a run has started. */
  readonly workspaceHours: number;
  /** The same, for roles with a value of their own. */
  readonly workspaceHoursByRole?: Readonly<Partial<Record<Role, number>>>;
  readonly waitHours: WaitHours;
  /** Runs that labels and reviews may ask for in an hour, for each issue; 0 or missing: as many as they like. */
  readonly triggersPerHour?: number;
  /** The login of the platform's token; missing for an app's. It may be a member's own. */
  readonly account?: string;
  /** The template of the project's namespaces, if it has one. */
  readonly namespaceTemplate?: string;
  /** What the names of the project's branches begin with, if it has a prefix of its own. */
  readonly branchPrefix?: string;
  /** Address blocks that the project's agents may reach, besides those of the installation; absent when none. */
  readonly egress?: readonly string[];
}

/** Hours that a workspace is kept after a run of this role has started. */
export function workspaceHoursOf(
  { workspaceHours, workspaceHoursByRole = {} }: Pick<RunSettings, 'workspaceHours' | 'workspaceHoursByRole'>,
  role: Role,
): number {
  return workspaceHoursByRole[role] ?? workspaceHours;
}
