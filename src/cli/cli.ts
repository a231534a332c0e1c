#!/usr/bin/env node
/** `codex-k8s`: the one program. */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheDirectory } from '../embedded/files/cache-directory.ts';

// Modules loaded from here on come from Node's compile cache, which halves the start of an agent. The cache is in a directory
// of the user's own, where nobody else can put code; without one, starts are slower.
enableCompileCache(join(cacheDirectory(process.env), 'compiled'));

const { runProgram } = await import('./program.ts');
await runProgram({
  self: [fileURLToPath(import.meta.url)],
  runServer: async () => (await import('../app/server/server.ts')).runServer(),
  runWorker: async () => (await import('../app/worker/worker.ts')).runWorker(),
});
