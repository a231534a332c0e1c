import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { issuesList, issuesShow } from '../../src/cli/commands/issues.ts';
import { labelsSync } from '../../src/cli/commands/labels.ts';
import { membersAdd, projectsSet, repositoriesAdd } from '../../src/cli/commands/repositories.ts';
import { runsLogs } from '../../src/cli/commands/run-log.ts';
import { runsAnswer, runsCancel, runsList, runsPause, runsResume, runsShow } from '../../src/cli/commands/runs.ts';
import { connect, type Connection } from '../../src/store/connection/database.ts';
import { ensureProject } from '../../src/store/projects/repositories.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import {
  bind,
  clear,
  keyOf,
  minutesAgo,
  putAskingRun,
  putEvent,
  putIssue,
  putLines,
  putPausedRun,
  putRun,
  runId,
} from '../ingress/dashboard/support/world.ts';
import { LABEL_CHANGES } from '../ingress/dashboard/support/site.ts';
import { openDesk, type Desk } from './support.ts';

let database: TestDatabase;
let connection: Connection;
let desk: Desk;

beforeAll(async () => {
  database = await startTestDatabase();
  connection = connect(database.url, { name: 'test' });
  desk = await openDesk(connection);
});
afterAll(async () => {
  await desk?.close();
  await connection?.close();
  await database?.stop();
});
beforeEach(async () => {
  await clear(connection.db);
  await bind(connection.db);
  desk.site.canceled.length = 0;
  desk.site.bound.length = 0;
});

describe('runs list', () => {
  test('prints aligned columns', async () => {
    await putRun(connection.db, 1, { status: 'failed', failure: 'no_changes' });
    await putRun(connection.db, 2, { kind: 'revise', pullRequest: 7 });
    const session = desk.session();
    await runsList(session, {});
    const at = session.printed[0]?.indexOf('STATUS') ?? -1;
    expect(session.printed.slice(1).map((line) => line.slice(at).split('  ')[0])).toEqual([
      'failed: no_changes',
      'working',
    ]);
  });

  test('colours nothing unless it may', async () => {
    await putRun(connection.db, 1);
    const [bare, coloured] = [desk.session(), desk.session({ color: true })];
    await runsList(bare, {});
    await runsList(coloured, {});
    expect([bare.printed.join('').includes('\u001B'), coloured.printed.join('').includes('\u001B')]).toEqual([
      false,
      true,
    ]);
  });

  test('aligns coloured columns as it does bare ones', async () => {
    await putRun(connection.db, 1);
    const [bare, coloured] = [desk.session(), desk.session({ color: true })];
    await runsList(bare, {});
    await runsList(coloured, {});
    // oxlint-disable-next-line no-control-regex
    expect(coloured.printed.map((line) => line.replaceAll(/\u001B\[\d+m/g, '').trimEnd())).toEqual(bare.printed);
  });

  test('prints what the API answered with --json', async () => {
    await putRun(connection.db, 1);
    const session = desk.session({ json: true });
    await runsList(session, {});
    expect(JSON.parse(session.printed.join('\n'))).toMatchObject({ items: [{ id: runId(1) }], next: null });
  });

  test('finds the runs of an issue by its name', async () => {
    await putIssue(connection.db, 9);
    await putRun(connection.db, 1);
    await putRun(connection.db, 2, { issueNumber: 9 });
    const session = desk.session({ json: true });
    await runsList(session, { issue: 'acme/shop#9' });
    expect(JSON.parse(session.printed.join('\n'))).toMatchObject({ items: [{ id: runId(2) }] });
  });

  test('says what to do when there is none', async () => {
    const session = desk.session();
    await runsList(session, {});
    expect(session.printed.join('\n')).toContain('Put the label run:dev on an issue');
  });
});

describe('runs show', () => {
  test('tells why a run failed, what to do next and what happened', async () => {
    await putIssue(connection.db, 1, { title: 'Add it' });
    await putRun(connection.db, 1, { status: 'failed', failure: 'clone_failed', detail: 'fatal: not found' });
    await putEvent(connection.db, { id: 'e', type: 'run.requested', runId: runId(1) });
    const session = desk.session();
    await runsShow(session, runId(1));
    expect(session.printed.join('\n')).toMatch(
      /run:dev for acme\/shop#1 “Add it”\nfailed: The repository could not be cloned.\nWhat next: [^\n]+\n {2}fatal: not found\n[^]*The run was requested/,
    );
  });

  test('takes the beginning of an id', async () => {
    await putRun(connection.db, 1, { id: 'abcdef01-0000-4000-8000-000000000000' });
    await putRun(connection.db, 2);
    const session = desk.session({ json: true });
    await runsShow(session, 'ABCDEF');
    expect(JSON.parse(session.printed.join('\n'))).toMatchObject({ id: 'abcdef01-0000-4000-8000-000000000000' });
  });

  test('asks for more when several runs begin like that', async () => {
    for (const n of [1, 2]) await putRun(connection.db, n);
    await expect(runsShow(desk.session(), '0198c0')).rejects.toMatchObject({
      message: expect.stringContaining('Run id 0198c0 is ambiguous') as string,
      exitCode: 1,
    });
  });

  test.each(['abcdef', runId(9)])('says that there is no run %s, and where to look', async (given) => {
    await expect(runsShow(desk.session(), given)).rejects.toMatchObject({
      message: `Run ${given} not found; \`codex-k8s runs list\` lists the runs`,
      exitCode: 1,
    });
  });

  test.each(['abc', 'not-an-id', ''])('takes %j as wrong usage', async (given) => {
    await expect(runsShow(desk.session(), given)).rejects.toMatchObject({ exitCode: 2 });
  });

  test('lets nothing that a stranger wrote move the cursor', async () => {
    await putIssue(connection.db, 1, { title: 'evil \u001B[2J\u009B2J title' });
    await putRun(connection.db, 1);
    const session = desk.session();
    await runsShow(session, runId(1));
    expect(session.printed.join('')).toContain('evil [2J2J title');
  });
});

describe('runs logs', () => {
  test('prints every line of a long log once', async () => {
    await putRun(connection.db, 1, { status: 'succeeded' });
    await putLines(
      connection.db,
      runId(1),
      Array.from({ length: 2100 }, (_, n) => ({ n })),
    );
    const session = desk.session();
    await runsLogs(session, runId(1), {});
    expect(session.printed.map((line) => line.trim().split(/\s+/).at(-1))).toEqual(
      Array.from({ length: 2100 }, (_, n) => String(n)),
    );
  });

  test('names the kind once and indents what follows', async () => {
    await putRun(connection.db, 1);
    await putLines(connection.db, runId(1), [{ n: 0, kind: 'command', text: 'npm test\n--all' }]);
    const session = desk.session();
    await runsLogs(session, runId(1), {});
    expect(session.printed).toEqual(['command    npm test', '           --all']);
  });

  test('prints a line of JSON for each with --json', async () => {
    await putRun(connection.db, 1);
    await putLines(connection.db, runId(1), [{ n: 0 }, { n: 1 }]);
    const session = desk.session({ json: true });
    await runsLogs(session, runId(1), { after: 0 });
    expect(session.printed.map((line) => JSON.parse(line) as unknown)).toMatchObject([{ n: 1, text: 'line 1' }]);
  });

  test('follows until the run is over', async () => {
    await putRun(connection.db, 1);
    await putLines(connection.db, runId(1), [{ n: 0 }]);
    const session = desk.session();
    const following = runsLogs(session, runId(1), { follow: true });
    await putLines(connection.db, runId(1), [{ n: 1 }]);
    await putRun(connection.db, 1, { status: 'succeeded', revision: 2 });
    await following;
    expect([session.printed, session.said]).toEqual([
      ['output     line 0', 'output     line 1'],
      ['The run succeeded.'],
    ]);
  });
});

describe('runs cancel', () => {
  test('asks for the end in the name of whoever types', async () => {
    await putRun(connection.db, 1);
    const session = desk.session();
    await runsCancel(session, runId(1), { reason: 'enough', by: 'olivia' });
    expect(desk.site.canceled).toEqual([{ issueKey: keyOf(1), runId: runId(1), actor: 'olivia', reason: 'enough' }]);
  });

  test('says that the run is over already', async () => {
    await putRun(connection.db, 1, { status: 'succeeded' });
    await expect(runsCancel(desk.session(), runId(1), {})).rejects.toMatchObject({
      message: 'Run 0198c0de is over: the run has ended already, as succeeded',
      exitCode: 1,
    });
  });
});

describe('runs that wait', () => {
  const QUESTION = { text: 'Which format?', options: ['JSON', 'CSV'] };

  test('are listed with what they wait for', async () => {
    await putAskingRun(connection.db, 1, QUESTION);
    await putPausedRun(connection.db, 2);
    const session = desk.session();
    await runsList(session, {});
    expect(session.printed[1]).toContain('waiting: an answer');
    expect(session.printed[2]).toContain('waiting: paused');
  });

  test('show the question, its options and how to answer', async () => {
    await putAskingRun(connection.db, 1, QUESTION);
    const session = desk.session();
    await runsShow(session, runId(1));
    const printed = session.printed.join('\n');
    expect(printed).toContain(
      '  Which format?\n\n  1. JSON\n  2. CSV\n  The number or the words of an option answer it',
    );
    expect(printed).toContain('codex-k8s runs answer 0198c0de TEXT');
  });

  test('are answered, paused and resumed in the name of whoever types', async () => {
    await putAskingRun(connection.db, 1, QUESTION);
    desk.site.updated.length = 0;
    const session = desk.session();
    await runsAnswer(session, runId(1), 'CSV', { by: 'olivia' });
    await runsPause(session, runId(1), { by: 'olivia', reason: 'lunch' });
    await runsResume(session, runId(1), { by: 'olivia', note: 'Go.' });
    const run = { runId: runId(1), actor: 'olivia' };
    expect(desk.site.updated).toEqual([
      { kind: 'answer', input: { ...run, requestId: `${runId(1)}.1`, text: 'CSV', surface: 'command_line' } },
      { kind: 'pause', input: { ...run, reason: 'lunch' } },
      { kind: 'resume', input: { ...run, note: 'Go.' } },
    ]);
    expect(session.printed[1]).toMatch(/^Answered “CSV”\. The agent of run 0198c0de goes on/);
  });

  test('show the question that is answered', async () => {
    await putAskingRun(connection.db, 1, QUESTION);
    const session = desk.session();
    await runsAnswer(session, runId(1), 'CSV', {});
    expect(session.printed[0]).toMatch(/^ {2}Which format\?\n\n {2}1\. JSON\n {2}2\. CSV\n/);
  });

  test('are not answered where they ask something else than is meant', async () => {
    await putAskingRun(connection.db, 1, QUESTION);
    desk.site.updated.length = 0;
    const session = desk.session();
    await runsAnswer(session, runId(1), 'CSV', { request: `${runId(1)}.7` });
    expect(desk.site.updated).toMatchObject([{ input: { requestId: `${runId(1)}.7` } }]);
    expect(session.printed).toHaveLength(1);
  });

  test('say in a sentence why there is nothing to answer', async () => {
    await putRun(connection.db, 1, { status: 'succeeded' });
    await expect(runsAnswer(desk.session(), runId(1), '1', {})).rejects.toMatchObject({
      message: 'Run 0198c0de asks nothing now: the run has ended already, as succeeded',
      exitCode: 1,
    });
  });

  test('say what to do instead where nothing is asked', async () => {
    await putPausedRun(connection.db, 1);
    await expect(runsAnswer(desk.session(), runId(1), '1', {})).rejects.toMatchObject({
      message: 'Run 0198c0de asks nothing now: it is paused: `runs resume` lets it go on',
    });
  });
});

describe('issues', () => {
  test('are listed with what they wait for', async () => {
    await putIssue(connection.db, 1, { waitingFor: 'review', queued: 2, title: 'Add it', updatedAt: minutesAgo(3) });
    const session = desk.session();
    await issuesList(session, {});
    expect(session.printed[1]).toMatch(/^acme\/shop#1 +waiting for a review, 2 queued +dev +- +3 min ago +Add it$/);
  });

  test('A5: are said to wait in words', async () => {
    await putIssue(connection.db, 1, { waitingFor: 'input', queued: 0, title: 'Add it', updatedAt: minutesAgo(3) });
    const session = desk.session();
    await issuesList(session, {});
    expect(session.printed[1]).toContain(' waiting for an answer ');
  });

  test.each(['acme/shop#1', 'acme/shop/1', 'https://github.example/acme/shop/issues/1', keyOf(1)])(
    'are shown by %s',
    async (name) => {
      await putIssue(connection.db, 1, { title: 'Add it' });
      await putRun(connection.db, 1);
      const session = desk.session();
      await issuesShow(session, name);
      expect(session.printed.join('\n')).toMatch(/acme\/shop#1 “Add it”[^]*RUN +LABEL[^]*0198c0de/);
    },
  );

  test('that are unknown are reported as unknown', async () => {
    await expect(issuesShow(desk.session(), 'acme/shop#9')).rejects.toMatchObject({
      message: expect.stringContaining('Issue acme/shop#9 not found') as string,
    });
  });

  test('that are none are wrong usage', async () => {
    await expect(issuesShow(desk.session(), 'twelve')).rejects.toMatchObject({ exitCode: 2 });
  });
});

describe('repositories and members', () => {
  test('are bound, and what to do next is said', async () => {
    const session = desk.session();
    await repositoriesAdd(session, 'acme/app', { project: 'trial' });
    expect(desk.site.bound).toEqual([{ fullName: 'acme/app', project: 'trial' }]);
    expect(session.printed).toEqual([
      'acme/app is bound to the project trial, with webhook 2.',
      'Labels of acme/app: 2 created, 1 corrected, 1 unchanged.',
      'Put the label agent:dev on one of its issues.',
    ]);
  });

  test('get a role', async () => {
    const session = desk.session();
    await membersAdd(session, 'olivia', { role: 'read_write' });
    expect(session.printed).toEqual(['@olivia is read_write in the project default.']);
  });
});

describe('a project', () => {
  test('is asked to choose something', async () => {
    await expect(projectsSet(desk.session(), 'trial', {})).rejects.toThrow(
      'give --locale, --agent, --command, --model, --reasoning, --namespace, --branch-prefix, --egress or --learning',
    );
  });

  test('gets agents, and a program of its own with its arguments', async () => {
    await ensureProject(connection.db, 'trial');
    const session = desk.session();
    await projectsSet(session, 'trial', { agent: 'claude' });
    await projectsSet(session, 'trial', { agent: 'command', command: 'my-agent --flag' });
    await projectsSet(session, 'trial', { command: '["my-agent", "two words"]' });
    await projectsSet(session, 'trial', { agent: 'default', command: 'default' });
    expect(session.printed.map((line) => /agent (.+?), model/.exec(line)?.[1])).toEqual([
      'claude',
      'command (command my-agent --flag)',
      'command (command my-agent two words)',
      "the platform's choice",
    ]);
    await expect(projectsSet(session, 'trial', { command: '[1]' })).rejects.toThrow('--command: give a program');
  });

  test('gets the addresses that its agents may reach, and “default” takes them away', async () => {
    await ensureProject(connection.db, 'trial');
    const session = desk.session();
    await projectsSet(session, 'trial', { egress: '203.0.113.0/24, 198.51.100.7' });
    await projectsSet(session, 'trial', { egress: 'default' });
    expect(session.printed.map((line) => line.split('additional egress ')[1])).toEqual([
      '203.0.113.0/24, 198.51.100.7/32, learning off.',
      'none, learning off.',
    ]);
  });

  test('gets a prefix for its branches, and “default” takes it away', async () => {
    await ensureProject(connection.db, 'trial');
    const session = desk.session();
    await projectsSet(session, 'trial', { branchPrefix: 'bots/codex' });
    await projectsSet(session, 'trial', { branchPrefix: 'default' });
    expect(session.printed.map((line) => /branches (\S+),/.exec(line)?.[1])).toEqual(['bots/codex/…', 'codex/…']);
  });

  test('refuses a prefix by which its branches are not known', async () => {
    await ensureProject(connection.db, 'trial');
    await expect(projectsSet(desk.session(), 'trial', { branchPrefix: 'bots' })).rejects.toThrow(
      'has the word “codex”',
    );
  });

  test.each([
    [
      'registry.npmjs.org',
      /--egress: registry\.npmjs\.org is not an address: a network policy can name addresses only/,
    ],
    ['203.0.113.0/24,', /--egress: an empty entry is neither/],
  ])('refuses %s as an address that its agents reach', async (egress, problem) => {
    await expect(projectsSet(desk.session(), 'trial', { egress })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(problem) as string,
    });
  });
});

describe('labels sync', () => {
  test('says what it created and what it corrected', async () => {
    const session = desk.session();
    await labelsSync(session, 'acme/app');
    expect(session.printed).toEqual([
      'created    run:dev, run:qa',
      'corrected  need:input',
      'Labels of acme/app: 2 created, 1 corrected, 1 unchanged.',
    ]);
  });

  test('prints what the API answered with --json', async () => {
    const session = desk.session({ json: true });
    await labelsSync(session, 'acme/app');
    expect(JSON.parse(session.printed.join('\n'))).toEqual({ fullName: 'acme/app', ...LABEL_CHANGES });
  });

  test('that GitHub cuts short says how to go on, and ends with 1', async () => {
    const session = desk.session();
    await expect(labelsSync(session, 'acme/limited')).rejects.toMatchObject({
      message:
        '2 labels are left. GitHub asks to wait until noon: enough. Then run `codex-k8s labels sync acme/limited` again.',
      exitCode: 1,
    });
    expect(session.printed.at(-1)).toBe('Labels of acme/limited: 2 created, 1 corrected, 1 unchanged.');
  });

  test('of a repository that is not bound says so', async () => {
    await expect(labelsSync(desk.session(), 'acme/unbound')).rejects.toMatchObject({
      message: 'acme/unbound is not bound',
      exitCode: 1,
    });
  });

  test('needs the name of a repository', async () => {
    await expect(labelsSync(desk.session(), 'acme')).rejects.toMatchObject({ exitCode: 2 });
  });
});

describe('what goes wrong', () => {
  test('a server that is away is reported, with the command that starts it', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await new Promise((resolve) => server.close(resolve));
    await expect(runsList(desk.session({ url }), {})).rejects.toMatchObject({
      message: `codex-k8s is not running at ${url}; start it with \`codex-k8s up\``,
      exitCode: 1,
    });
  });

  test('another token is reported as another one', async () => {
    await expect(runsList(desk.session({ staffToken: 'another' }), {})).rejects.toMatchObject({
      message: `The staff token is not the one of ${desk.url}`,
      exitCode: 1,
    });
  });

  test('what the API does not take is wrong usage', async () => {
    await expect(runsList(desk.session(), { repository: 'acme' })).rejects.toMatchObject({
      message: expect.stringContaining('must be OWNER/NAME') as string,
      exitCode: 2,
    });
  });
});
