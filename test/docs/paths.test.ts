import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const FOLDERS = 'src|workflows|activities|ingress|deploy|test|bench|docs|prompts|migrations';
const PAGES = ['README.md', 'CONTRIBUTING.md', ...readdirSync('docs').map((name) => join('docs', name))].filter(
  (path) => path.endsWith('.md') && path !== 'docs/labels.md',
);

/** Paths of this repository in code spans; those with a placeholder (NAME, *, …) are left out. */
function pathsIn(page: string): string[] {
  return [...page.matchAll(new RegExp(`\`((?:${FOLDERS})/[^\`\\s]*)\``, 'g'))]
    .map(([, path = '']) => path)
    .filter((path) => !/[A-Z]{2}|[*…<{]/.test(path));
}

/** Targets of links within this repository, without the part after `#`. */
function linksIn(page: string): string[] {
  return [...page.matchAll(/\]\((?!https?:)([^)#\s]+)/g)].map(([, target = '']) => target);
}

test.each(PAGES)('%s names no path that does not exist', (name) => {
  const paths = pathsIn(readFileSync(name, 'utf8'));
  expect(paths.filter((path) => !existsSync(path) && !existsSync(`${path}.test.ts`))).toEqual([]);
});

test.each(PAGES)('%s links to no page that does not exist', (name) => {
  const links = linksIn(readFileSync(name, 'utf8'));
  expect(links.filter((target) => !existsSync(join(name, '..', target)))).toEqual([]);
});

test('docs/architecture.md names no file that does not exist', () => {
  const files = FOLDERS.split('|').flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }));
  const named = [...readFileSync('docs/architecture.md', 'utf8').matchAll(/`([\w/-]+\.ts)`/g)].map(
    ([, path = '']) => path,
  );
  expect(named.filter((path) => !existsSync(path) && !files.some((file) => `/${file}`.endsWith(`/${path}`)))).toEqual(
    [],
  );
});
