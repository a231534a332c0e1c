/** A program of the project's own as an agent (docs/agents.md says what it is given, and what is read from it). */
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { answerSchema } from '../../answer.ts';
import { agentEnvironment, authorities } from '../../paths.ts';
import type { CreateAgentCli } from '../agent-cli.ts';
import { keptFile } from '../kept-file.ts';
import { startCli, type CliExit, type CliProcess } from '../process.ts';
import { answerLine, conversationLine, readEvent } from './events.ts';

const CONVERSATION = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** As shells answer when there is no such program, and when it cannot be started. */
const NO_SUCH_PROGRAM = 127;
const NOT_A_PROGRAM = 126;

/** Makes the adapter for one run. */
export const createCommand: CreateAgentCli = ({ paths, tokenFile, assignment }) => {
  const home = join(paths.workspace, 'command-home');
  const conversations = join(home, 'conversations');
  const schemaFile = join(home, 'answer-schema.json');
  const answerFile = join(home, 'answer.json');
  const mark = `CODEXK8S_AGENT_HOME=${home}`;
  const trusted = authorities();
  const [program, ...args] = assignment.command ?? [];
  const fileOf = (id: string): string => join(conversations, `${id}.jsonl`);

  return {
    name: program ?? 'command',
    mark,
    async prepare() {
      await mkdir(conversations, { recursive: true, mode: 0o700 });
      await writeFile(schemaFile, JSON.stringify(answerSchema()));
    },
    start({ prompt, threadId, onLine, onTooLong }) {
      const conversation = threadId ?? crypto.randomUUID();
      return withAnswer(answerFile, onLine, () => {
        onLine(conversationLine(conversation));
        return startCli({
          program: program ?? '',
          args,
          cwd: paths.repository,
          env: {
            ...agentEnvironment(paths),
            CODEXK8S_AGENT_HOME: home,
            CODEXK8S_ANSWER_FILE: answerFile,
            CODEXK8S_ANSWER_SCHEMA_FILE: schemaFile,
            CODEXK8S_CONVERSATION: conversation,
            CODEXK8S_CONVERSATION_FILE: fileOf(conversation),
            CODEXK8S_RESUME: String(threadId !== undefined),
            CODEXK8S_MODEL: assignment.model,
            CODEXK8S_REASONING_EFFORT: assignment.reasoningEffort,
            CODEXK8S_MODEL_URL: assignment.modelBaseUrl,
            CODEXK8S_TOKEN_FILE: tokenFile,
            ...(trusted === undefined ? {} : { NODE_EXTRA_CA_CERTS: trusted, SSL_CERT_FILE: trusted }),
          },
          mark,
          prompt,
          onLine,
          onTooLong,
        });
      });
    },
    readEvent,
    async findConversation(threadId) {
      if (!CONVERSATION.test(threadId)) return undefined;
      const file = fileOf(threadId);
      const isThere = await stat(file).then(
        (found) => found.isFile(),
        () => false,
      );
      return isThere ? keptFile(file) : undefined;
    },
    async restoreConversation(threadId, content) {
      await mkdir(conversations, { recursive: true, mode: 0o700 });
      if (!CONVERSATION.test(threadId)) throw new Error('the id of the conversation is not valid');
      await writeFile(fileOf(threadId), content, { mode: 0o600 });
    },
  };
};

/** Starts the program without an answer of an earlier turn; the file that it leaves is its last line. */
function withAnswer(answerFile: string, onLine: (line: string) => void, start: () => CliProcess): CliProcess {
  const started = rm(answerFile, { force: true }).then(start);
  const exited = started
    .then(async (program) => program.exited)
    .catch(notStarted)
    .then(async (exit) => {
      const answer = await readFile(answerFile, 'utf8').catch(() => '');
      if (answer.trim() !== '') onLine(answerLine(answer));
      return exit;
    });
  return { exited, stop: async () => started.then(async (program) => program.stop()) };
}

/** A program that is not there fails its turn as one does that ends with an error. */
function notStarted(error: unknown): CliExit {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'ENOENT' && code !== 'EACCES') throw error;
  return { code: code === 'ENOENT' ? NO_SUCH_PROGRAM : NOT_A_PROGRAM, signal: null, stderr: message };
}
