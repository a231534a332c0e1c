/** `codex-k8s agent`: claims its attempt, then works. A second process of the same attempt finds the claim and ends. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { claim } from '../../adapters/local-runtime/process-record.ts';

export interface AgentArguments {
  readonly platformUrl: string;
  readonly tokenFile: string;
  readonly workspace: string;
  /** Directory of this attempt's claim and exit code; absent in a container, where the pod is the attempt. */
  readonly attemptDirectory?: string;
}

/** Returns the exit code. The runner is imported after the claim, since the runtime waits for the claim. */
export async function agent({ attemptDirectory, ...options }: AgentArguments): Promise<number> {
  if (attemptDirectory !== undefined && !(await begin(attemptDirectory))) return 0;
  const [{ runAgent }, { createAgentCli }] = await Promise.all([
    import('../../agent/runner/runner.ts'),
    import('./agent-clis.ts'),
  ]);
  return runAgent({ ...options, createCli: createAgentCli, ownsDescendants: true });
}

/** Claims the attempt. False if another process has it. */
async function begin(attemptDirectory: string): Promise<boolean> {
  if (!(await claim(join(attemptDirectory, 'process.json')))) {
    process.stdout.write('another process has claimed this attempt: nothing to do\n');
    return false;
  }
  process.once('exit', (code) =>
    writeFileSync(join(attemptDirectory, 'exit.json'), JSON.stringify({ code }), { mode: 0o600 }),
  );
  return true;
}
