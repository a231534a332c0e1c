import { expect, test } from 'vitest';
import { countConflicts, markerSize } from '../../../src/domain/run/conflict-markers.ts';

const conflict = (size: number): string =>
  [`${'<'.repeat(size)} HEAD`, 'ours', '='.repeat(size), 'theirs', `${'>'.repeat(size)} other`, ''].join('\n');

test.each<[string, string, number]>([
  ['a conflict', conflict(7), 1],
  ['two conflicts', conflict(7) + conflict(7), 2],
  ['a conflict in a file with CRLF', conflict(7).replaceAll('\n', '\r\n'), 1],
  ['a conflict with the common ancestor', conflict(7).replace('ours\n', 'ours\n||||||| base\nbase\n'), 1],
  ['a heading of Markdown', 'Title\n=======\n', 0],
  ['a quotation in an email', '>>>>>>> he wrote\n', 0],
  ['two of the markers', '<<<<<<< HEAD\n=======\n', 0],
  ['the markers in another order', '>>>>>>> a\n=======\n<<<<<<< b\n', 0],
  ['longer markers', conflict(9), 0],
  ['markers within lines', conflict(7).replaceAll(/^/gm, '# '), 0],
])('%s', (_what, text, conflicts) => {
  expect(countConflicts(text)).toBe(conflicts);
});

test("a file's attribute says how long its markers are", () => {
  expect([undefined, 'unspecified', 'set', '0', '32'].map(markerSize)).toEqual([7, 7, 7, 7, 32]);
  expect(countConflicts(conflict(7), 32)).toBe(0);
  expect(countConflicts(conflict(32), 32)).toBe(1);
});

test('only lines that a diff adds count where it is asked', () => {
  const added = conflict(7).replaceAll(/^(?=.)/gm, '+');
  expect(countConflicts(added, 7, '+')).toBe(1);
  expect(countConflicts(added.replace('+=======', ' ======='), 7, '+')).toBe(0);
});
