/** The adapter of the program that an assignment names. */
import type { AgentCliName } from '../../domain/stages/clis.ts';
import type { CreateAgentCli } from '../../agent/cli/agent-cli.ts';
import { createClaude } from '../../agent/cli/claude/claude.ts';
import { createCommand } from '../../agent/cli/command/command.ts';
import { createCodex } from '../../agent/cli/codex/codex.ts';

const ADAPTERS: Readonly<Record<AgentCliName, CreateAgentCli>> = {
  codex: createCodex,
  claude: createClaude,
  command: createCommand,
};

/** Makes the adapter for one run. */
export const createAgentCli: CreateAgentCli = (setting) => ADAPTERS[setting.assignment.cli](setting);
