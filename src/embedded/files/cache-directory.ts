/** The cache, shared by all data directories of a user. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The cache directory of codex-k8s, according to the XDG specification. */
export function cacheDirectory(env: NodeJS.ProcessEnv): string {
  return join(env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache'), 'codex-k8s');
}
