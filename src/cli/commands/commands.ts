/** The commands for people. */
import type { Command } from 'commander';
import type { ApiAddress } from '../../api-client/api-client.ts';
import { addClusterCommands } from './cluster.ts';
import { addDoctorCommand } from './doctor.ts';
import { addDecisionCommands } from './decision-commands.ts';
import { addPromptCommands } from './prompt-commands.ts';
import { addReadModelCommands } from './read-model.ts';
import { addReplayCommand } from './replay.ts';
import { addStaffCommands } from './staff.ts';
import { addWebhookCommands } from './webhook.ts';

/** Adds them to the program, in the order of its help. */
export function addCommandsForPeople(program: Command): void {
  const { runs, carryOut } = addStaffCommands(program, { resolveApi });
  addPromptCommands(program, carryOut);
  addDecisionCommands(program, carryOut);
  addReplayCommand(program, runs, { resolveApi });
  addReadModelCommands(program);
  addClusterCommands(program);
  addDoctorCommand(program);
  addWebhookCommands(program, {
    resolveWebhook: async (place) => (await import('../webhook-simulator/resolve.ts')).resolveWebhook(place),
  });
}

async function resolveApi(data?: string): Promise<ApiAddress> {
  return (await import('../client/resolve-api.ts')).resolveApi(data);
}
