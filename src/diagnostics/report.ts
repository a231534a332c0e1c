/** The doctor's report, as text and as JSON. */
import { style } from '../terminal/style.ts';
import type { Finding, Verdict } from './check.ts';

const LABELS: Readonly<Record<Verdict, string>> = {
  ok: 'ok',
  warning: 'warning',
  failed: 'FAILED',
  unknown: 'unknown',
};
const COLORS = { ok: 'green', warning: 'yellow', failed: 'red', unknown: 'cyan' } as const;

/** Width of the verdict column. */
const INDENT = 9;

export interface Report {
  /** The installation that was checked, in one sentence. */
  readonly subject: string;
  /** False if a check has failed. */
  readonly healthy: boolean;
  readonly findings: readonly Finding[];
}

/** Creates a report in which all `secrets` are redacted. */
export function reportOf(subject: string, findings: readonly Finding[], secrets: readonly string[]): Report {
  const clean = (text: string): string =>
    secrets.reduce((shown, secret) => shown.replaceAll(secret, '[redacted]'), text);
  return {
    subject,
    healthy: findings.every(({ verdict }) => verdict !== 'failed'),
    findings: findings.map(({ check, verdict, found, remedy }) => ({
      check,
      verdict,
      found: clean(found),
      ...(remedy === undefined ? {} : { remedy: clean(remedy) }),
    })),
  };
}

/** The report as lines of text. */
export function describe({ subject, findings, healthy }: Report): string {
  const lines = findings.flatMap(({ check, verdict, found, remedy }) => [
    `${style(COLORS[verdict], LABELS[verdict].padEnd(INDENT))}${check}: ${found}`,
    ...(remedy === undefined ? [] : [`${' '.repeat(INDENT)}-> ${remedy}`]),
  ]);
  const count = (verdict: Verdict): number => findings.filter((finding) => finding.verdict === verdict).length;
  const rest = (['warning', 'unknown'] as const)
    .filter((verdict) => count(verdict) > 0)
    .map((verdict) => `, ${count(verdict)} ${verdict}`)
    .join('');
  const sum = healthy ? `No check failed${rest}.` : `${count('failed')} failed${rest}.`;
  return [subject, '', ...lines, '', sum].join('\n');
}
