/** A run as the platform's tools and the policy see it. */
import type { Locale } from '../locale.ts';
import type { Role, RunKind, Stage } from '../stages/stages.ts';

/** The run on whose behalf a tool is performed: from the platform's tables, never from the call. */
export interface ToolRun {
  readonly runId: string;
  readonly attempt: number;
  readonly projectId: string;
  /** GitHub's id. */
  readonly repositoryId: number;
  /** `owner/name`, as it is called now. */
  readonly repository: string;
  readonly issueKey: string;
  readonly issueNumber: number;
  /** The open pull request of the issue, if the platform knows one. */
  readonly pullRequest: number | null;
  readonly branch: string;
  readonly baseBranch: string;
  readonly model: string;
  readonly reasoningEffort: string;
  readonly stage: Stage;
  readonly kind: RunKind;
  readonly role: Role;
  /** The canonical name of the label that started the run; `review` or `comment` if none did. */
  readonly label: string;
  /** Whether the run has a workspace on Kubernetes with the project's services. */
  readonly runtime: 'full-env' | 'code-only';
  /** The language of what is said to people. */
  readonly locale: Locale;
  /** The namespace of the issue's workspace, or null. */
  readonly namespace: string | null;
}
