/** Prints and stores the results of a benchmark. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type Row = readonly (string | number)[];

const RESULTS = fileURLToPath(new URL('results/', import.meta.url));

/** A Markdown table; numbers stand on the right. */
export function markdownTable(head: readonly string[], rows: readonly Row[]): string {
  const texts = [head, ...rows.map((row) => row.map(String))];
  const right = head.map((_, column) => rows.every((row) => /^[<>~≤]?[\d—-]/.test(String(row[column] ?? ''))));
  const widths = head.map((_, column) => Math.max(3, ...texts.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (right[column] ? (cells[column] ?? '').padStart(width) : (cells[column] ?? '').padEnd(width))).join(' | ')} |`;
  const rule = `| ${widths.map((width, column) => (right[column] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))).join(' | ')} |`;
  return [line(head), rule, ...texts.slice(1).map((row) => line(row))].join('\n');
}

/** Writes `bench/results/<name>.json` and `.md`. */
export function writeResults(name: string, data: object, markdown: string): void {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(`${RESULTS}${name}.json`, `${JSON.stringify(data, undefined, 2)}\n`);
  writeFileSync(`${RESULTS}${name}.md`, `${markdown.trim()}\n`);
}
