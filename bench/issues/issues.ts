/**
 * `npm run bench:issues [-- --issues 1000 --reviews 1000]`: what issues cost that wait for a review, and reviews for them
 * all at once; and then the commands that compare all of it with Temporal. Real parts: a whole `up`.
 */
import { fileURLToPath } from 'node:url';
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { dataConverter } from '../../src/temporal/data-converter.ts';
import { closeScene, openScene } from '../../test/e2e/support/scene.ts';
import { describeMachine, machineSentence } from '../machine.ts';
import { silence } from '../start/deliveries.ts';
import { writeResults } from '../table.ts';
import { auditAll } from './audit.ts';
import { idleCpu, settledMemory } from './rest.ts';
import { takeUp, writeReviews } from './reviews.ts';
import { render, type Result } from './text.ts';
import { openIssues, startWaiting, untilWaiting } from './waiting.ts';
import { countWholeRuns } from './whole-runs.ts';

const AGENT = [process.execPath, fileURLToPath(new URL('agent.ts', import.meta.url))];
const FEW = 100;
const IDLE_SECONDS = 20;
/** Workflows that the worker keeps in memory. */
const CACHED = 500;

const { values } = parseArgs({
  options: { issues: { type: 'string', default: '1000' }, reviews: { type: 'string' } },
});
const count = Number(values.issues);
/** A quick look does with fewer. */
const reviews = Number(values.reviews ?? count);

function say(what: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${what}\n`);
}

const load = loadavg()[0] ?? 0;
const scene = await openScene({
  CODEXK8S_AGENT_COMMAND: JSON.stringify(AGENT),
  CODEXK8S_WORKER_CACHED_WORKFLOWS: `${CACHED}`,
});
const connection = await Connection.connect({ address: scene.stack.ready.temporalAddress });
try {
  const client = new Client({ connection, namespace: 'codex-k8s', dataConverter });
  const repository = await scene.bindRepository('waiting');
  await silence(scene, repository);
  say('two whole runs');
  const wholeRuns = await countWholeRuns(scene, repository, client);

  say(`${count} issues and a review for each, in the GitHub emulator`);
  const issues = await openIssues(scene, repository, count);
  const reviewed = issues.slice(0, reviews);
  const bodies = await writeReviews(scene, reviewed);
  const memory = [{ issues: 0, mib: await settledMemory(scene) }];
  for (const to of new Set([FEW, CACHED, count].filter((step) => step <= count))) {
    say(`${to} issues wait`);
    const more = issues.slice(memory.at(-1)?.issues, to);
    await startWaiting(client, more);
    await untilWaiting(client, more);
    memory.push({ issues: to, mib: await settledMemory(scene) });
  }
  say(`${2 * IDLE_SECONDS} s of rest, of which the second half counts`);
  await sleep(IDLE_SECONDS * 1000);
  const idle = await idleCpu(scene, IDLE_SECONDS);
  say('the reviews arrive');
  const taken = await takeUp(scene, reviewed, bodies);
  say('the audit trail is verified, and the read model made again');
  const audited = await auditAll(scene, client);

  const machine = describeMachine(['@temporalio/worker', 'postgres']);
  const result: Result = {
    date: new Date().toISOString(),
    machine,
    load,
    issues: count,
    cached: CACHED,
    wholeRuns,
    memory,
    idle,
    taken,
    audited,
  };
  const text = render(result, machineSentence(machine));
  writeResults('issues', result, text);
  process.stdout.write(`${text}\n`);
  if (taken.wrong.length + audited.wrong.length > 0) process.exitCode = 1;
} finally {
  await connection.close();
  await closeScene(scene);
}
