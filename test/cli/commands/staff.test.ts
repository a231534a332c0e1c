import { Command } from 'commander';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { addStaffCommands } from '../../../src/cli/commands/staff.ts';
import { processTerminal } from '../../../src/terminal/terminal.ts';
import { connect, type Connection } from '../../../src/store/connection/database.ts';
import { startTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { STAFF_TOKEN } from '../../ingress/dashboard/support/site.ts';
import { bind, putRun, runId } from '../../ingress/dashboard/support/world.ts';
import { openDesk, type Desk } from '../support.ts';

let database: TestDatabase;
let connection: Connection;
let desk: Desk;
let output = '';

beforeAll(async () => {
  database = await startTestDatabase();
  connection = connect(database.url, { name: 'test' });
  desk = await openDesk(connection);
  await bind(connection.db);
  await putRun(connection.db, 1);
});
afterAll(async () => {
  await desk?.close();
  await connection?.close();
  await database?.stop();
});
beforeEach(() => {
  output = '';
  const write = (chunk: unknown): boolean => {
    output += String(chunk);
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(write);
  vi.spyOn(process.stderr, 'write').mockImplementation(write);
  vi.spyOn(process, 'exit').mockImplementation((code) => {
    throw new Error(`exit ${code}`);
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

const asked: (string | undefined)[] = [];

/** Types a command; returns its exit code. */
async function type(line: string): Promise<number> {
  const program = new Command('codex-k8s');
  const resolveApi = async (data?: string): Promise<{ url: string; staffToken: string }> => {
    asked.push(data);
    return { url: desk.url, staffToken: STAFF_TOKEN };
  };
  addStaffCommands(program, { resolveApi });
  try {
    await program.parseAsync(line.split(' '), { from: 'user' });
  } catch (error) {
    const code = /^exit (\d+)$/.exec((error as Error).message)?.[1];
    if (code === undefined) throw error;
    return Number(code);
  }
  return Number(process.exitCode ?? 0);
}

describe('a command', () => {
  test('that succeeds ends with 0', async () => {
    expect([await type('runs list'), output]).toEqual([0, expect.stringContaining('0198c0de') as string]);
  });

  test('whose request fails ends with 1 and a sentence', async () => {
    expect([await type('runs show abcdef12'), output]).toEqual([
      1,
      'Run abcdef12 not found; `codex-k8s runs list` lists the runs\n',
    ]);
  });

  test.each([
    'runs list --status asleep',
    'runs list --limit 0',
    'runs list --limit many',
    'runs show',
    'runs show x',
    'runs bogus',
    'issues list --state asleep',
    'members add olivia',
    'members add olivia --role king',
    'repositories add acme',
    'labels sync',
    'labels sync acme',
  ])('that is wrong ends with 2: %s', async (line) => {
    expect(await type(line)).toBe(2);
  });

  test('explains itself and ends with 0', async () => {
    expect([await type('runs logs --help'), output]).toEqual([0, expect.stringContaining('--follow') as string]);
  });

  test('prints JSON when it is asked to', async () => {
    await type('runs list --json --limit 1');
    expect(JSON.parse(output)).toMatchObject({ items: [{ id: runId(1) }] });
  });

  test('looks where --data says', async () => {
    await type('runs list --data /somewhere');
    expect(asked.at(-1)).toBe('/somewhere');
  });
});

test('the groups are given back, so that others can add to them', () => {
  const program = new Command();
  const { runs, issues } = addStaffCommands(program, { resolveApi: async () => ({ url: '', staffToken: '' }) });
  expect([runs.name(), issues.name()]).toEqual(['runs', 'issues']);
});

test.each([
  [true, {}, true],
  [true, { NO_COLOR: '1' }, false],
  [true, { NO_COLOR: '' }, true],
  [false, {}, false],
])('a terminal that is a TTY: %s, with %j, has colours: %s', (tty, env, color) => {
  const before = process.stdout.isTTY;
  process.stdout.isTTY = tty;
  try {
    expect(processTerminal(env).color).toBe(color);
  } finally {
    process.stdout.isTTY = before;
  }
});
