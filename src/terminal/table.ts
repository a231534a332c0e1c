/** Tables with aligned columns. */
import { paint, plain, type Terminal } from './terminal.ts';

export interface Cell {
  readonly text: string;
  readonly style?: Parameters<typeof paint>[1] | undefined;
}

const GAP = '  ';
const WIDEST = 60;

/** Prints rows under headings; long cells are truncated. */
export function printTable(terminal: Terminal, headings: readonly string[], rows: readonly (readonly Cell[])[]): void {
  const lines = rows.map((row) => row.map(({ text, style }) => ({ text: cut(text), style })));
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...lines.map((row) => row[column]?.text.length ?? 0)),
  );
  const print = (cells: readonly Cell[]): void => {
    const painted = cells.map(({ text, style }, column) => {
      const padding = column === cells.length - 1 ? '' : ' '.repeat((widths[column] ?? 0) - text.length);
      return (style === undefined ? text : paint(terminal, style, text)) + padding;
    });
    terminal.out(painted.join(GAP).trimEnd());
  };
  print(headings.map((text) => ({ text, style: 'dim' })));
  for (const line of lines) print(line);
}

/** Prints names and values, one per line; those without a value are left out. */
export function printFacts(terminal: Terminal, facts: readonly (readonly [string, string | null | undefined])[]): void {
  const known = facts.flatMap(([name, value]) => (value ? [[name, plain(value)] as const] : []));
  const width = Math.max(0, ...known.map(([name]) => name.length));
  for (const [name, value] of known) terminal.out(`${paint(terminal, 'dim', name.padEnd(width))}${GAP}${value}`);
}

function cut(text: string): string {
  const line = plain(text).replaceAll(/\s+/g, ' ');
  return line.length > WIDEST ? `${line.slice(0, WIDEST - 1)}…` : line;
}
