/**
 * `npm run soak -- --minutes 10 [--seed N] [--limits dev=2] [--keep]`: a whole `up` under load, with random kills of all its
 * parts. Fails unless nothing was lost, nothing was done twice and nothing is left over. The seed
 * repeats the choices, not the timing. With limits, runs wait for their turns meanwhile (CODEXK8S_RUN_LIMITS).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { closeScene, openScene, type BoundRepository, type Scene } from '../e2e/support/scene.ts';
import { onOwnPorts } from '../faults/support/ports.ts';
import { createRandom } from '../faults/support/random.ts';
import { noopAgentCommand } from '../support/noop-agent.ts';
import { eventually, processesOf } from '../support/stack.ts';
import { startKilling, type Kills } from './kills.ts';
import { startLoad, type Load } from './load.ts';
import { takeStock, type Stock } from './stock.ts';

/**
 * What is left undone when nobody kills any more is done within this time: a delivery that has failed three times is asked for
 * again eight minutes later.
 */
const QUIET_WITHIN_MS = 10 * 60_000;
const PROGRESS_EVERY_MS = 15_000;
const REPOSITORIES = ['soak-a', 'soak-b'];
const SWEEPS = {
  CODEXK8S_SWEEP_REDELIVERY_SECONDS: '15',
  CODEXK8S_SWEEP_RECONCILE_SECONDS: '30',
  CODEXK8S_SWEEP_WORKSPACE_SECONDS: '30',
  CODEXK8S_SWEEP_GRACE_SECONDS: '20',
  CODEXK8S_SWEEP_ORPHAN_SECONDS: '60',
};

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
    limits: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});
const minutes = Number(values.minutes);
const LIMITS = values.limits === undefined ? {} : { CODEXK8S_RUN_LIMITS: values.limits };
const seed = Number(values.seed ?? Date.now() % 1_000_000);
if (!(minutes > 0) || !Number.isInteger(seed)) throw new Error('--minutes takes a number, --seed a whole one');

const startedAt = performance.now();
const say = (text: string): void => {
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  process.stdout.write(
    `${String(Math.floor(seconds / 60)).padStart(3)}:${String(seconds % 60).padStart(2, '0')}  ${text}\n`,
  );
};

process.exitCode = await soak();

async function soak(): Promise<number> {
  const home = mkdtempSync(join(tmpdir(), 'codex-k8s-soak-'));
  const journal = join(home, 'journal');
  let scene: Scene | undefined;
  say(`seed ${seed}, ${minutes} minutes`);
  try {
    scene = await openScene(onOwnPorts({ CODEXK8S_AGENT_COMMAND: noopAgentCommand(journal), ...SWEEPS, ...LIMITS }));
    const random = createRandom(seed);
    const repositories: BoundRepository[] = [];
    for (const name of REPOSITORIES) repositories.push(await scene.bindRepository(name));
    say(`up in ${scene.stack.directory}, ${scene.stack.ready.url}`);

    const limit = AbortSignal.timeout(minutes * 60_000);
    const load = startLoad({ scene, repositories, random: createRandom(seed + 1), signal: limit });
    const kills = startKilling(scene.stack, random, limit, () => undefined);
    const progress = setInterval(() => say(progressOf(load, kills)), PROGRESS_EVERY_MS);
    await Promise.all([load.done, kills.done]).finally(() => clearInterval(progress));
    say(`${progressOf(load, kills)}; the killing is over`);

    const stock = await whenQuiet(() =>
      takeStock({ scene: scene as Scene, repositories, load, journal, killedAgents: kills.agentsOf }),
    );
    const { directory } = scene.stack;
    if (values.keep) say(`kept: ${directory}`);
    await scene.stack.end('SIGTERM');
    // What was killed or has just ended may take a moment to be gone.
    await eventually('no process is left', () => processesOf(directory).length === 0).catch(() => undefined);
    const left = processesOf(directory).map(({ pid, command }) => `process ${pid}: ${command.slice(0, 100)}`);
    return report({ ...stock, orphaned: [...stock.orphaned, ...left] }, load, kills);
  } finally {
    if (!values.keep) {
      await closeScene(scene);
      rmSync(home, { recursive: true, force: true });
    }
  }
}

function progressOf(load: Load, kills: Kills): string {
  const acts = [...load.acts].map(([name, count]) => `${name} ${count}`).join(', ');
  const killed = [...kills.count].map(([name, count]) => `${name} ${count}`).join(', ');
  return `${load.issues.length} issues (${acts}); ${load.sent.length} deliveries; killed: ${killed}`;
}

/** Takes stock until nothing is to be said, twice in a row, or time is up. */
async function whenQuiet(stockNow: () => Promise<Stock>): Promise<Stock> {
  const limit = performance.now() + QUIET_WITHIN_MS;
  for (let quiet = 0, said = ''; ;) {
    const stock = await stockNow().catch((error: unknown) => {
      if (performance.now() > limit) throw error;
      return undefined;
    });
    const open = stock ? [...stock.lost, ...stock.doubled, ...stock.orphaned] : ['no stock could be taken'];
    if (stock && stock.undelivered > 0) open.push(`${stock.undelivered} deliveries of GitHub's have not come yet`);
    quiet = open.length === 0 ? quiet + 1 : 0;
    if (stock && (quiet > 1 || performance.now() > limit)) return stock;
    const now = `${open.length} things are open${open.length > 0 ? `: ${open.slice(0, 3).join('; ')}` : ''}`;
    if (now !== said) say(now);
    said = now;
    await sleep(3000);
  }
}

function report(stock: Stock, load: Load, kills: Kills): number {
  const answered = load.sent.filter(({ status }) => status !== 0).map(({ milliseconds }) => milliseconds);
  const sorted = answered.toSorted((one, other) => one - other);
  const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? 0;
  const { deliveries, runs } = stock;
  const rows: [string, string | number][] = [
    ['seed', seed],
    ['kills', [...kills.count].map(([name, count]) => `${name} ${count}`).join(', ')],
    ['deliveries sent', deliveries.sent],
    ['  accepted', deliveries.accepted],
    ['  refused (503)', deliveries.refused],
    ['  unanswered', deliveries.unanswered],
    ['  never came', stock.undelivered],
    ['runs asked for', runs.asked],
    ['  started', runs.started],
    ['  taken back before that', runs.asked - runs.started],
    ...Object.entries(runs.byStatus).map(([status, count]): [string, number] => [`  ${status}`, count]),
    ['webhook p99', `${Math.round(p99)} ms`],
    ['webhook worst', `${Math.round(sorted.at(-1) ?? 0)} ms`],
    ['lost', stock.lost.length],
    ['doubled', stock.doubled.length],
    ['orphaned', stock.orphaned.length],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  process.stdout.write(`\n${rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n')}\n`);
  for (const [name, list] of [
    ['lost', stock.lost],
    ['doubled', stock.doubled],
    ['orphaned', stock.orphaned],
  ] as const)
    for (const one of list) process.stdout.write(`${name}: ${one}\n`);
  return stock.lost.length + stock.doubled.length + stock.orphaned.length + stock.undelivered === 0 ? 0 : 1;
}
