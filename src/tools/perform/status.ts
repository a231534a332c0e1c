/** Tools that only speak of the run itself. */
import { TOOL_DESCRIPTIONS } from '../descriptions.ts';
import type { ToolPerformers } from '../performers.ts';
import { MCP_SERVER_NAME, toolsFor } from '../../domain/tools/catalogue.ts';

export interface StatusPorts {
  /** Where agents reach the platform's MCP server. */
  readonly mcpUrl: string;
}

export function createStatusTools({ mcpUrl }: StatusPorts) {
  return {
    /** The recorded call is the report: the status comment is made of it. */
    run_status_report: async () => ({ status: 'ok', message: 'applied' }),

    codex_prompt_context_get: async (_args, { run }) => {
      const [owner, name] = run.repository.split('/');
      return {
        status: 'ok',
        message: 'read',
        context: {
          version: 1,
          run: {
            run_id: run.runId,
            attempt: run.attempt,
            project_id: run.projectId,
            namespace: run.namespace,
            runtime_mode: run.runtime,
            stage: run.stage,
            kind: run.kind,
            trigger: run.label,
            branch: run.branch,
            base_branch: run.baseBranch,
            model: run.model,
            reasoning_effort: run.reasoningEffort,
          },
          repository: { provider: 'github', owner, name, full_name: run.repository },
          issue: { number: run.issueNumber, pull_request: run.pullRequest },
          role: { agent_key: run.role },
          environment: { mcp_base_url: mcpUrl },
          mcp: {
            server_name: MCP_SERVER_NAME,
            tools: toolsFor(run).map((tool) => ({ name: tool, title: TOOL_DESCRIPTIONS[tool].title })),
          },
        },
      };
    },
  } as const satisfies ToolPerformers;
}
