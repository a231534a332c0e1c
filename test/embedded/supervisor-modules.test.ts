/** What the process of `up` loads and keeps in memory: it watches over others for weeks. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

/** Where `up` begins, and what it loads while it runs; steps of the start are loaded by another process. */
const ROOTS = ['src/cli/cli.ts', 'src/cli/program.ts', 'src/embedded/up.ts', 'src/embedded/stack.ts'];

/** Static imports of values. */
const IMPORT = /^(?:import|export) (?!type\b)(?:[^'";]*? from )?'([^']+)';/gm;

/** The packages that some files load, and the files that those load. */
function packagesOf(roots: readonly string[]): string[] {
  const packages = new Set<string>();
  const seen = new Set(roots);
  for (const file of seen) {
    for (const [, from = ''] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
      if (from.startsWith('.')) seen.add(join(dirname(file), from));
      else if (!from.startsWith('node:')) packages.add(from);
    }
  }
  return [...packages].toSorted();
}

test('the process of up loads the command line and the limiter of the local runtime, and no other package', () => {
  expect(packagesOf(ROOTS)).toEqual(['commander', 'p-limit']);
});

test('what a start needs would be seen', () => {
  expect(packagesOf(['src/embedded/temporal/namespace.ts', 'src/store/connection/migrate.ts'])).toEqual(
    expect.arrayContaining(['@temporalio/client', 'drizzle-orm', 'postgres']),
  );
});
