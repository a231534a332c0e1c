/** The tools that the platform offers agents over MCP, and which run may use which. Pure. */
import type { RunKind, Stage } from '../stages/stages.ts';
import { roleOf } from '../stages/stages.ts';

/**
 * Whether a call changes something (`acts`), only reads (`reads`), or asks people and waits for their answer (`asks`).
 * MCP's annotations are made from it.
 */
export type ToolEffect = 'reads' | 'acts' | 'asks';

/** Which runs have a tool. `operations`: a run of `ops` by the roles sre or dev. `not_self_improve`: all but runs of that stage. */
export type ToolAudience = 'every' | 'operations' | 'not_self_improve';

export interface ToolRow {
  /** As an agent calls it. */
  readonly tool: string;
  readonly effect: ToolEffect;
  readonly audience: ToolAudience;
  /** Needs a Kubernetes cluster: under the local runtime it answers `not_available_here`. */
  readonly cluster?: true;
}

export const TOOLS = [
  { tool: 'github_labels_list', effect: 'reads', audience: 'every' },
  { tool: 'github_labels_add', effect: 'acts', audience: 'every' },
  { tool: 'github_labels_remove', effect: 'acts', audience: 'every' },
  { tool: 'github_labels_transition', effect: 'acts', audience: 'every' },
  { tool: 'github_issue_get', effect: 'reads', audience: 'every' },
  { tool: 'github_pull_request_get', effect: 'reads', audience: 'every' },
  { tool: 'github_comments_list', effect: 'reads', audience: 'every' },
  { tool: 'github_review_threads_list', effect: 'reads', audience: 'every' },
  { tool: 'run_status_report', effect: 'acts', audience: 'every' },
  { tool: 'codex_prompt_context_get', effect: 'reads', audience: 'every' },
  { tool: 'user.notify', effect: 'acts', audience: 'not_self_improve' },
  { tool: 'user.decision.request', effect: 'asks', audience: 'not_self_improve' },
  { tool: 'owner.feedback.request', effect: 'asks', audience: 'operations' },
  { tool: 'secret.sync.github_k8s', effect: 'acts', audience: 'operations', cluster: true },
  { tool: 'database.lifecycle', effect: 'acts', audience: 'operations' },
] as const satisfies readonly ToolRow[];

export type ToolName = (typeof TOOLS)[number]['tool'];

/** The name by which agents' programs know the platform's MCP server; they call its tools `mcp__codex_k8s__…`, or in that namespace. */
export const MCP_SERVER_NAME = 'codex_k8s';

/** What of a run decides which tools it has. */
export interface ToolProfile {
  readonly stage: Stage;
  readonly kind: RunKind;
}

/** The tools of a run, in the catalogue's order. Others are neither listed nor carried out. */
export function toolsFor(profile: ToolProfile): readonly ToolName[] {
  return TOOLS.filter(({ audience }) => belongs(audience, profile)).map(({ tool }) => tool);
}

export function toolRow(tool: ToolName): ToolRow {
  const row = TOOLS.find((candidate) => candidate.tool === tool);
  if (!row) throw new Error(`there is no tool ${tool}`);
  return row;
}

function belongs(audience: ToolAudience, { stage, kind }: ToolProfile): boolean {
  switch (audience) {
    case 'every':
      return true;
    case 'operations': {
      const role = roleOf({ stage, kind });
      return stage === 'ops' && (role === 'sre' || role === 'dev');
    }
    case 'not_self_improve':
      return stage !== 'self-improve';
  }
}
