/** Where no secret may be, looked at while an agent works: processes, logs, the agent's files, tables, histories. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunView } from '../../ingress/api/views.ts';
import { allPids, processesOf, readProc } from '../support/stack.ts';
import { agentOf, type AgentPlace } from './support/agents.ts';
import { closeScene, openScene, type Scene } from './support/scene.ts';

const REPO = 'secrets';

let scene: Scene;
let run: RunView;
let issue: number;
let agent: AgentPlace;
let workspace: string;
/** Every secret of the installation and the token of the run, by name. */
let secrets: Record<string, string>;
/** Keys of the scripted model, which are no secret. */
const OF_THE_SCRIPT: ReadonlySet<string> = new Set(['model-key', 'anthropic-key']);
const flags = mkdtempSync(join(tmpdir(), 'codex-k8s-e2e-flags-'));

beforeAll(async () => {
  scene = await openScene();
  await scene.bindRepository(REPO);
  const body = `wait-for: ${join(flags, 'go')}`;
  issue = await scene.person.openIssue(REPO, { title: 'Please [script: wait]', body });
  await scene.person.label(REPO, issue, 'run:dev');
  const { id } = await scene.started(REPO, issue);
  await scene.working(id, /until \[ -e/);
  run = await scene.run(id);
  agent = await agentOf(scene.stack.directory, run.workspace ?? '', id);
  workspace = join(scene.stack.directory, 'workspaces', run.workspace ?? '');
  const files = readdirSync(join(scene.stack.directory, 'secrets')).filter((name) => !OF_THE_SCRIPT.has(name));
  secrets = {
    ...Object.fromEntries(files.map((name) => [name, scene.stack.secret(name)])),
    'run-token': readFileSync(join(agent.directory, 'token'), 'utf8').trim(),
  };
});

afterAll(async () => {
  await closeScene(scene);
  rmSync(flags, { recursive: true, force: true });
});

/** The names of the secrets that stand in a text, as they are or as HTTP's Basic scheme writes them. */
function secretsIn(text: string): string[] {
  return Object.entries(secrets).flatMap(([name, value]) => {
    const basic = ['x-access-token', 'codex-k8s'].map((user) => Buffer.from(`${user}:${value}`).toString('base64'));
    return [value, ...basic].some((form) => text.includes(form)) ? [name] : [];
  });
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
}

/** Which of these texts hold which secret. */
function leaks(texts: Iterable<readonly [where: string, text: string]>): string[] {
  return [...texts].flatMap(([where, text]) => secretsIn(text).map((name) => `${name} in ${where}`));
}

/** Everything in a value as text, bytes too. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    const { type, data } = (inner ?? {}) as { type?: unknown; data?: unknown };
    return type === 'Buffer' && Array.isArray(data) ? Buffer.from(data as number[]).toString('utf8') : inner;
  });
}

async function tables(): Promise<[string, string][]> {
  const { sql } = scene;
  const names = await sql`
    select schemaname, tablename from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`;
  return Promise.all(
    names.map(async ({ schemaname, tablename }): Promise<[string, string]> => {
      const rows = await sql`select * from ${sql(String(schemaname))}.${sql(String(tablename))}`;
      return [`table ${tablename}`, textOf(rows)];
    }),
  );
}

async function histories(): Promise<[string, string][]> {
  const connection = await Connection.connect({ address: scene.stack.ready.temporalAddress });
  try {
    const { workflow } = new Client({ connection, namespace: 'codex-k8s' });
    return await Promise.all(
      [run.issueKey, `run:${run.id}`].map(async (id): Promise<[string, string]> => {
        const history = JSON.stringify(await workflow.getHandle(id).fetchHistory());
        const decoded = history.replaceAll(/"data":"([A-Za-z0-9+/=]+)"/g, (_, data: string) =>
          Buffer.from(data, 'base64').toString('utf8'),
        );
        return [`history of ${id}`, decoded];
      }),
    );
  } finally {
    await connection.close();
  }
}

test('there are secrets to look for, all of them long', () => {
  expect(Object.keys(secrets)).toEqual(
    expect.arrayContaining([
      'github-bot-token',
      'github-owner-token',
      'postgres-password',
      'run-token',
      'run-token-key',
      'staff-token',
      'webhook-secret',
    ]),
  );
  for (const value of Object.values(secrets)) expect(value.length).toBeGreaterThan(30);
});

describe.runIf(process.platform === 'linux')('while an agent works, no secret is', () => {
  test('in the command of any process', () => {
    const commands = allPids().map((pid) => [`the command of ${pid}`, readProc(pid, 'cmdline')] as const);
    expect(commands.some(([, command]) => command.includes(scene.stack.directory))).toBe(true);
    expect(leaks(commands)).toEqual([]);
  });

  test('in the environment of any process', () => {
    const environments = processesOf(scene.stack.directory).map(
      ({ pid, command }) => [`the environment of ${command.slice(0, 80)}`, readProc(pid, 'environ')] as const,
    );
    expect(environments.length).toBeGreaterThan(8);
    expect(leaks(environments)).toEqual([]);
  });
});

describe('no secret is', () => {
  test("in the agent's files, but for the run's token in its own file", () => {
    const files = filesBelow(workspace).map(
      (path) => [relative(workspace, path), readFileSync(path, 'latin1')] as const,
    );
    const config = files.find(([path]) => path === join('workspace', 'repo', '.git', 'config'));
    expect(config?.[1]).toContain('[remote "origin"]');
    expect(leaks(files)).toEqual([`run-token in ${relative(workspace, join(agent.directory, 'token'))}`]);
  });

  test("readable for anybody but the installation's own user", () => {
    const files = filesBelow(join(scene.stack.directory, 'secrets')).concat(join(agent.directory, 'token'));
    expect(files.filter((file) => (statSync(file).mode & 0o077) !== 0)).toEqual([]);
  });

  describe('when the run is over', () => {
    beforeAll(async () => {
      writeFileSync(join(flags, 'go'), '');
      run = await scene.ended(REPO, issue);
      expect(run.status).toBe('succeeded');
    });

    test('in the logs of any process', () => {
      const logs = filesBelow(join(scene.stack.directory, 'logs')).map(
        (path) => [path, readFileSync(path, 'utf8')] as const,
      );
      expect(logs.map(([path]) => basename(path))).toEqual(expect.arrayContaining(['server.log', 'worker.log']));
      expect(leaks(logs)).toEqual([]);
      expect(leaks([['what up said', scene.stack.said()]])).toEqual([]);
    });

    test('in any table', async () => {
      const all = await tables();
      expect(all.map(([where]) => where)).toEqual(
        expect.arrayContaining(['table deliveries', 'table agent_conversation_parts', 'table run_log_lines']),
      );
      expect(all.find(([where]) => where === 'table agent_conversation_parts')?.[1]).toContain('session_meta');
      expect(leaks(all)).toEqual([]);
    });

    test('in the histories of the issue and of the run', async () => {
      const all = await histories();
      for (const [, text] of all) expect(text).toContain('Please [script: wait]');
      expect(leaks(all)).toEqual([]);
    });

    test('in any comment or in the pull request', async () => {
      const told = JSON.stringify([
        await scene.commentsOn(REPO, issue),
        await scene.person.pullRequest(REPO, run.pullRequest ?? 0),
        await scene.log(run.id),
      ]);
      expect(secretsIn(told)).toEqual([]);
    });
  });
});

test('the token of a run that is over opens nothing any more', async () => {
  const answer = await fetch(`${scene.stack.ready.url}/api/v1/agent/assignment`, {
    headers: { authorization: `Bearer ${secrets['run-token']}` },
  });
  expect(answer.status).toBe(401);
});
