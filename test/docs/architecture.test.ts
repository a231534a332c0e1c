import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const page = readFileSync('docs/architecture.md', 'utf8');
/** Rows of the table of folders, by folder. */
const rows = new Map(
  [...page.slice(page.indexOf('## Where things are')).matchAll(/^\| `([\w/-]+)` \|(.*)$/gm)].map(
    ([, folder = '', row = '']): [string, string] => [folder, row],
  ),
);
const rooms = [...foldersIn('src').map((room) => `src/${room}`), 'workflows', 'activities', 'ingress', 'deploy'];

function foldersIn(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

test.each(rooms)('docs/architecture.md lists the folders of %s', (room) => {
  const row = rows.get(room);
  expect(foldersIn(room).filter((folder) => !row?.includes(`\`${folder}\``))).toEqual([]);
  expect(row).toBeDefined();
});

test('docs/architecture.md lists no folder that does not exist', () => {
  expect([...rows.keys()].filter((folder) => !existsSync(folder))).toEqual([]);
});
