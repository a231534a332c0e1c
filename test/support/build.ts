/** Another build of this program: the working tree with something changed, in a directory of its own. */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PARTS = [
  'src',
  'workflows',
  'activities',
  'ingress',
  'prompts',
  'migrations',
  'package.json',
  'temporal-dev.yaml',
];

export interface Build {
  readonly cli: string;
  readonly workflows: string;
  remove(): void;
}

/** Copies the working tree and changes one file of it. */
function otherBuild(file: string, change: (text: string) => string): Build {
  const directory = mkdtempSync(join(tmpdir(), 'codex-k8s-build-'));
  for (const part of PARTS) cpSync(join(ROOT, part), join(directory, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  const path = join(directory, file);
  const text = readFileSync(path, 'utf8');
  const changed = change(text);
  if (changed === text) throw new Error(`nothing was changed in ${file}`);
  writeFileSync(path, changed);
  return {
    cli: join(directory, 'src/cli/cli.ts'),
    workflows: join(directory, 'workflows/index.ts'),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** A build whose runs begin with a timer that those of no other build have, and without a patch for it. */
export function nonDeterministicBuild(): Build {
  return otherBuild('workflows/run/workflow.ts', (text) =>
    text
      .replace(/^import \{/m, "import { sleep } from '@temporalio/workflow';\nimport {")
      .replace(/(export async function runWorkflow\([^{]+\{)/, "$1\n  await sleep('1 second');"),
  );
}
