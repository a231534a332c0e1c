/** The adapter of the program that an assignment names. */
import type { AgentCliName } from '../../domain/agent/clis.ts';
import type { CreateAgentCli } from '../../agent/cli/agent-cli.ts';
import { createClaude } from '../../agent/cli/claude/claude.ts';
import { createCodex } from '../../agent/cli/codex/codex.ts';

const ADAPTERS: Readonly<Record<AgentCliName, CreateAgentCli>> = {
  codex: createCodex,
  claude: createClaude,
};

/** Makes the adapter for one run. */
export const createAgentCli: CreateAgentCli = (setting) => ADAPTERS[setting.assignment.cli](setting);
