/** `webhook send` against a real webhook: its database is real, and so is the GitHub that knows some of the objects. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAdaptorServer } from '@hono/node-server';
import { Command } from 'commander';
import { Hono } from 'hono';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createGitHubWebhook } from '../../../ingress/github-webhook/route.ts';
import { addWebhookCommands } from '../../../src/cli/commands/webhook.ts';
import { meaningOf, type WebhookAddress } from '../../../src/cli/webhook-simulator/send.ts';
import { createIntake } from '../../../src/store/intake/intake.ts';
import { addPerson, bindRepository, ensureProject } from '../../../src/store/projects/repositories.ts';
import { deliveries, projectMembers } from '../../../src/store/connection/schema.ts';
import { startGitHubEmulator, type GitHubEmulator } from '../../../src/emulators/github/server.ts';
import { client, freshDirectory } from '../../emulators/github/emulator.ts';
import { useTables } from '../../support/tables.ts';

const SECRET = 'the secret of the tests';
const tables = useTables();

let github: GitHubEmulator;
let server: Server;
let address: WebhookAddress;
/** What was printed, with what was told beside it. */
let output = '';
let printed = '';
/** Of the last delivery. */
let lastBody = '';

beforeAll(async () => {
  github = await startGitHubEmulator({
    dataDir: await freshDirectory(),
    accounts: ['olivia', 'rita'].map((login) => ({ login, token: `token-${login}`, type: 'User' as const })),
  });
  const olivia = client(github, 'token-olivia');
  for (const name of ['mine', 'other']) await olivia.repos.createForAuthenticatedUser({ name });
  const mine = { owner: 'olivia', repo: 'mine' };
  await olivia.issues.create({ ...mine, title: 'A wish', labels: ['bug'] });
  const webhook = createGitHubWebhook({ intake: createIntake(tables.db), secrets: [SECRET] });
  const site = new Hono()
    .use(async (context, next) => {
      lastBody = await context.req.raw.clone().text();
      await next();
    })
    .route('/api/v1/webhooks/github', webhook);
  server = createAdaptorServer({ fetch: site.fetch }) as Server;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  address = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/webhooks/github`,
    secret: SECRET,
    gitHub: { apiUrl: github.apiUrl, token: 'token-olivia' },
    sender: 'olivia',
  };
});
afterAll(async () => {
  server?.closeAllConnections();
  server?.close();
  await github?.close();
});
beforeEach(() => {
  output = '';
  printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    output += String(chunk);
    printed += String(chunk);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    output += String(chunk);
    return true;
  });
  vi.spyOn(process, 'exit').mockImplementation((code) => {
    throw new Error(`exit ${code}`);
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

/** Types `webhook send …`; returns its exit code. */
async function send(line: string, to: Partial<WebhookAddress> = {}): Promise<number> {
  const program = new Command('codex-k8s');
  addWebhookCommands(program, { resolveWebhook: async () => ({ ...address, ...to }) });
  try {
    await program.parseAsync(['webhook', 'send', ...line.split(' ')], { from: 'user' });
  } catch (error) {
    const code = /^exit (\d+)$/.exec((error as Error).message)?.[1];
    if (code === undefined) throw error;
    return Number(code);
  }
  return Number(process.exitCode ?? 0);
}

interface Sent {
  readonly event: string;
  readonly madeUp: readonly string[];
  readonly answers: readonly {
    readonly id: string;
    readonly status: number;
    readonly body: Readonly<Record<string, unknown>>;
    readonly meaning: string;
  }[];
}

/** Types `webhook send … --json`; returns what it printed. */
async function sent(line: string): Promise<Sent> {
  printed = '';
  await send(`${line} --json`);
  return JSON.parse(printed) as Sent;
}

/** What was sent last. */
function lastSent(): Record<string, unknown> {
  return JSON.parse(lastBody) as Record<string, unknown>;
}

describe('every row of docs/operations.md is answered as it says', () => {
  const page = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| (\d+|\+) \| `([^`]+)` \| (\d{3}) (\w+) \|/gm)].map(
    ([, row = '', line = '', status = '', reason = '']) => [row, line, Number(status), reason] as const,
  );
  /** What the table says is done before a row. */
  const before: Record<string, () => Promise<void>> = {
    '7': async () => makeRita(await ensureProject(tables.db, 'elsewhere')),
    '8': async () => makeRita(await ensureProject(tables.db, 'default')),
    '9': async () => void (await tables.db.update(projectMembers).set({ role: '' as 'read' })),
  };

  async function makeRita(projectId: string): Promise<void> {
    await addPerson(tables.db, await accountOf('rita'), 'read', projectId);
  }

  async function accountOf(login: string): Promise<{ id: number; login: string }> {
    const { data } = await client(github, 'token-olivia').users.getByUsername({ username: login });
    return { id: data.id, login };
  }

  beforeAll(async () => {
    await tables.clear();
    const projectId = await ensureProject(tables.db, 'default');
    const { data } = await client(github, 'token-olivia').repos.get({ owner: 'olivia', repo: 'mine' });
    await bindRepository(tables.db, { id: data.id, owner: 'olivia', name: 'mine', projectId });
    await addPerson(tables.db, await accountOf('olivia'), 'platform_owner', projectId);
  });

  test('and none is missing but what is not built', () => {
    const named = new Set(rows.map(([row]) => Number(row)));
    const all = Array.from({ length: 26 }, (_, index) => index + 1);
    expect(all.filter((row) => !named.has(row))).toEqual([23]);
  });

  test.each(rows)('%s: %s', async (row, line, status, reason) => {
    await before[row]?.();
    const { answers } = await sent(line);
    const last = answers.at(-1);
    expect([last?.status, last?.body['reason']]).toEqual([status, reason]);
    if (row === '2') expect(last?.body).toEqual({ ...answers[0]?.body, status: 'duplicate', duplicate: true });
  });
});

describe('a made-up delivery', () => {
  test('says in words what the answer means', async () => {
    expect(await send('edited --repository olivia/mine --issue 1')).toBe(0);
    expect(printed.split('\n')).toEqual([
      expect.stringMatching(/^issues\.edited [0-9a-f-]{36} to http:.*\/webhooks\/github$/) as string,
      expect.stringMatching(/^200 \{"correlation_id":.*"status":"ignored"/) as string,
      'Ignored. No label that starts a run was added.',
      '',
    ]);
  });

  test('shows the objects that GitHub shows', async () => {
    await tables.clear();
    expect(await sent('labeled --repository olivia/mine --issue 1 --label run:dev')).toMatchObject({ madeUp: [] });
    expect(lastSent()).toMatchObject({
      action: 'labeled',
      repository: { full_name: 'olivia/mine', default_branch: 'main' },
      sender: { login: 'olivia', type: 'User' },
      issue: { number: 1, title: 'A wish', labels: [{ name: 'bug' }, { name: 'run:dev' }] },
      label: { name: 'run:dev' },
    });
  });

  test('names what it made up, the same each time', async () => {
    await tables.clear();
    const line =
      'review --repository nobody/nothing --pull-request 9 --issue 4 --state approved --sender phantom --subject-id 5';
    const { madeUp } = await sent(line);
    expect(madeUp).toEqual(['the repository nobody/nothing', 'the account phantom', 'the pull request #9']);
    const first = lastSent();
    expect(first).toMatchObject({
      review: { id: 5, state: 'approved' },
      pull_request: {
        number: 9,
        head: { ref: 'codex/issue-4', repo: { id: (first['repository'] as { id: number }).id } },
      },
    });
    await tables.clear();
    await sent(line);
    expect(lastSent()['repository']).toEqual(first['repository']);
  });

  test('without GitHub is made up whole', async () => {
    await tables.clear();
    expect(await send('closed --repository olivia/mine --issue 1', { gitHub: undefined })).toBe(0);
    expect(output).toContain('the repository olivia/mine, the account olivia, the issue #1');
  });

  test('takes labels off', async () => {
    await tables.clear();
    await sent('unlabeled --repository olivia/mine --issue 1 --label BUG');
    expect(lastSent()).toMatchObject({ issue: { labels: [] }, label: { name: 'BUG' } });
  });

  test('is sent so often, each time with another id unless one is given', async () => {
    await tables.clear();
    const many = await sent('ping --repository olivia/mine --repeat 3');
    const same = await sent('ping --repository olivia/mine --repeat 3 --id a-guid');
    expect(new Set(many.answers.map(({ id }) => id)).size).toBe(3);
    expect(same.answers.map(({ status, body }) => [status, body['duplicate']])).toEqual([
      [202, false],
      [200, true],
      [200, true],
    ]);
    expect(await tables.db.$count(deliveries)).toBe(4);
  });
});

describe('a recorded delivery', () => {
  const directory = mkdtempSync(join(tmpdir(), 'webhook-send-'));
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };

  test('is sent as the bytes that it is', async () => {
    const text = '{ "zen":  "Keep it logically awesome." }\n';
    expect(await send(`--event ping --payload ${file('ping.json', text)}`)).toBe(0);
    expect(lastBody).toBe(text);
  });

  test('that does not fit its event is refused, and ends with 1', async () => {
    expect(await send(`--event issues --payload ${file('none.json', '{}')}`)).toBe(1);
    expect(output).toMatch(/\n400 .*\nRejected and not stored: the body is not that of the event issues\.\n$/);
  });

  test('that cannot be read ends with 2', async () => {
    expect(await send('--event issues --payload /nowhere/at-all.json')).toBe(2);
    expect(output).toContain('/nowhere/at-all.json cannot be read');
  });
});

describe('what is asked wrongly ends with 2', () => {
  const issue = '--repository olivia/mine --issue 1';
  test.each([
    ['--event issues', 'Name the kind of delivery to simulate'],
    [`labeled ${issue} --label x --payload f`, '--event and --payload are for recorded deliveries only'],
    ['labeled --issue 1 --label x', 'Give --repository OWNER/NAME'],
    ['labeled --repository mine --issue 1 --label x', 'is not a repository'],
    [`labeled ${issue}`, 'Give --label NAME'],
    ['closed --repository olivia/mine', 'Give --issue N'],
    ['comment --repository olivia/mine', 'Give --issue N or --pull-request N'],
    [`review ${issue} --state approved`, 'Give --pull-request N'],
    [`review ${issue} --pull-request 2`, 'Give --state STATE'],
    [`review ${issue} --pull-request 2 --state maybe`, 'Allowed choices are'],
    [`exploded ${issue}`, 'Allowed choices are'],
    [`closed ${issue} --repeat 0`, 'Give a whole number'],
    [`closed ${issue} --repeat 1001`, 'from 1 to 1000'],
  ])('%s', async (line, told) => {
    expect(await send(line)).toBe(2);
    expect(output).toContain(told);
  });

  test('nobody to have done it', async () => {
    expect(await send(`closed ${issue}`, { sender: undefined })).toBe(2);
    expect(output).toContain('Give --sender LOGIN, or --no-sender');
  });
});

describe('what goes wrong ends with 1', () => {
  test('another secret', async () => {
    expect(await send('ping --repository olivia/mine', { secret: 'some other secret' })).toBe(1);
    expect(output).toContain('Check that the webhook secret is that of the server');
  });

  test('nobody there', async () => {
    const gone = createServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const url = `http://127.0.0.1:${(gone.address() as AddressInfo).port}/`;
    await new Promise((resolve) => gone.close(resolve));
    expect(await send('ping --repository olivia/mine', { url })).toBe(1);
    expect(output).toContain(`${url} cannot be reached (ECONNREFUSED)`);
    expect(await send('ping --repository olivia/mine', { gitHub: { apiUrl: url, token: '' } })).toBe(1);
    expect(output).toContain('GitHub request failed');
  });
});

test.each([
  [202, { reason: 'platform_owner', run_id: 'r' }, 'Accepted: the sender is a platform owner. It requests run r.'],
  [202, { reason: 'recorded' }, 'Recorded; no action follows from it.'],
  [
    200,
    { status: 'duplicate', reason: 'recorded' },
    'was stored before and is not processed again. First response: Recorded',
  ],
  [413, { message: 'the body is larger' }, 'Rejected and not stored: the body is larger.'],
  [503, { message: 'it could not be kept in time' }, 'Not stored: it could not be kept in time. Retry after 30 s.'],
  [502, 'Bad Gateway', 'Unexpected response, not from the webhook.'],
])('%i %j means something', (status, body, meaning) => {
  expect(meaningOf(status, body, '30')).toContain(meaning);
});
