#!/usr/bin/env node
/** `codex-k8s`: the one program. */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheDirectory } from '../embedded/files/cache-directory.ts';

// What is loaded from here on was compiled by an earlier start: an agent begins in half the time. In a directory of the
// user's own, where nobody else can put code; without one, things are only slower.
enableCompileCache(join(cacheDirectory(process.env), 'compiled'));

const { runProgram } = await import('./program.ts');
await runProgram({
  self: [fileURLToPath(import.meta.url)],
  runServer: async () => (await import('../app/server/server.ts')).runServer(),
  runWorker: async () => (await import('../app/worker/worker.ts')).runWorker(),
});
