/** What a whole run of vitest shares, as its workers ask for it (test/support/global-setup.ts starts it). */

/** Names where to ask; inherited by vitest's workers. */
export const SHARED_URL = 'CODEXK8S_TEST_SHARED';

/**
 * `postgres`: a server's URL. `temporal`: a server's address. `workflows`: a file with the bundled workflows, and
 * `stack-workflows` one for whole stacks.
 */
export type SharedName = 'postgres' | 'temporal' | 'workflows' | 'stack-workflows';

/** Whether this is a test of vitest's. */
export function isShared(): boolean {
  return process.env[SHARED_URL] !== undefined;
}

/** Where the shared thing is, which is started now if nobody has asked before; undefined outside of vitest. */
export async function shared(name: SharedName): Promise<string | undefined> {
  const url = process.env[SHARED_URL];
  if (url === undefined) return undefined;
  const response = await fetch(`${url}/${name}`);
  const answer = await response.text();
  if (!response.ok) throw new Error(`${name} of this run of the tests: ${answer}`);
  return answer;
}
