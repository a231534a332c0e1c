/** Copies the packages that the agent imports to a directory, for its image: `copy-agent-packages.ts DIRECTORY`. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { AGENT_PACKAGES, packageClosure } from './local-cluster/images/package-closure.ts';

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('usage: copy-agent-packages.ts DIRECTORY');
for (const { path } of packageClosure('.', AGENT_PACKAGES)) {
  cpSync(path, join(directory, path), { recursive: true, verbatimSymlinks: true });
}
