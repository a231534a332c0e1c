/** Two servers on one database run a relay at the same time; one of them is killed while it holds an inbox. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ObservedFact } from '../../src/domain/issue/facts.ts';
import { closeScene, openScene, type BoundRepository, type Scene } from '../e2e/support/scene.ts';
import { noopAgentCommand } from '../support/noop-agent.ts';
import { environmentOf, startBeside, type Beside } from './support/beside.ts';
import { bodyOf, deliver, type Sent } from './support/deliveries.ts';
import { ended, journalOf, patiently } from './support/life.ts';
import { firstOwnPort } from './support/ports.ts';

const REPO = 'two-servers';
const ISSUES = 6;
/** Deliveries for each issue, sent to both servers in turn. */
const FLOOD = 40;

const home = mkdtempSync(join(tmpdir(), 'codex-k8s-two-servers-'));
const points = join(home, 'points');
const journal = join(home, 'journal');
let scene: Scene;
let repository: BoundRepository;
let second: Beside;
let secondUrl: string;
let issues: number[];
let sent: Sent[];

beforeAll(async () => {
  mkdirSync(points);
  scene = await openScene({ CODEXK8S_AGENT_COMMAND: noopAgentCommand(journal) });
  repository = await scene.bindRepository(REPO);
  // Only the second one knows of kill points: it is the one that dies.
  const env = environmentOf(scene.stack, 'server');
  const port = firstOwnPort;
  secondUrl = `http://127.0.0.1:${port}`;
  second = startBeside(scene.stack, 'server', { ...env, CODEXK8S_PORT: `${port}` }, { faults: { killPoints: points } });
  await patiently('the second server', async () => (await fetch(`${secondUrl}/readyz`)).ok);

  const { person } = scene;
  issues = await Promise.all(
    Array.from({ length: ISSUES }, (_, index) =>
      person.openIssue(REPO, { title: `flooded ${index}`, body: `wait-for: ${home}/go` }),
    ),
  );
  for (const issue of issues) await person.label(REPO, issue, 'run:dev');
  for (const issue of issues)
    await patiently(`a run of ${issue}`, async () => (await scene.runsOf(REPO, issue)).length > 0);
  await person.octokit.rest.issues.update({
    owner: person.login,
    repo: REPO,
    issue_number: issues[0] ?? 0,
    state: 'closed',
  });
  await person.octokit.rest.issues.update({
    owner: person.login,
    repo: REPO,
    issue_number: issues[0] ?? 0,
    state: 'open',
  });
  const reopened = JSON.parse(await bodyOf(scene, repository, 'issues', 'reopened')) as { issue: { number: number } };

  sent = [];
  for (let round = 0; round < FLOOD; round += 1) {
    if (round === FLOOD / 2) writeFileSync(join(points, 'relay:before-signal'), '');
    const wave = issues.map((number, index) =>
      deliver(scene.stack, {
        event: 'issues',
        body: JSON.stringify({ ...reopened, issue: { ...reopened.issue, number } }),
        url: (round + index) % 2 === 0 || round >= FLOOD / 2 ? scene.stack.ready.url : secondUrl,
      }),
    );
    sent.push(...(await Promise.all(wave)));
  }
  await patiently('the second server dies', async () => existsSync(join(points, 'relay:before-signal.fired')));
  await patiently('all inboxes are empty', async () => {
    const [row] = await scene.sql`select count(*)::int as n from inboxes where last_seq > signaled_seq`;
    return row?.['n'] === 0;
  });
});

afterAll(async () => {
  await second?.end();
  await closeScene(scene);
  rmSync(home, { recursive: true, force: true });
});

/** The numbers of the facts that an issue's workflow was told, signal by signal. */
async function told(issue: number): Promise<number[][]> {
  const connection = await Connection.connect({ address: scene.stack.ready.temporalAddress });
  try {
    const { workflow } = new Client({ connection, namespace: 'codex-k8s' });
    const workflowId = `issue:${repository.id}#${issue}`;
    // One that had ended before it was told of the next fact lives once more.
    const lives: { runId: string; startTime: Date }[] = [];
    for await (const life of workflow.list({ query: `WorkflowId = '${workflowId}'` })) lives.push(life);
    lives.sort((one, other) => one.startTime.getTime() - other.startTime.getTime());
    const histories = await Promise.all(
      lives.map(async ({ runId }) => (await workflow.getHandle(workflowId, runId).fetchHistory()).events ?? []),
    );
    return histories.flat().flatMap(({ workflowExecutionSignaledEventAttributes: signaled }) => {
      if (signaled?.signalName !== 'observed') return [];
      const [payload] = signaled.input?.payloads ?? [];
      const { facts } = JSON.parse(Buffer.from(payload?.data ?? []).toString('utf8')) as { facts: ObservedFact[] };
      return [facts.flatMap(({ seq }) => seq ?? [])];
    });
  } finally {
    await connection.close();
  }
}

test('every delivery was accepted, by whichever server it came to', () => {
  expect(new Set(sent.map(({ status }) => status))).toEqual(new Set([200]));
  expect(sent).toHaveLength(ISSUES * FLOOD);
});

test('every fact reached its workflow in its order, also when it was sent again after the kill', async () => {
  for (const issue of issues) {
    const [row] = await scene.sql`select last_seq from inboxes where issue_key = ${`issue:${repository.id}#${issue}`}`;
    const signals = (await told(issue)).filter((facts) => facts.length > 0);
    const firstTime: number[] = [];
    for (const seq of signals.flat()) if (!firstTime.includes(seq)) firstTime.push(seq);
    expect(firstTime).toEqual(Array.from({ length: Number(row?.['last_seq']) }, (_, index) => index + 1));
  }
});

test('one server alone goes on with everything, and each label is one run with one agent', async () => {
  writeFileSync(join(home, 'go'), '');
  for (const issue of issues.slice(1)) {
    const run = await ended(scene, REPO, issue, 0);
    expect(run).toMatchObject({ status: 'succeeded' });
    expect(await scene.runsOf(REPO, issue)).toHaveLength(1);
    expect(journalOf(journal).filter((entry) => entry.run === run.id)).toHaveLength(2);
  }
});
