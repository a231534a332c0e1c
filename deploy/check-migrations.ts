/** Fails if a schema change has no migration: generates migrations into a copy, and expects none. */
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { execa } from 'execa';

const SCHEMA = 'src/store/connection/schema.ts';
const UNCHANGED = 'No schema changes';

const directory = mkdtempSync(join(tmpdir(), 'codex-k8s-migrations-'));
try {
  cpSync('migrations', directory, { recursive: true });
  const before = readdirSync(directory);
  // drizzle-kit takes a relative output directory only, and exits with 0 on failure.
  const out = relative(process.cwd(), directory);
  const { stdout } = await execa(
    'drizzle-kit',
    ['generate', '--dialect=postgresql', `--schema=${SCHEMA}`, `--out=${out}`, '--name=missing'],
    { preferLocal: true, stdin: 'ignore' },
  );
  const added = readdirSync(directory).filter((file) => !before.includes(file));
  if (added.length === 0 && stdout.includes(UNCHANGED)) {
    process.stdout.write('migrations match the schema\n');
  } else {
    process.stderr.write(
      added.length > 0
        ? `${SCHEMA} has changes without a migration. Run: npm run migrations:generate -- --name WHAT_CHANGED\n`
        : `drizzle-kit could not compare:\n${stdout}\n`,
    );
    process.exitCode = 1;
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
