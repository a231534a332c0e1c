/** What sweeps ask GitHub, against the emulator. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createGitHub } from '../../../src/adapters/github/index.ts';
import {
  addHook,
  client,
  DEMO,
  openPull,
  Receiver,
  startWithDemo,
  type Stage,
} from '../../emulators/github/emulator.ts';

const REPOSITORY = { owner: DEMO.owner, name: DEMO.repo };
const LONG_AGO = '2020-01-01T00:00:00Z';

let stage: Stage;
let proxy: Server;
let answers: { url: string; status: number }[];
let github: ReturnType<typeof createGitHub>;

beforeAll(async () => {
  stage = await startWithDemo();
  proxy = createServer((request, response) => void passOn(request, response));
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
});

/** To the emulator, and its answer back. */
async function passOn(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body: Buffer[] = [];
  for await (const chunk of request) body.push(chunk as Buffer);
  const { 'if-none-match': match, authorization = '' } = request.headers;
  const answer = await fetch(`${stage.emulator.apiUrl}${request.url}`, {
    method: request.method ?? 'GET',
    headers: { authorization, ...(match === undefined ? {} : { 'if-none-match': match }) },
    ...(body.length > 0 ? { body: Buffer.concat(body) } : {}),
  });
  answers.push({ url: request.url ?? '', status: answer.status });
  const { link, etag } = Object.fromEntries(answer.headers);
  response.writeHead(answer.status, {
    'content-type': 'application/json',
    ...(link === undefined ? {} : { link }),
    ...(etag === undefined ? {} : { etag }),
  });
  response.end(Buffer.from(await answer.arrayBuffer()));
}
afterAll(async () => {
  proxy.close();
  proxy.closeAllConnections();
  await stage.emulator.close();
});
beforeEach(() => {
  answers = [];
  github = createGitHub({
    apiUrl: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    token: 'token-octo',
    waits: { current: () => Promise.resolve(undefined), hold: () => Promise.reject(new Error('nobody waits')) },
  });
});

describe('failed deliveries', () => {
  let receiver: Receiver;
  let hook: typeof REPOSITORY & { hookId: number };

  beforeAll(async () => {
    receiver = await Receiver.start();
    receiver.status = 503;
    hook = { ...REPOSITORY, hookId: await addHook(stage.octo, receiver, ['issues']) };
    await stage.octo.issues.create({ ...DEMO, title: 'not heard', labels: ['run:dev'] });
  });
  afterAll(async () => {
    await stage.octo.repos.deleteWebhook({ ...DEMO, hook_id: hook.hookId });
    await receiver.close();
  });

  test('are listed with what the server answered', async () => {
    await expect.poll(async () => (await github.listFailedDeliveries(hook, LONG_AGO)).attempts.length).toBe(3);
    const { attempts, complete } = await github.listFailedDeliveries(hook, LONG_AGO);
    expect(complete).toBe(true);
    expect(attempts.map(({ statusCode, throttledAt }) => ({ statusCode, throttledAt }))).toEqual(
      Array.from({ length: 3 }, () => ({ statusCode: 503, throttledAt: null })),
    );
  });

  test('from before a moment are not listed', async () => {
    const { attempts } = await github.listFailedDeliveries(hook, new Date(Date.now() + 1000).toISOString());
    expect(attempts).toEqual([]);
  });

  test('cost nothing of the rate limit while there is no new one', async () => {
    const first = await github.listFailedDeliveries(hook, LONG_AGO);
    expect(await github.listFailedDeliveries(hook, LONG_AGO)).toEqual(first);
    expect(answers.map(({ status }) => status)).toEqual([200, 304]);
  });

  test('are sent again with the same guid, and never by GitHub itself', async () => {
    const { attempts } = await github.listFailedDeliveries(hook, LONG_AGO);
    const before = receiver.received.length;
    expect(before).toBe(3);
    receiver.status = 200;
    const oldest = attempts.at(-1);
    await github.redeliver(hook, oldest?.id ?? 0);
    await expect.poll(() => receiver.received.length).toBe(before + 1);
    expect(receiver.received.at(-1)?.headers['x-github-delivery']).toBe(oldest?.guid);
    const newest = async () =>
      (await stage.octo.repos.listWebhookDeliveries({ ...DEMO, hook_id: hook.hookId })).data[0];
    await expect.poll(newest).toMatchObject({ guid: oldest?.guid, redelivery: true, status_code: 200 });
    const still = await github.listFailedDeliveries(hook, LONG_AGO);
    expect(still.attempts.map(({ id }) => id)).toEqual(attempts.map(({ id }) => id));
  });

  test('are read page by page', async () => {
    receiver.status = 503;
    for (let count = 0; count < 120; count += 1) {
      await stage.octo.repos.pingWebhook({ ...DEMO, hook_id: hook.hookId });
    }
    const listed = async () => (await github.listFailedDeliveries(hook, LONG_AGO)).attempts.map(({ id }) => id);
    await expect.poll(async () => (await listed()).length, { timeout: 90_000 }).toBe(123);
    expect(new Set(await listed()).size).toBe(123);
  });
});

describe('what changed', () => {
  test('is listed with what it is now', async () => {
    const { data } = await stage.octo.issues.create({ ...DEMO, title: 'changed', labels: ['run:dev'] });
    const { items, complete } = await github.listChanged(REPOSITORY, LONG_AGO);
    expect(complete).toBe(true);
    expect(items.at(-1)).toMatchObject({
      number: data.number,
      title: 'changed',
      url: data.html_url,
      isPullRequest: false,
      open: true,
      labels: ['run:dev'],
    });
  });

  test('before a moment is not listed', async () => {
    const { items } = await github.listChanged(REPOSITORY, new Date(Date.now() + 1000).toISOString());
    expect(items).toEqual([]);
  });

  test('costs nothing of the rate limit while nothing changes', async () => {
    await github.listChanged(REPOSITORY, LONG_AGO);
    await github.listChanged(REPOSITORY, new Date().toISOString());
    expect(answers.map(({ status }) => status)).toEqual([200, 304]);
  });

  test('is reported again when something changed in between', async () => {
    await github.listChanged(REPOSITORY, LONG_AGO);
    const { data } = await stage.octo.issues.create({ ...DEMO, title: 'in between' });
    const { items } = await github.listChanged(REPOSITORY, LONG_AGO);
    expect(items.at(-1)?.number).toBe(data.number);
  });

  test('counts more than one page', async () => {
    for (let count = 0; count < 130; count += 1) await stage.octo.issues.create({ ...DEMO, title: `issue ${count}` });
    const { items, complete } = await github.listChanged(REPOSITORY, LONG_AGO);
    expect(complete).toBe(true);
    const numbers = items.map(({ number }) => number);
    expect(numbers).toEqual([...new Set(numbers)]);
    expect(numbers.length).toBeGreaterThan(130);
    expect(items.map(({ updatedAt }) => updatedAt)).toEqual(items.map(({ updatedAt }) => updatedAt).toSorted());
  });

  test('includes a pull request that was reviewed, and one that was closed', async () => {
    const number = await openPull(stage, { branch: 'codex/issue-1', files: { 'a.txt': 'a\n' } });
    const changed = async () => (await github.listChanged(REPOSITORY, since)).items;
    let since = new Date(Date.now() + 1).toISOString();
    await stage.octo.pulls.createReview({ ...DEMO, pull_number: number, event: 'REQUEST_CHANGES', body: 'no' });
    expect(await changed()).toEqual([expect.objectContaining({ number, isPullRequest: true, open: true })]);
    since = new Date(Date.now() + 1).toISOString();
    await stage.octo.pulls.update({ ...DEMO, pull_number: number, state: 'closed' });
    expect(await changed()).toEqual([expect.objectContaining({ number, open: false, merged: false })]);
    expect(await github.readBranch(REPOSITORY, number)).toEqual({ headRef: 'codex/issue-1', headRepositoryId: 1 });
  });
});

test('a history is of labels, closes and reopenings, oldest first', async () => {
  const { data } = await stage.octo.issues.create({ ...DEMO, title: 'a life' });
  const at = { ...DEMO, issue_number: data.number };
  await stage.octo.issues.addLabels({ ...at, labels: ['Run:Dev'] });
  await stage.octo.issues.createComment({ ...at, body: 'hm' });
  await stage.octo.issues.removeLabel({ ...at, name: 'Run:Dev' });
  await stage.octo.issues.update({ ...at, state: 'closed' });
  await stage.octo.issues.update({ ...at, state: 'open' });
  const history = await github.readHistory({ ...REPOSITORY, number: data.number });
  expect(history.map(({ event, label, by }) => [event, label, by.login])).toEqual([
    ['labeled', 'run:dev', 'octo'],
    ['unlabeled', 'run:dev', 'octo'],
    ['closed', null, 'octo'],
    ['reopened', null, 'octo'],
  ]);
  expect(history.map(({ id }) => id)).toEqual(history.map(({ id }) => id).toSorted((a, b) => a - b));
});

describe('requests for changes', () => {
  let number: number;
  const asked = async () => (await github.readChangeRequests(REPOSITORY, number)).map(({ id }) => id);
  const review = async (event: 'REQUEST_CHANGES' | 'APPROVE' | 'COMMENT', token = 'token-octo') =>
    (await client(stage.emulator, token).pulls.createReview({ ...DEMO, pull_number: number, event, body: 'hm' })).data
      .id;

  beforeAll(async () => {
    number = await openPull(stage, { branch: 'codex/issue-2', files: { 'b.txt': 'b\n' } });
  });

  test('are the newest of each reviewer', async () => {
    await review('REQUEST_CHANGES');
    const second = await review('REQUEST_CHANGES');
    const other = await review('REQUEST_CHANGES', 'token-reviewer');
    await review('COMMENT');
    expect(await asked()).toEqual([second, other]);
  });

  test('end with an approval', async () => {
    await review('APPROVE');
    await review('APPROVE', 'token-reviewer');
    expect(await asked()).toEqual([]);
  });
});

describe('where two branches part', () => {
  const repository = { ...REPOSITORY, repositoryId: 1, number: 1 };
  const commit = async (branch: string, path: string) =>
    client(stage.emulator).repos.createOrUpdateFileContents({
      ...DEMO,
      branch,
      path,
      message: path,
      content: Buffer.from(path).toString('base64'),
    });

  test('is reported also when both have continued', async () => {
    const parting = (await github.readBranchHead(repository, 'main')) ?? '';
    await client(stage.emulator).git.createRef({ ...DEMO, ref: 'refs/heads/parting', sha: parting });
    await commit('parting', 'theirs.txt');
    await commit('main', 'ours.txt');
    expect(await github.readMergeBase(repository, 'main', 'parting')).toBe(parting);
  });

  test('is nowhere for a branch that is gone', async () => {
    expect(await github.readMergeBase(repository, 'main', 'no-such-branch')).toBeNull();
  });
});

describe('A2: branches that git cannot have beside another', () => {
  const repository = { ...REPOSITORY, repositoryId: 1, number: 1 };

  test('are those that are a part of its name, and those below it', async () => {
    const sha = (await github.readBranchHead(repository, 'main')) ?? '';
    for (const name of ['bots', 'codex/issue-7/one', 'codex/issue-7/two', 'codex/issue-77', 'codex-other'])
      await client(stage.emulator).git.createRef({ ...DEMO, ref: `refs/heads/${name}`, sha });
    expect(await github.findBranchesInTheWay(repository, 'bots/codex/issue-7')).toEqual(['bots']);
    expect(await github.findBranchesInTheWay(repository, 'codex/issue-7')).toEqual([
      'codex/issue-7/one',
      'codex/issue-7/two',
    ]);
    expect(await github.findBranchesInTheWay(repository, 'codex/issue-8')).toEqual([]);
  });
});
