/** The platform's MCP server with what its tools are performed by. */
import type { Hono } from 'hono';
import { createMcpGateway } from '../../../ingress/gateways/mcp/mcp-gateway.ts';
import { createToolCalls } from '../../../ingress/gateways/mcp/tool-calls.ts';
import type { RunAccess } from '../../../ingress/gateways/run-access.ts';
import { createSealing } from '../../adapters/sealing.ts';
import { findToolRun } from '../../store/runs/tool-runs.ts';
import { createAgentTools } from '../process/agent-tools.ts';
import { createProjectTools } from '../process/project-tools.ts';
import type { ServerParts } from './server-app.ts';

/** What writes to the cluster is performed by the worker, after an approval. */
const NO_CLUSTER =
  'the server does not use the Kubernetes API: let the policy ask a person, then the worker performs the call';

export function createMcp(
  {
    config,
    log,
    updates,
    github,
    agents: { db },
  }: Pick<ServerParts, 'config' | 'log' | 'updates' | 'github' | 'agents'>,
  { access, secrets }: { readonly access: RunAccess; readonly secrets: readonly string[] },
): Hono {
  const address = config.CODEXK8S_AGENT_URL ?? config.CODEXK8S_INTERNAL_URL;
  return createMcpGateway({
    access,
    findRun: (assignment) => findToolRun(db, assignment),
    callTool: createToolCalls({
      db,
      performers: {
        ...createAgentTools({ db, github, address }),
        ...createProjectTools(config, { db, github, cluster: NO_CLUSTER }),
      },
      policy: async () => config.CODEXK8S_POLICY_FILE,
      sealing: createSealing(config.CODEXK8S_RUN_TOKEN_KEY_FILE),
      // What is not passed on, the run's workflow finds in the database.
      onParked: (call) => updates.parked(call),
      onError: (error) => log.warn({ err: error }, 'a tool of an agent failed'),
    }),
    addresses: [address, config.CODEXK8S_INTERNAL_URL],
    secrets,
    onError: (error) => log.debug({ err: error }, 'MCP: a request was not served'),
  });
}
