/** `codex-k8s agent`: claims its place, then works. A second process of the same attempt finds the claim and ends. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { claim } from '../adapters/local-runtime/process-record.ts';
import { runAgent } from '../agent/runner.ts';

export interface AgentArguments {
  readonly platformUrl: string;
  readonly tokenFile: string;
  readonly workspace: string;
  /** Where this attempt keeps its claim and its end; absent in a container, where the pod is the place. */
  readonly place?: string;
}

/** Returns the exit code. */
export async function agent({ place, ...options }: AgentArguments): Promise<number> {
  if (place === undefined) return runAgent(options);
  if (!(await claim(join(place, 'process.json')))) {
    process.stdout.write('another process has this attempt: nothing to do\n');
    return 0;
  }
  process.once('exit', (code) => writeFileSync(join(place, 'exit.json'), JSON.stringify({ code }), { mode: 0o600 }));
  return runAgent(options);
}
