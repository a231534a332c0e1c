import { describe, expect, test } from 'vitest';
import {
  excludeLines,
  holdBack,
  LARGEST_NEW_FILE,
  MOST_PLACES,
  unwantedIn,
} from '../../../src/domain/run/held-back.ts';

const NONE: ReadonlySet<string> = new Set();

function files(...paths: string[]): { path: string; bytes: number }[] {
  return paths.map((path) => ({ path, bytes: 10 }));
}

describe('new files', () => {
  test.each([
    ['node_modules/a/index.js', 'node_modules/', 'dependencies'],
    ['packages/web/node_modules/a.js', 'packages/web/node_modules/', 'dependencies'],
    ['.venv/bin/python', '.venv/', 'dependencies'],
    ['.env', '.env', 'secret'],
    ['deploy/.env.production', 'deploy/.env.production', 'secret'],
    ['keys/server.PEM', 'keys/server.PEM', 'secret'],
    ['home/id_ed25519', 'home/id_ed25519', 'secret'],
    ['other/', 'other/', 'repository'],
  ])('of the path %s are held back', (path, place, reason) => {
    expect(holdBack(files(path), NONE)).toEqual({ kept: [], held: [{ path: place, files: 1, reason }] });
  });

  test.each(['src/env.ts', '.env.example', '.env.local.example', 'docs/keys.md', 'node_modules.md', 'src/venv.py'])(
    'of the path %s are committed',
    (path) => {
      expect(holdBack(files(path), NONE)).toEqual({ kept: [path], held: [] });
    },
  );

  test('of a folder that is tracked are committed', () => {
    expect(holdBack(files('node_modules/a.js'), new Set(['node_modules']))).toEqual({
      kept: ['node_modules/a.js'],
      held: [],
    });
  });

  test('that are too large are held back', () => {
    const { held } = holdBack([{ path: 'dump.sql', bytes: LARGEST_NEW_FILE + 1 }], NONE);
    expect(held).toEqual([{ path: 'dump.sql', files: 1, reason: 'large' }]);
  });

  test('in their hundreds are held back by folder, the fullest first', () => {
    const many = (folder: string, count: number) => Array.from({ length: count }, (_, n) => `${folder}${n}`);
    const all = files(...many('src/gen/', 200), ...many('src/', 50), ...many('', 60), 'docs/a.md');
    const { kept, held } = holdBack(all, new Set(['src', 'docs']));
    expect(held).toEqual([{ path: 'src/gen/', files: 200, reason: 'many' }]);
    expect(kept).toHaveLength(111);
  });

  test('in too many places to name are counted', () => {
    const { held } = holdBack(files(...Array.from({ length: 50 }, (_, n) => `${n}/.env`)), NONE);
    expect(held).toHaveLength(MOST_PLACES);
    expect(held.at(-1)).toEqual({ path: '…', files: 50 - MOST_PLACES + 1, reason: 'secret' });
  });
});

test("a clone's own list of ignored files leaves out folders that are tracked", () => {
  const lines = excludeLines(new Set(['lib/node_modules']));
  expect(lines).toContain('.env');
  expect(lines).toContain('!.env.example');
  expect(lines).not.toContain('node_modules/');
});

test('those that a pull request adds are found by their paths', () => {
  expect(unwantedIn(['a.js', 'node_modules/a.js', 'node_modules/b.js'])).toEqual([
    { path: 'node_modules/', files: 2, reason: 'dependencies' },
  ]);
});
