/** Fails when the schema has moved on and migrations/ has not: generates into a copy, and expects nothing new. */
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

const SCHEMA = 'src/read-model/schema.ts';
const directory = mkdtempSync(join(tmpdir(), 'codex-k8s-migrations-'));
const copy = join(directory, 'migrations');
try {
  cpSync('migrations', copy, { recursive: true });
  const before = readdirSync(copy);
  await execa(
    'drizzle-kit',
    ['generate', '--dialect=postgresql', `--schema=${SCHEMA}`, `--out=${copy}`, '--name=missing'],
    {
      preferLocal: true,
      stdin: 'ignore',
    },
  );
  const added = readdirSync(copy).filter((file) => !before.includes(file));
  if (added.length > 0) {
    process.stderr.write(
      `${SCHEMA} has changes without a migration. Run: npm run migrations:generate -- --name WHAT_CHANGED\n`,
    );
    process.exitCode = 1;
  } else {
    process.stdout.write('migrations match the schema\n');
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
