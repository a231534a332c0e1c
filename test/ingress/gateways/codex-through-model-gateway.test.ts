/** What the Codex CLI itself sends passes the model gateway: its tools, images, patches, and shortened conversations. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createModelGateway } from '../../../ingress/gateways/model/model-gateway.ts';
import type { RunAccess } from '../../../ingress/gateways/run-access.ts';
import { createCodex } from '../../../src/agent/cli/codex/codex.ts';
import { pathsIn, preparePaths } from '../../../src/agent/paths.ts';

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const PATCH = '*** Begin Patch\n*** Add File: a.txt\n+hello\n*** End Patch';

interface ModelRequest {
  readonly tools: readonly { readonly type: string; readonly name: string }[];
  readonly input: readonly { readonly type: string }[];
}

let directory: string;
let model: Server;
let gateway: Server;
let statuses: number[];
/** Of the requests that reached the model. */
let requests: ModelRequest[];

/** The next thing that the model does; the last is its answer. */
const STEPS = [
  { type: 'function_call', call_id: 'c1', name: 'exec_command', arguments: JSON.stringify({ cmd: 'echo hi' }) },
  { type: 'function_call', call_id: 'c2', name: 'view_image', arguments: JSON.stringify({ path: 'pixel.png' }) },
  { type: 'custom_tool_call', call_id: 'c3', name: 'apply_patch', input: PATCH },
  { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Done' }] },
] as const;

function answer(step: number, tokens: number): string {
  const item = STEPS[Math.min(step, STEPS.length - 1)];
  const reasoning = {
    type: 'reasoning',
    id: `rs${step}`,
    summary: [{ type: 'summary_text', text: 'x' }],
    encrypted_content: 'x',
  };
  const usage = { input_tokens: tokens, output_tokens: 5, total_tokens: tokens + 5 };
  const events = [
    { type: 'response.created', response: { id: `r${step}` } },
    { type: 'response.output_item.done', output_index: 0, item: reasoning },
    { type: 'response.output_item.done', output_index: 1, item: { id: `i${step}`, ...item } },
    {
      type: 'response.completed',
      response: {
        id: `r${step}`,
        usage: { ...usage, input_tokens_details: { cached_tokens: 0 }, output_tokens_details: { reasoning_tokens: 0 } },
      },
    },
  ];
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'codex-gateway-'));
  model = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.method === 'GET')
        return response.writeHead(200, { 'content-type': 'application/json' }).end('{"models":[]}');
      requests.push(JSON.parse(Buffer.concat(chunks).toString()) as ModelRequest);
      const step = requests.length - 1;
      // After the image the conversation counts as too long: Codex has it made shorter before it goes on.
      return response
        .writeHead(200, { 'content-type': 'text/event-stream' })
        .end(answer(step, step === 1 ? 900_000 : 10));
    });
  });
  await new Promise<void>((resolve) => model.listen(0, '127.0.0.1', resolve));
  const access = { open: async (token) => (token === 'the-token' ? { model: 'gpt-5.5' } : undefined) } as RunAccess;
  const upstream = `http://127.0.0.1:${(model.address() as AddressInfo).port}/v1`;
  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    statuses.push(c.res.status);
  });
  app.route('/model', createModelGateway({ access, openai: { url: upstream, key: 'sk' } }));
  gateway = await new Promise<Server>((resolve) => {
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, () => resolve(server)) as Server;
  });
});

afterAll(async () => {
  for (const server of [model, gateway]) {
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
  }
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
});

test('S2: a turn of the Codex CLI with a command, an image, a patch and a shortened conversation passes the gateway', async () => {
  statuses = [];
  requests = [];
  const paths = pathsIn(join(directory, 'workspace'));
  await mkdir(paths.repository, { recursive: true });
  await preparePaths(paths, { name: 'agent', email: 'agent@example.com' });
  await writeFile(join(paths.repository, 'pixel.png'), Buffer.from(PIXEL, 'base64'));
  const tokenFile = join(directory, 'token');
  await writeFile(tokenFile, 'the-token\n');
  const { port } = gateway.address() as AddressInfo;
  const cli = createCodex({
    paths,
    tokenFile,
    assignment: {
      cli: 'codex',
      limits: { stallSeconds: 900, runSeconds: 900 },
      model: 'gpt-5.5',
      reasoningEffort: 'medium',
      modelBaseUrl: `http://127.0.0.1:${port}/model/v1`,
    },
  });
  await cli.prepare();
  const errors: string[] = [];
  const onLine = (line: string): void => {
    const error = cli.readEvent(line)?.error;
    if (error !== undefined) errors.push(error);
  };
  const { code } = await cli.start({ prompt: 'Do it', threadId: undefined, onLine, onTooLong: () => undefined }).exited;

  expect({ code, errors, statuses: [...new Set(statuses)] }).toEqual({ code: 0, errors: [], statuses: [200] });
  expect([...new Set(requests.flatMap(({ tools }) => tools.map(({ type }) => type)))].toSorted()).toEqual([
    'custom',
    'function',
  ]);
  const items = new Set(requests.flatMap(({ input }) => input.map(({ type }) => type)));
  expect([...items]).toEqual(expect.arrayContaining(['message', 'reasoning', 'function_call', 'function_call_output']));
  expect(JSON.stringify(requests)).toContain(`data:image/png;base64,`);
  expect(requests.some(({ tools }) => tools.length === 0)).toBe(true); // the request that shortens
});
