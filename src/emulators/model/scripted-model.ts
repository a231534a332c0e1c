/** Model emulator: an OpenAI Responses API whose answers come from scripts. It keeps no state between requests. */
import { createServer, type ChatCompletionRequest, type FixtureResponse, type Mountable } from '@copilotkit/aimock';
import { demoScript } from './demo-script.ts';
import { misbehaviourScript } from './misbehaviour.ts';
import { notesScript } from './notes-script.ts';
import { respond } from './script.ts';
import { stageScript } from './stage-script.ts';
import { nameSpaces, toolSteps } from './tool-steps.ts';
import { readTurn } from './turn.ts';

export interface ScriptedModel {
  /** The base URL of the API, ending in /v1. */
  readonly url: string;
  close(): Promise<void>;
}

/** Starts the emulator; port 0 takes a free one. */
export async function startScriptedModel(options: { host?: string; port?: number } = {}): Promise<ScriptedModel> {
  const closing = new AbortController();
  const { server, url } = await createServer(
    [{ match: {}, response: (request) => answer(request, closing.signal) }],
    { host: options.host ?? '127.0.0.1', port: options.port ?? 0, journalMaxEntries: 1 },
    [{ path: '/v1/models', handler: noModels }],
  );
  nameSpaces(server);
  return {
    url: `${url}/v1`,
    async close() {
      closing.abort();
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(request: ChatCompletionRequest, closing: AbortSignal): Promise<FixtureResponse> {
  const turn = readTurn(request);
  if (!turn) return { content: 'I am a scripted model, and this is no task of codex-k8s.' };
  const script = misbehaviourScript(turn) ?? stageScript(turn) ?? demoScript(turn) ?? notesScript(turn);
  const response = respond({ ...script, steps: [...toolSteps(turn), ...script.steps] }, turn, request);
  return response === 'silence' ? untilClosed(closing) : response;
}

/** Never resolves, and rejects on close: Codex gives up on a silent model only after minutes, but the emulator must be able to close. */
function untilClosed(closing: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    closing.addEventListener('abort', () => reject(new Error('the scripted model was closed')), { once: true });
  });
}

/** Answers `GET /models` with an empty list; Codex then uses its own. */
const noModels: Mountable = {
  handleRequest(_request, response) {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"models":[]}');
    return Promise.resolve(true);
  },
};
