/** `codex-k8s read-model rebuild`: rebuilds the tables that mirror Temporal. */
import { readdir, readFile } from 'node:fs/promises';
import { RebuildRefused, rebuildReadModel, type RebuildReport } from '../../read-model/rebuild/rebuild.ts';
import { MIRRORED, SPARE_SCHEMA, type Mirrored } from '../../read-model/rebuild/stage.ts';
import { plain, type Terminal } from '../../terminal/terminal.ts';
import { withReadModel } from './read-model-access.ts';

export interface RebuildCommandOptions {
  readonly json?: boolean | undefined;
  readonly data?: string | undefined;
}

const MIGRATIONS = new URL('../../../migrations/', import.meta.url);

/** Prints each table's hash before and after. Resolves to the exit code: 1 if the rebuild was refused and nothing changed. */
export async function readModelRebuild(options: RebuildCommandOptions, terminal: Terminal): Promise<number> {
  const began = performance.now();
  try {
    const report = await withReadModel('rebuild', { data: options.data, spareSchema: SPARE_SCHEMA }, async (access) => {
      if (!access.histories) throw new Error('read-model rebuild requires Temporal');
      return rebuildReadModel(access.sql, { histories: access.histories, definitions: await mirrorDefinitions() });
    });
    const seconds = Math.round(performance.now() - began) / 1000;
    if (options.json) terminal.out(JSON.stringify({ rebuilt: true, ...report, seconds }, null, 2));
    else printReport(terminal, report, seconds);
    return 0;
  } catch (error) {
    if (!(error instanceof RebuildRefused)) throw error;
    if (options.json) terminal.out(JSON.stringify({ rebuilt: false, problems: error.problems }, null, 2));
    else printRefusal(terminal, error);
    return 1;
  }
}

/** The statements of all migrations that define a mirrored table, in order, so that a rebuilt table equals the migrated one. */
export async function mirrorDefinitions(): Promise<Record<Mirrored, string[]>> {
  const files = (await readdir(MIGRATIONS)).filter((file) => file.endsWith('.sql')).toSorted();
  const texts = await Promise.all(files.map((file) => readFile(new URL(file, MIGRATIONS), 'utf8')));
  const statements = texts.flatMap((text) => text.split('--> statement-breakpoint').map((one) => one.trim()));
  const of = (table: Mirrored): string[] => {
    const defines = new RegExp(
      `^(CREATE TABLE "${table}"|ALTER TABLE "${table}"|CREATE (UNIQUE )?INDEX "\\w+" ON "${table}")`,
    );
    return statements.filter((statement) => defines.test(statement));
  };
  return { flow_events: of('flow_events'), issues: of('issues'), runs: of('runs') };
}

function printReport(terminal: Terminal, report: RebuildReport, seconds: number): void {
  for (const table of MIRRORED) {
    const { before, after } = report.tables[table];
    terminal.out(`${table.padEnd(12)} before  ${before ? `${before.hash}  ${before.rows} rows` : 'missing'}`);
    terminal.out(`${''.padEnd(12)} after   ${after.hash}  ${after.rows} rows`);
    const carried = report.carriedOver[table];
    if (carried > 0)
      terminal.out(
        `${''.padEnd(12)} ${carried} copied unchanged: Temporal has deleted the histories that wrote them (retention)`,
      );
  }
  for (const { table, id } of report.leftOut)
    terminal.out(plain(`left out     ${table}: ${id} has no source in histories or deliveries`));
  for (const id of report.unexplained)
    terminal.out(
      plain(
        `unexplained  flow_events: ${id} has no source in histories or deliveries; kept, since later events are chained to it`,
      ),
    );
  terminal.out(
    `${report.changed ? 'Rebuilt' : 'Rebuilt without changes'}: from ${report.executions} histories and the deliveries, in ${seconds} s.`,
  );
}

function printRefusal(terminal: Terminal, { problems }: RebuildRefused): void {
  for (const { chain, seq, id, detail } of problems)
    terminal.error(plain(`${chain} at ${seq}${id === null ? '' : ` (${id})`}: ${detail}`));
  terminal.error('Nothing was changed. See docs/operations.md, “Audit, rebuild, replay”.');
}
