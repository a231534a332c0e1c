/** docs/reliability.md T31: Temporal is away for a minute. Deliveries are kept meanwhile, and applied when it is back. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OWNER } from '../../src/embedded/accounts.ts';
import { closeScene, openScene, type BoundRepository, type Scene } from '../e2e/support/scene.ts';
import { noopAgentCommand } from '../support/noop-agent.ts';
import { eventually } from '../support/stack.ts';
import { ended, journalOf, patiently } from './support/life.ts';

const REPO = 'temporal-away';
const AWAY_MS = 60_000;
/** What waits is so much older at the second look, however late the first one was. */
const AGEING_MS = 30_000;
const ISSUES = 5;

const home = mkdtempSync(join(tmpdir(), 'codex-k8s-temporal-away-'));
const journal = join(home, 'journal');
let scene: Scene;
let repository: BoundRepository;

beforeAll(async () => {
  scene = await openScene({ CODEXK8S_AGENT_COMMAND: noopAgentCommand(journal) });
  repository = await scene.bindRepository(REPO);
});

afterAll(async () => {
  await closeScene(scene);
  rmSync(home, { recursive: true, force: true });
});

/** Kills Temporal as often as it is started, until the returned function is called. */
function keepDead(): () => void {
  const killing = setInterval(() => {
    const { temporal } = scene.stack.pids();
    if (temporal !== undefined) kill(temporal, 'SIGKILL');
  }, 50);
  return () => clearInterval(killing);
}

/** Takes Temporal's breath: connections stay, and nothing is answered. It is killed in the end. */
function hold(): () => void {
  const temporal = scene.stack.pidOf('temporal');
  kill(temporal, 'SIGSTOP');
  return () => kill(temporal, 'SIGKILL');
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

const flagOf = (how: string): string => `${how.replaceAll(' ', '-')}.go`;

async function lag(): Promise<number> {
  const metrics = await (await fetch(`${scene.stack.ready.url}/metrics`)).text();
  return Number(/^codexk8s_inbox_lag_seconds (\S+)$/m.exec(metrics)?.[1]);
}

describe.each([
  { how: 'dies at every start', begin: keepDead },
  { how: 'does not answer', begin: hold },
])('while Temporal $how', ({ how, begin }) => {
  let issues: number[];
  let processes: Record<string, number>;
  let readiness: { status: number; body: { status: string; checks: Record<string, { status: string }> } };
  let lags: number[];
  let sent: { guid: string; status_code: number; duration: number }[];
  let held: number;

  beforeAll(async () => {
    const working = await scene.person.openIssue(REPO, {
      title: `works while Temporal ${how}`,
      body: `wait-for: ${join(home, flagOf(how))}`,
    });
    await scene.person.label(REPO, working, 'run:dev');
    await patiently('the agent works', async () => (await scene.runsOf(REPO, working))[0]?.status === 'working');
    processes = scene.stack.pids();
    const earlier = (await labelled()).length;
    const end = begin();
    const since = performance.now();
    try {
      issues = [working];
      for (let index = 0; index < ISSUES; index += 1) {
        const issue = await scene.person.openIssue(REPO, { title: `labelled while Temporal ${how}`, body: '' });
        await scene.person.label(REPO, issue, 'run:dev');
        issues.push(issue);
      }
      await eventually('all deliveries are answered', async () => (await labelled()).length === earlier + ISSUES);
      lags = [await lag()];
      const response = await fetch(`${scene.stack.ready.url}/readyz`);
      readiness = { status: response.status, body: (await response.json()) as typeof readiness.body };
      await sleep(Math.max(AGEING_MS, AWAY_MS - (performance.now() - since)));
      lags.push(await lag());
      const [row] = await scene.sql`select count(*)::int as n from inboxes where last_seq > signaled_seq`;
      held = Number(row?.['n']);
      sent = (await labelled()).slice(0, ISSUES); // the newest come first
    } finally {
      end();
    }
  });

  /** What became of the deliveries that put a label on one of these issues. */
  async function labelled() {
    const hook = { owner: OWNER, repo: REPO, hook_id: repository.hookId };
    const { octokit } = scene.person;
    const all = await octokit.paginate(octokit.rest.repos.listWebhookDeliveries, { ...hook, per_page: 100 });
    return all.filter(({ event, action }) => event === 'issues' && action === 'labeled');
  }

  test('deliveries are answered 202, and soon', () => {
    expect(new Set(sent.map(({ status_code: code }) => code))).toEqual(new Set([202]));
    expect(Math.max(...sent.map(({ duration }) => duration))).toBeLessThan(5);
    expect(held).toBeGreaterThan(0);
  });

  test('the server stays ready, and says what it lacks', () => {
    expect(readiness.status).toBe(200);
    expect(readiness.body).toMatchObject({ status: 'degraded', checks: { temporal: { status: 'degraded' } } });
  });

  test('the age of what waits grows in the metrics', () => {
    expect(lags[1]).toBeGreaterThan((lags[0] ?? 0) + 20);
  });

  test('everything is applied when Temporal is back: one run and one agent for each label', async () => {
    writeFileSync(join(home, flagOf(how)), '');
    for (const issue of issues) {
      const run = await ended(scene, REPO, issue, 0);
      expect(run).toMatchObject({ status: 'succeeded' });
      expect(await scene.runsOf(REPO, issue)).toHaveLength(1);
      expect(journalOf(journal).filter((entry) => entry.run === run.id)).toHaveLength(2);
      expect(await scene.pullRequestsOf(REPO, issue)).toHaveLength(1);
      // The platform's own labels are delivered as people's are, and the next outage counts those.
      await scene.expectLabels(REPO, issue, ['state:in-review']);
    }
    await eventually('nothing waits any more', async () => (await lag()) === 0);
  });

  test('neither server nor worker had to be started again', () => {
    const now = scene.stack.pids();
    expect([now['server'], now['worker']]).toEqual([processes['server'], processes['worker']]);
  });
});
