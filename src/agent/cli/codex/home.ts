/** CODEX_HOME: the agent's settings, written anew for every run; only the conversations in `sessions` stay. */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MCP_SERVER_NAME } from '../../../domain/tools/catalogue.ts';
import { answerSchema } from '../../answer.ts';
import type { Assignment } from '../../platform/protocol.ts';
import { writeMcpHeaders } from '../mcp-headers.ts';

const PROVIDER = 'codex-k8s';

/** Codex waits 0.2 s and doubles it each time: 12 retries outlast a restart of the platform. */
const RETRIES = 12;

/** A tool that changes a cluster may take long. */
const TOOL_SECONDS = 180;
const START_SECONDS = 30;

/** Features of a desktop assistant, or ones that connect to other hosts; an agent in a pod needs none of them. */
const FEATURES_OFF = [
  'apps',
  'browser_use',
  'computer_use',
  'daemon_auto_start',
  'goals',
  'hooks',
  'image_generation',
  'plugin_sharing',
  'plugins',
  'remote_plugin',
  'shell_snapshot',
  'skill_mcp_dependency_install',
  'skill_search',
  'tool_suggest',
];

/** Empties the directory except for the conversations, and writes the settings and the answer's schema. */
export async function prepareCodexHome(options: {
  codexHome: string;
  schemaFile: string;
  tokenFile: string;
  assignment: Pick<Assignment, 'modelBaseUrl' | 'mcpUrl' | 'reasoningEffort' | 'limits'>;
}): Promise<void> {
  await mkdir(options.codexHome, { recursive: true, mode: 0o700 });
  for (const name of await readdir(options.codexHome)) {
    if (name !== 'sessions') await rm(join(options.codexHome, name), { recursive: true, force: true });
  }
  const headers = await writeMcpHeaders(options.codexHome, options.tokenFile);
  const toml = `${configToml(options)}${mcpToml(options.assignment, headers)}`;
  await writeFile(join(options.codexHome, 'config.toml'), toml, { mode: 0o600 });
  await writeFile(options.schemaFile, JSON.stringify(answerSchema()));
}

/**
 * Codex gets the token from the provider's `auth.command`: it runs `cat TOKEN_FILE` when it needs a bearer token and keeps it
 * in memory, so that no environment, argument or settings file holds it.
 */
function configToml({ tokenFile, assignment }: Parameters<typeof prepareCodexHome>[0]): string {
  return [
    `model_provider = ${text(PROVIDER)}`,
    `model_reasoning_effort = ${text(assignment.reasoningEffort)}`,
    'allow_login_shell = false', // a login shell would replace the PATH of the container
    'web_search = "disabled"',
    'check_for_update_on_startup = false',
    '[agents]',
    'enabled = false',
    '[analytics]',
    'enabled = false',
    '[feedback]',
    'enabled = false',
    '[history]',
    'persistence = "none"',
    '[skills.bundled]',
    'enabled = false',
    '[features]',
    ...FEATURES_OFF.map((feature) => `${feature} = false`),
    `[model_providers.${PROVIDER}]`,
    `name = ${text(PROVIDER)}`,
    `base_url = ${text(assignment.modelBaseUrl)}`,
    'wire_api = "responses"',
    `request_max_retries = ${RETRIES}`,
    `stream_max_retries = ${RETRIES}`,
    // Codex would cut a silent stream after 300 s, whatever silence is allowed.
    `stream_idle_timeout_ms = ${Math.ceil(assignment.limits.stallSeconds * 1000)}`,
    `[model_providers.${PROVIDER}.auth]`,
    'command = "cat"',
    `args = [${text(tokenFile)}]`,
    '',
  ].join('\n');
}

/** Every tool is approved: the platform decides what a call needs. */
function mcpToml({ mcpUrl }: Pick<Assignment, 'mcpUrl'>, headers: string): string {
  if (mcpUrl === undefined) return '';
  return [
    `[mcp_servers.${MCP_SERVER_NAME}]`,
    `url = ${text(mcpUrl)}`,
    `http_headers_helper = ${text(headers)}`,
    'default_tools_approval_mode = "approve"',
    `startup_timeout_sec = ${START_SECONDS}`,
    `tool_timeout_sec = ${TOOL_SECONDS}`,
    '',
  ].join('\n');
}

function text(value: string): string {
  return JSON.stringify(value);
}
