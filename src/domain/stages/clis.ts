/** The programs that an agent may be: adapters of src/agent/cli. */

/** `command` is a program of the project's own (docs/agents.md). */
export const AGENT_CLIS = ['codex', 'claude', 'command'] as const;
export type AgentCliName = (typeof AGENT_CLIS)[number];

/** Their names, as people know them. */
export const CLI_NAMES: Readonly<Record<AgentCliName, string>> = {
  codex: 'Codex',
  claude: 'Claude Code',
  command: "the project's own program",
};

/** The model of Claude Code, unless a label, the project or the installation names another. */
export const CLAUDE_MODEL = 'claude-sonnet-5';

/** The program that works with a model of the label catalogue. */
export function cliOfModel(model: string): AgentCliName {
  return model.startsWith('claude-') ? 'claude' : 'codex';
}
