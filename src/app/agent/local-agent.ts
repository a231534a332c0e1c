/** `codex-k8s agent`: claims its attempt, then works. A second process of the same attempt finds the claim and ends. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { claim } from '../../adapters/local-runtime/process-record.ts';

export interface AgentArguments {
  readonly platformUrl: string;
  readonly tokenFile: string;
  readonly workspace: string;
  /** Where this attempt keeps its claim and its end; absent in a container, where the pod is the attempt. */
  readonly attemptDirectory?: string;
}

/** Returns the exit code. What does the work is loaded when the attempt is claimed: whoever launched this waits for that. */
export async function agent({ attemptDirectory, ...options }: AgentArguments): Promise<number> {
  if (attemptDirectory !== undefined && !(await begin(attemptDirectory))) return 0;
  const [{ runAgent }, { createCodex }] = await Promise.all([
    import('../../agent/runner/runner.ts'),
    import('../../agent/cli/codex/codex.ts'),
  ]);
  return runAgent({ ...options, createCli: createCodex });
}

/** False when another process has this attempt. */
async function begin(attemptDirectory: string): Promise<boolean> {
  if (!(await claim(join(attemptDirectory, 'process.json')))) {
    process.stdout.write('another process has this attempt: nothing to do\n');
    return false;
  }
  process.once('exit', (code) =>
    writeFileSync(join(attemptDirectory, 'exit.json'), JSON.stringify({ code }), { mode: 0o600 }),
  );
  return true;
}
