/**
 * The entry point of the agent's image: `codex-k8s agent` without the command line's imports, so that the image contains
 * only what an agent needs.
 */
import { parseArgs } from 'node:util';
import { createAgentCli } from './agent-clis.ts';
import { runAgent, type RunAgentOptions } from '../../agent/runner/runner.ts';

const USAGE = 'usage: agent --platform-url URL --token-file PATH --workspace DIRECTORY';
const BAD_USAGE = 2;

const given = readArguments();
if (given) {
  process.exitCode = await runAgent({ ...given, createCli: createAgentCli, ownsDescendants: true });
} else {
  console.error(USAGE);
  process.exitCode = BAD_USAGE;
}

function readArguments(): Omit<RunAgentOptions, 'createCli'> | undefined {
  const option = { type: 'string' } as const;
  try {
    const { values } = parseArgs({ options: { 'platform-url': option, 'token-file': option, workspace: option } });
    const { 'platform-url': platformUrl, 'token-file': tokenFile, workspace } = values;
    return platformUrl && tokenFile && workspace ? { platformUrl, tokenFile, workspace } : undefined;
  } catch (error) {
    console.error((error as Error).message);
    return undefined;
  }
}
