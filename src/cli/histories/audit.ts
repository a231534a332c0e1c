/** `codex-k8s audit verify`: verifies the audit trail. */
import type postgres from 'postgres';
import { verifyAuditTrail, type AuditCounts, type AuditProblem } from '../../read-model/audit/audit.ts';
import { PLATFORM_CHAIN } from '../../store/audit/events.ts';
import { CommandProblem } from '../../terminal/problems.ts';
import { plain, type Terminal } from '../../terminal/terminal.ts';
import { withReadModel } from './read-model-access.ts';

export interface AuditVerifyOptions {
  /** OWNER/NAME#NUMBER, an issue's key, or `platform`. */
  readonly issue?: string | undefined;
  readonly json?: boolean | undefined;
  readonly data?: string | undefined;
  readonly withoutTemporal?: boolean | undefined;
}

/** Limit for problems in the output; all are counted. */
const MOST_SHOWN = 1000;

/** Prints problems as they are found, then counts. Resolves to the exit code: 0 without problems. */
export async function auditVerify(options: AuditVerifyOptions, terminal: Terminal): Promise<number> {
  const problems: AuditProblem[] = [];
  const counts = await withReadModel('audit', options, async ({ sql, histories }) =>
    verifyAuditTrail(sql, {
      histories,
      chain: options.issue === undefined ? undefined : await chainOf(sql, options.issue),
      onProblem(problem) {
        if (problems.length >= MOST_SHOWN) return;
        problems.push(problem);
        if (!options.json) terminal.out(problemLine(problem));
      },
    }),
  );
  const sound = counts.problems === 0;
  if (options.json) terminal.out(JSON.stringify({ sound, ...counts, found: problems }, null, 2));
  else printCounts(terminal, counts, options);
  return sound ? 0 : 1;
}

function problemLine({ kind, chain, seq, id, detail }: AuditProblem): string {
  return plain(`${kind.padEnd(12)} ${chain} at ${seq}${id === null ? '' : ` (${id})`}: ${detail}`);
}

function printCounts(terminal: Terminal, counts: AuditCounts, { withoutTemporal }: AuditVerifyOptions): void {
  if (counts.problems > MOST_SHOWN) terminal.out(`… and ${counts.problems - MOST_SHOWN} more`);
  const result =
    counts.problems === 0 ? 'No problems' : `${counts.problems} ${counts.problems === 1 ? 'problem' : 'problems'}`;
  terminal.out(
    `${result}: ${counts.events} events in ${counts.chains} chains. ` +
      `${withoutTemporal ? 'Not compared with Temporal' : `${counts.byHistories} verified by Temporal's histories`}, ` +
      `${counts.byDeliveries} by deliveries.`,
  );
  if (counts.unanchored > 0)
    terminal.out(`${counts.unanchored} at the ends of their chains are verified by the hash chain only.`);
}

async function chainOf(sql: postgres.Sql, given: string): Promise<string> {
  if (given === PLATFORM_CHAIN || /^issue:\d+#\d+$/.test(given)) return given;
  const [, owner = '', name = '', number = ''] = /^([\w.-]+)\/([\w.-]+)#([1-9]\d{0,8})$/.exec(given) ?? [];
  if (number === '') throw new CommandProblem(`“${given}” is not an issue: give OWNER/NAME#NUMBER`, 2);
  const [repository] = await sql<{ id: string }[]>`
    select id from repositories where lower(owner) = lower(${owner}) and lower(name) = lower(${name})`;
  if (!repository) throw new CommandProblem(`${owner}/${name} is not bound to a project; give the issue's key instead`);
  return `issue:${repository.id}#${number}`;
}
