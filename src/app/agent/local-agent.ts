/** `codex-k8s agent`: claims its place, then works. A second process of the same attempt finds the claim and ends. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { claim } from '../../adapters/local-runtime/process-record.ts';

export interface AgentArguments {
  readonly platformUrl: string;
  readonly tokenFile: string;
  readonly workspace: string;
  /** Where this attempt keeps its claim and its end; absent in a container, where the pod is the place. */
  readonly place?: string;
}

/** Returns the exit code. What does the work is loaded when the place is claimed: whoever launched this waits for that. */
export async function agent({ place, ...options }: AgentArguments): Promise<number> {
  if (place !== undefined && !(await begin(place))) return 0;
  const [{ runAgent }, { createCodex }] = await Promise.all([
    import('../../agent/runner/runner.ts'),
    import('../../agent/cli/codex/codex.ts'),
  ]);
  return runAgent({ ...options, createCli: createCodex });
}

/** False when another process has this attempt. */
async function begin(place: string): Promise<boolean> {
  if (!(await claim(join(place, 'process.json')))) {
    process.stdout.write('another process has this attempt: nothing to do\n');
    return false;
  }
  process.once('exit', (code) => writeFileSync(join(place, 'exit.json'), JSON.stringify({ code }), { mode: 0o600 }));
  return true;
}
