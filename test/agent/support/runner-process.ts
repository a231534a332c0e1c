/** The runner as a process of its own, as in the agent's container. Arguments: platform URL, token file, workspace. */
import { createAgentCli } from '../../../src/app/agent/agent-clis.ts';
import { runAgent } from '../../../src/agent/runner/runner.ts';

const [platformUrl = '', tokenFile = '', workspace = ''] = process.argv.slice(2);
process.exit(await runAgent({ platformUrl, tokenFile, workspace, createCli: createAgentCli, ownsDescendants: true }));
