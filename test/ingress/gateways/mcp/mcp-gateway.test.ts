import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { beforeEach, describe, expect, test } from 'vitest';
import { toolsFor } from '../../../../src/domain/tools/catalogue.ts';
import { closeAssignment } from '../../../../src/store/runs/assignments.ts';
import { bind, useTables } from '../../../support/tables.ts';
import { ADDRESS, createScene } from './support/mcp-scene.ts';

const tables = useTables();
const scene = (): ReturnType<typeof createScene> =>
  createScene(tables, { run_status_report: async () => ({ status: 'ok', message: 'applied' }) });

beforeEach(async () => {
  await tables.clear();
  await bind(tables.db);
});

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'codex-mcp-client', version: '0.169.0' },
  },
};

test('Codex is answered in the revision that it speaks', async () => {
  const mcp = scene();
  const { token } = await mcp.startRun();
  const { status, body } = await mcp.send(token, INITIALIZE);
  expect(status).toBe(200);
  expect(body.result).toMatchObject({ protocolVersion: '2025-06-18', serverInfo: { name: 'codex_k8s' } });
});

test('the newest revision is spoken too, from the same address', async () => {
  const mcp = scene();
  const { token } = await mcp.startRun();
  const client = new Client({ name: 'test', version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL(ADDRESS), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
    fetch: async (url, init) => mcp.gateway.request(new Request(url, init)),
  });
  await client.connect(transport);
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toEqual(toolsFor({ stage: 'dev', kind: 'work' }));
  const { content } = await client.callTool({ name: 'run_status_report', arguments: { status: 'Reading' } });
  expect(content).toEqual([{ type: 'text', text: '{"status":"ok","message":"applied"}' }]);
  await client.close();
});

describe('nothing is served', () => {
  test.each<[string, (token: string) => Parameters<ReturnType<typeof scene>['send']>, number]>([
    ['without a token', () => [undefined, INITIALIZE], 401],
    ['to another token', (token) => [`${token.slice(0, -1)}x`, INITIALIZE], 401],
    ['to a token in the query', (token) => [undefined, INITIALIZE, { address: `${ADDRESS}/?token=${token}` }], 400],
    ['with a query', (token) => [token, INITIALIZE, { address: `${ADDRESS}/?x=1` }], 400],
    ['to a page in a browser', (token) => [token, INITIALIZE, { headers: { origin: 'https://evil.test' } }], 403],
    ['under another name', (token) => [token, INITIALIZE, { address: 'http://evil.test/' }], 403],
    ['by GET', (token) => [token, '', { method: 'GET' }], 405],
    ['by DELETE', (token) => [token, '', { method: 'DELETE' }], 405],
    ['in batches', (token) => [token, [INITIALIZE, INITIALIZE]], 400],
    ['for a body of 2 MiB', (token) => [token, { ...INITIALIZE, pad: 'x'.repeat(2 * 1024 * 1024) }], 413],
    ['for what is no JSON', (token) => [token, '{'], 400],
    ['compressed', (token) => [token, INITIALIZE, { headers: { 'content-encoding': 'gzip' } }], 415],
    ['as a form', (token) => [token, INITIALIZE, { headers: { 'content-type': 'text/plain' } }], 415],
    ['to who takes no JSON', (token) => [token, INITIALIZE, { headers: { accept: 'text/html' } }], 406],
  ])('%s', async (_how, request, status) => {
    const mcp = scene();
    const { token } = await mcp.startRun();
    expect((await mcp.send(...request(token))).status).toBe(status);
  });

  test('when the run is over', async () => {
    const mcp = scene();
    const { runId, token } = await mcp.startRun();
    await closeAssignment(tables.db, runId);
    expect((await mcp.send(token, INITIALIZE)).status).toBe(401);
  });
});

test('an agent that calls tools without a pause is slowed down', async () => {
  const rate = { burst: 3, perSecond: 0.001 };
  const mcp = createScene(
    tables,
    {},
    { limits: { waiting: 8, requests: rate, bytes: { burst: 1e6, perSecond: 1e6 } } },
  );
  const { token } = await mcp.startRun();
  const statuses: number[] = [];
  for (let n = 0; n < 5; n += 1) statuses.push((await mcp.request(token, 'tools/list')).status);
  expect(statuses).toEqual([200, 200, 200, 429, 429]);
});

test('every tool is annotated and says what it is for', async () => {
  const mcp = scene();
  const { token } = await mcp.startRun('ops');
  const { body } = await mcp.request(token, 'tools/list');
  for (const tool of body.result!['tools'] as { description: string; annotations: object; inputSchema: object }[]) {
    expect(tool.description.length).toBeGreaterThan(30);
    expect(Object.keys(tool.annotations)).toEqual(
      expect.arrayContaining(['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint']),
    );
    expect(tool.inputSchema).toMatchObject({ type: 'object', additionalProperties: false });
  }
});
