/** Claude Code as an agent: `claude -p --output-format stream-json`, its events, its settings and its conversations. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { answerSchema } from '../../answer.ts';
import { agentEnvironment, authorities } from '../../paths.ts';
import type { Assignment } from '../../platform/protocol.ts';
import type { CreateAgentCli } from '../agent-cli.ts';
import { startCli } from '../process.ts';
import { findConversation, restoreTranscript } from './conversation.ts';
import { createEventReader } from './events.ts';
import { mcpConfigOf, prepareConfigDirectory } from './home.ts';

/** The tools that work in the repository; the others search the web, start further agents or wait for people. */
const TOOLS = ['Bash', 'Edit', 'Read', 'Write'];

/** Claude Code waits 0.5 s and doubles it each time, up to 32 s: 12 retries outlast a restart of the platform. */
const RETRIES = 12;

/** Nothing is sent but what the model is asked, and nothing goes on after the turn. */
const OFF = {
  CLAUDE_CODE_DISABLE_AUTO_MEMORY: '1',
  CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1',
  CLAUDE_CODE_DISABLE_FEEDBACK_SURVEY: '1',
  CLAUDE_CODE_DISABLE_FILE_CHECKPOINTING: '1',
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  DISABLE_AUTOUPDATER: '1',
  DISABLE_ERROR_REPORTING: '1',
  DISABLE_TELEMETRY: '1',
};

/** Makes the adapter for one run. */
export const createClaude: CreateAgentCli = ({ paths, tokenFile, assignment }) => {
  const configDirectory = join(paths.workspace, 'claude-home');
  const temporary = join(configDirectory, 'tmp');
  const mark = `CLAUDE_CONFIG_DIR=${configDirectory}`;
  const trusted = authorities();
  const { repository } = paths;

  return {
    name: 'claude',
    mark,
    prepare: () =>
      prepareConfigDirectory({ configDirectory, temporary, repository, tokenFile, mcpUrl: assignment.mcpUrl }),
    start({ prompt, threadId, onLine, onTooLong }) {
      return startCli({
        program: findClaude(),
        args: [
          '--print',
          '--output-format=stream-json',
          '--verbose',
          `--model=${assignment.model}`,
          `--effort=${assignment.reasoningEffort}`,
          `--json-schema=${JSON.stringify(answerSchema())}`,
          `--tools=${TOOLS.join(',')}`,
          '--permission-mode=bypassPermissions',
          '--setting-sources=user',
          '--strict-mcp-config',
          `--mcp-config=${mcpConfigOf(configDirectory)}`,
          '--disable-slash-commands',
          ...(threadId === undefined ? [] : [`--resume=${threadId}`]),
        ],
        cwd: repository,
        env: {
          ...agentEnvironment(paths),
          ...OFF,
          ...commandTimes(assignment.limits),
          CLAUDE_CONFIG_DIR: configDirectory,
          CLAUDE_CODE_TMPDIR: temporary,
          CLAUDE_CODE_MAX_RETRIES: String(RETRIES),
          // It adds the `/v1` of its requests itself.
          ANTHROPIC_BASE_URL: assignment.modelBaseUrl.replace(/\/v1$/, ''),
          // Without it Claude Code refuses to work as root without asking; the container is the sandbox.
          IS_SANDBOX: '1',
          ...(trusted === undefined ? {} : { NODE_EXTRA_CA_CERTS: trusted }),
        },
        mark,
        prompt,
        onLine,
        onTooLong,
      });
    },
    readEvent: createEventReader(repository),
    findConversation: (threadId) => findConversation(configDirectory, threadId),
    restoreConversation: async (threadId, content) => {
      await restoreTranscript(configDirectory, threadId, content, repository);
    },
  };
};

/**
 * Milliseconds. Claude Code prints nothing while a command runs, and an agent that is silent for too long has stalled: a command
 * ends before. A request to the model may be silent as long, not only 10 minutes; it ends later, since each new try is an event.
 */
function commandTimes({ stallSeconds }: Assignment['limits']): Record<string, string> {
  const longest = Math.floor(stallSeconds * 1000 * 0.9);
  return {
    API_TIMEOUT_MS: String(Math.ceil(stallSeconds * 1000) + 60_000),
    BASH_DEFAULT_TIMEOUT_MS: String(Math.min(longest, 600_000)),
    BASH_MAX_TIMEOUT_MS: String(longest),
  };
}

/** The native program of the npm package; it is one package for each system. */
function findClaude(): string {
  const { resolve } = createRequire(import.meta.url);
  const { platform, arch } = process;
  const kinds = [`${platform}-${arch}`, `${platform}-${arch}-musl`];
  for (const kind of kinds) {
    try {
      return join(dirname(resolve(`@anthropic-ai/claude-code-${kind}/package.json`)), 'claude');
    } catch {
      // the next one
    }
  }
  throw new Error(
    `Claude Code is not installed for ${kinds[0]}: install @anthropic-ai/claude-code with its optional packages`,
  );
}
