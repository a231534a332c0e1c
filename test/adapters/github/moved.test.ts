/** docs/reliability.md T17: an issue that was transferred is gone from here, though GitHub shows what it has become. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createGitHub } from '../../../src/adapters/github/index.ts';

const ISSUE = { repositoryId: 42, owner: 'acme', name: 'demo', number: 7 };
let api: Server;
/** The number under which GitHub shows the issue. */
let shown: number;
/** The repository in which GitHub shows it, and that one's id. */
let where: { readonly name: string; readonly id: number };

beforeAll(async () => {
  api = createServer((request, response) => {
    const isList = /\/(events|comments)/.test(request.url ?? '');
    const issue = {
      id: 1,
      number: shown,
      title: 'Moved',
      state: 'open',
      labels: [],
      body: '',
      repository_url: `http://github/repos/${where.name}`,
    };
    const isRepository = /^\/repos\/[^/]+\/[^/]+$/.test(request.url ?? '');
    const body = isList ? [] : isRepository ? { id: where.id } : issue;
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  api.listen(0, '127.0.0.1');
  await once(api, 'listening');
});
afterAll(() => api.close());
beforeEach(() => {
  where = { name: 'acme/demo', id: 42 };
});

function github(): ReturnType<typeof createGitHub> {
  return createGitHub({
    apiUrl: `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
    token: 'a token of the tests',
    waits: { current: () => Promise.resolve(undefined), hold: () => Promise.reject(new Error('nobody waits')) },
  });
}

test.each(['readLabels', 'readIssue'] as const)('T17: %s does not take another issue for it', async (read) => {
  shown = 31;
  await expect(github()[read](ISSUE, 'run:dev')).rejects.toMatchObject({ status: 410 });
});

test.each(['readLabels', 'readIssue'] as const)('T17: %s reads the issue that is here', async (read) => {
  shown = 7;
  await expect(github()[read](ISSUE, 'run:dev')).resolves.toMatchObject({ title: 'Moved' });
});

test.each(['readLabels', 'readIssue'] as const)(
  'T17: %s does not take one of the same number in another repository for it',
  async (read) => {
    shown = 7;
    where = { name: 'acme/other', id: 43 };
    await expect(github()[read](ISSUE, 'run:dev')).rejects.toMatchObject({ status: 410 });
  },
);

test.each(['readLabels', 'readIssue'] as const)('T20: %s reads it where its repository was renamed', async (read) => {
  shown = 7;
  where = { name: 'acme/renamed', id: 42 };
  await expect(github()[read](ISSUE, 'run:dev')).resolves.toMatchObject({ title: 'Moved' });
});
