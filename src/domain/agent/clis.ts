/** The programs that an agent may be: adapters of src/agent/cli. */

export const AGENT_CLIS = ['codex', 'claude'] as const;
export type AgentCliName = (typeof AGENT_CLIS)[number];
