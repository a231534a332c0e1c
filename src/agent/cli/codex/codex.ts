/** Codex as an agent: `codex exec --json`, its events, its settings and its conversations. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { agentEnvironment, authorities } from '../../paths.ts';
import type { CliEvent, CreateAgentCli } from '../agent-cli.ts';
import { startCli } from '../process.ts';
import { findConversation, restoreRollout } from './conversation.ts';
import { describeEvent, plainError, readEvent, type CodexEvent } from './events.ts';
import { prepareCodexHome } from './home.ts';

/** CODEX_HOME, below the workspace. */
function codexHomeIn(workspace: string): string {
  return join(workspace, 'codex-home');
}

/** Makes the adapter for one run. */
export const createCodex: CreateAgentCli = ({ paths, tokenFile, assignment }) => {
  const codexHome = codexHomeIn(paths.workspace);
  const schemaFile = join(codexHome, 'answer-schema.json');
  const trusted = authorities();

  return {
    name: 'codex',
    mark: `CODEX_HOME=${codexHome}`,
    prepare: () => prepareCodexHome({ codexHome, schemaFile, tokenFile, assignment }),
    start({ prompt, threadId, onLine, onTooLong }) {
      return startCli({
        program: findCodex(),
        args: [
          'exec',
          '--json',
          '--skip-git-repo-check',
          '--dangerously-bypass-approvals-and-sandbox',
          `--cd=${paths.repository}`,
          `--model=${assignment.model}`,
          `--output-schema=${schemaFile}`,
          ...(threadId === undefined ? [] : ['resume', threadId]),
          '-',
        ],
        cwd: paths.repository,
        env: {
          ...agentEnvironment(paths),
          CODEX_HOME: codexHome,
          ...(trusted === undefined ? {} : { CODEX_CA_CERTIFICATE: trusted }),
        },
        mark: `CODEX_HOME=${codexHome}`,
        prompt,
        onLine,
        onTooLong,
      });
    },
    readEvent(line) {
      const event = readEvent(line);
      return event && { ...saidBy(event), log: describeEvent(event, paths.repository) };
    },
    findConversation: (threadId) => findConversation(codexHome, threadId),
    restoreConversation: async (threadId, content) => {
      await restoreRollout(codexHome, threadId, content);
    },
  };
};

/** The program of the npm package `@openai/codex`. */
function findCodex(): string {
  const manifest = createRequire(import.meta.url).resolve('@openai/codex/package.json');
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin: { codex: string } };
  return join(dirname(manifest), bin.codex);
}

function saidBy(event: CodexEvent): Omit<CliEvent, 'log'> {
  switch (event.type) {
    case 'thread.started':
      return { threadId: event.thread_id };
    case 'item.completed':
      return event.item.type === 'agent_message' ? { message: event.item.text } : {};
    case 'error':
      return { error: plainError(event.message) };
    case 'turn.failed':
      return { failed: plainError(event.error.message) };
    case 'turn.started':
    case 'turn.completed':
    case 'item.started':
    case 'item.updated':
      return {};
  }
}
