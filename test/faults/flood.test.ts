/** T35: ten thousand deliveries about one issue in two minutes, as a broken integration or an attacker with old deliveries sends them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OWNER } from '../../src/embedded/accounts.ts';
import { closeScene, openScene, type BoundRepository, type Scene } from '../e2e/support/scene.ts';
import { noopAgentCommand } from '../support/noop-agent.ts';
import { eventually } from '../support/stack.ts';
import { bodyOf, deliver, type Sent } from './support/deliveries.ts';
import { ended } from './support/life.ts';

const REPO = 'flood';
const DELIVERIES = 10_000;
const SECONDS = 120;
/** Sent in waves, this far apart in milliseconds. */
const WAVE_MS = 100;
const WAVES = (SECONDS * 1000) / WAVE_MS;

const home = mkdtempSync(join(tmpdir(), 'codex-k8s-flood-'));
let scene: Scene;
let repository: BoundRepository;
let issue: number;
let sent: Sent[];
let seconds: number;
/** Milliseconds from a person's cancel to the end of the run: in the midst of the flood, and after it. */
const cancels: number[] = [];

beforeAll(async () => {
  scene = await openScene({ CODEXK8S_AGENT_COMMAND: noopAgentCommand() }, { limits: 'production' });
  repository = await scene.bindRepository(REPO);
  issue = await scene.person.openIssue(REPO, { title: 'Flooded', body: `wait-for: ${home}/never` });
  const at = { owner: OWNER, repo: REPO, issue_number: issue };
  await scene.person.label(REPO, issue, 'run:dev');
  await atWork(0);
  await scene.person.octokit.rest.issues.removeLabel({ ...at, name: 'run:dev' });
  await ended(scene, REPO, issue, 0);
  await scene.person.label(REPO, issue, 'run:dev');
  const labeled = await bodyOf(scene, repository, 'issues', 'labeled');
  const unlabeled = await bodyOf(scene, repository, 'issues', 'unlabeled');
  const second = await atWork(1);

  const since = performance.now();
  const answers: Promise<Sent>[] = [];
  let inTheMidst: Promise<unknown> = Promise.resolve();
  for (let wave = 0; wave < WAVES; wave += 1) {
    const upTo = Math.round(((wave + 1) * DELIVERIES) / WAVES);
    while (answers.length < upTo) {
      const body = answers.length % 10 === 0 ? unlabeled : labeled;
      answers.push(deliver(scene.stack, { event: 'issues', body }));
    }
    if (wave === WAVES / 2) inTheMidst = cancel(second, 1);
    await sleep(Math.max(0, since + (wave + 1) * WAVE_MS - performance.now()));
  }
  await inTheMidst;
  sent = await Promise.all(answers);
  seconds = (performance.now() - since) / 1000;

  await scene.person.octokit.rest.issues.removeLabel({ ...at, name: 'run:dev' }).catch(() => undefined);
  await scene.person.label(REPO, issue, 'run:dev');
  const third = await atWork(2);
  await cancel(third, 2);
});

afterAll(async () => {
  await closeScene(scene);
  rmSync(home, { recursive: true, force: true });
});

async function atWork(place: number): Promise<string> {
  return eventually(
    `run ${place} at work`,
    async () => {
      const run = (await scene.runsOf(REPO, issue))[place];
      return run?.status === 'working' && run.id;
    },
    120_000,
  );
}

/** Cancels a run as a person does, and waits for its end. */
async function cancel(id: string, place: number): Promise<void> {
  const since = performance.now();
  await scene.platform.cancelRun(id, { actor: 'paula', reason: 'enough' });
  await eventually(`the end of run ${place}`, async () => (await scene.run(id)).terminal, 120_000);
  cancels.push(performance.now() - since);
}

/** Every execution of the issue's workflow: how many signals it was sent, and how long its history is. */
async function executions(): Promise<{ signals: number; events: number }[]> {
  const connection = await Connection.connect({ address: scene.stack.ready.temporalAddress });
  try {
    const { workflow } = new Client({ connection, namespace: 'codex-k8s' });
    const workflowId = `issue:${repository.id}#${issue}`;
    const found: { signals: number; events: number }[] = [];
    for await (const { runId } of workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
      const { events = [] } = await workflow.getHandle(workflowId, runId).fetchHistory();
      const signals = (events ?? []).filter((event) => event.workflowExecutionSignaledEventAttributes);
      found.push({ signals: signals.length, events: (events ?? []).length });
    }
    return found;
  } finally {
    await connection.close();
  }
}

test('T35: every delivery is accepted within 5 s and kept', async ({ annotate }) => {
  const slowest = Math.max(...sent.map(({ milliseconds }) => milliseconds));
  await annotate(`${DELIVERIES} deliveries in ${seconds.toFixed(0)} s, the slowest answer ${slowest.toFixed(0)} ms`);
  // An old removal is told to the issue too, but asks for nothing: 200.
  const refused = sent.filter(({ status }) => status !== 202 && status !== 200);
  expect(refused.length).toBe(0);
  expect(slowest).toBeLessThan(5000);
  const [row] = await scene.sql`
    select count(*)::int as n from deliveries where id = any(${sent.map(({ id }) => id)})`;
  expect(row?.['n']).toBe(DELIVERIES);
});

test('T35: every fact is signaled, in fewer than 500 signals, and histories stay short', async ({ annotate }) => {
  await eventually(
    'the inbox is empty',
    async () => {
      const [row] = await scene.sql`select count(*)::int as n from inboxes where last_seq > signaled_seq`;
      return row?.['n'] === 0;
    },
    120_000,
  );
  const all = await executions();
  await annotate(all.map(({ signals, events }) => `${signals} signals, ${events} events`).join('; '));
  expect(all.reduce((sum, { signals }) => sum + signals, 0)).toBeLessThan(500);
  for (const { events } of all) expect(events).toBeLessThan(10_000);
});

test('T35: a cancel is obeyed within 5 s in the midst of the flood and after it', async ({ annotate }) => {
  await annotate(`cancels took ${cancels.map((each) => Math.round(each)).join(' and ')} ms`);
  expect(cancels).toHaveLength(2);
  for (const each of cancels) expect(each).toBeLessThan(5000);
});

test('T35: the flood started no run', async () => {
  expect(await scene.runsOf(REPO, issue)).toHaveLength(3);
  expect(await scene.issueOf(REPO, issue)).toMatchObject({ queued: 0 });
});
