const WIDTH = 7;

/** One row for each file, and a last one with the total when there are several. */
export function formatTable(rows, total) {
  const all = rows.length > 1 ? [...rows, { file: 'total', ...total }] : rows;
  return all.map(formatRow).join('');
}

function formatRow({ file, lines, words, bytes }) {
  const numbers = [lines, words, bytes].map((number) => String(number).padStart(WIDTH));
  return `${numbers.join('')}  ${file}\n`;
}
