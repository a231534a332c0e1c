/**
 * `npm run bench:start [-- --runs 20 --rounds 3]`: from a delivery's arrival to the first instruction of the agent's
 * process, beside spawning the same process bare; and the platform's own time over a whole run. Real parts: a whole `up`,
 * with a no-op agent.
 */
import { fileURLToPath } from 'node:url';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { dataConverter } from '../../src/temporal/data-converter.ts';
import { closeScene, openScene } from '../../test/e2e/support/scene.ts';
import { describeMachine, machineSentence } from '../machine.ts';
import { PLATFORM, platformCpu } from '../processes.ts';
import { writeResults } from '../table.ts';
import { startBare } from './bare.ts';
import { silence } from './deliveries.ts';
import { measureRun, type Measured, type Place } from './measure.ts';
import { summarize, type Round } from './summary.ts';
import { render } from './text.ts';
import { openWitness } from './witness.ts';

const AGENT: [string, ...string[]] = [process.execPath, fileURLToPath(new URL('timed-agent.ts', import.meta.url))];

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '20' }, rounds: { type: 'string', default: '3' } },
});

async function measureRound(place: Place, runs: number): Promise<Round> {
  const measured: Measured[] = [];
  const bare: number[] = [];
  const before = platformCpu(place.scene.stack.pids());
  for (let run = 0; run < runs; run += 1) {
    measured.push(await measureRun(place));
    bare.push(await startBare(AGENT));
    process.stderr.write('.');
  }
  process.stderr.write('\n');
  const after = platformCpu(place.scene.stack.pids());
  const cpu = PLATFORM.map((name) => [name, (after[name] - before[name]) / runs] as const);
  return { measured, bare, cpu: Object.fromEntries(cpu) as Round['cpu'] };
}

const load = loadavg()[0] ?? 0;
const scene = await openScene({ CODEXK8S_AGENT_COMMAND: JSON.stringify(AGENT) });
const connection = await Connection.connect({ address: scene.stack.ready.temporalAddress });
try {
  const repository = await scene.bindRepository('measured');
  await silence(scene, repository);
  const witness = await openWitness(scene, repository.name);
  const client = new Client({ connection, namespace: 'codex-k8s', dataConverter });
  const place = { scene, repository, witness, client };
  const cold = await measureRun(place);
  const rounds: Round[] = [];
  while (rounds.length < Number(values.rounds)) rounds.push(await measureRound(place, Number(values.runs)));
  await witness.close();

  const machine = describeMachine(['@temporalio/worker', 'postgres']);
  const result = { date: new Date().toISOString(), machine, load, ...summarize(rounds, cold) };
  const text = render(result, machineSentence(machine));
  writeResults('start', { ...result, rounds }, text);
  process.stdout.write(`${text}\n`);
} finally {
  await connection.close();
  await closeScene(scene);
}
