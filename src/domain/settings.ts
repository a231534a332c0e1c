/** What a project and the installation choose for a run. */
import type { Locale } from './comment-texts.ts';

export type ReasoningEffort = 'low' | 'medium' | 'high' | 'xhigh';

export interface RunSettings {
  readonly project: string;
  readonly locale: Locale;
  readonly baseBranch: string;
  readonly model: string;
  readonly reasoningEffort: ReasoningEffort;
  /** Where people find the dashboard, without a slash at its end. */
  readonly dashboardUrl: string;
  /** How long an environment is kept after a run began. */
  readonly environmentHours: number;
}
