/**
 * Who has to approve which tool call (docs/approvals.md). The policy is data: an ordered list of rules, of which the first that
 * matches decides; what no rule names needs an owner. Pure.
 */
import type { Role, Stage } from '../stages/stages.ts';

/** `none`: performed at once. `delegated`: a member of the project who is not the requester. `owner`: an owner or administrator. */
export type ApprovalMode = 'none' | 'delegated' | 'owner';

/** A tool call, as far as the policy looks at it. */
export interface PolicySubject {
  readonly role: Role;
  readonly stage: Stage;
  /** The canonical name of the label that started the run; `review` for a run that a review started. */
  readonly label: string;
  /** Whether the run has a workspace on Kubernetes with the project's services. */
  readonly runtime: 'full-env' | 'code-only';
  readonly tool: string;
  /** What of the tool is to be done: `create`, `delete`, `describe`, `add:run:*`; `call` for tools that do one thing. */
  readonly action: string;
}

/** Fields that are left out match everything; `*` at the end of a text matches any rest. */
export interface PolicyRule {
  readonly tool?: string;
  readonly action?: string;
  readonly role?: string;
  readonly label?: string;
  readonly runtime?: 'full-env' | 'code-only';
  readonly mode: ApprovalMode;
  /** For people: why. */
  readonly reason: string;
}

/** Plain JSON, so that it can be kept with a call and shown. */
export interface ApprovalPolicy {
  readonly version: 1;
  readonly rules: readonly PolicyRule[];
  /** Whether the person who started a run may decide on its calls: where one person works alone. */
  readonly requesterMayDecide?: boolean;
}

export interface PolicyDecision {
  readonly mode: ApprovalMode;
  /** The rule's position in the policy, from 0; null: no rule matches. */
  readonly rule: number | null;
  readonly reason: string;
}

/**
 * What a call needs. What changes secrets or databases needs a person whatever the rules say: it is performed by the worker, which
 * alone reaches the cluster, and only once its run waits.
 */
export function evaluatePolicy({ rules }: ApprovalPolicy, subject: PolicySubject): PolicyDecision {
  const index = rules.findIndex((rule) => matches(rule, subject));
  const rule = rules[index];
  if (rule === undefined) return { mode: 'owner', rule: null, reason: 'no rule of the policy names this call' };
  if (rule.mode === 'none' && changesProject(subject))
    return { mode: 'delegated', rule: index, reason: 'what changes secrets or databases always needs a person' };
  return { mode: rule.mode, rule: index, reason: rule.reason };
}

function changesProject({ tool, action }: PolicySubject): boolean {
  return tool.startsWith('secret.') || (tool.startsWith('database.') && action !== 'describe');
}

function matches(rule: PolicyRule, subject: PolicySubject): boolean {
  return (['tool', 'action', 'role', 'label', 'runtime'] as const).every((field) => {
    const wanted = rule[field];
    if (wanted === undefined) return true;
    const actual = subject[field];
    return wanted.endsWith('*') ? actual.startsWith(wanted.slice(0, -1)) : actual === wanted;
  });
}
