/** The process that performs the steps of a start (steps.ts) on request of its parent. It exits with its parent. */
import { flushCompileCache } from 'node:module';
import { CommandProblem } from '../../terminal/problems.ts';
import type { StartCluster } from '../kubernetes.ts';
import { STEPS, type StepAnswer, type StepContext, type StepRequest } from './steps.ts';

/**
 * Performs requests until the parent closes the channel. First it compiles the parent's modules for the compile cache, since
 * the compiler allocates memory that a process does not release.
 */
export async function runSetUp({ startCluster }: { startCluster: StartCluster }): Promise<void> {
  await import('../stack.ts');
  flushCompileCache();
  process.once('disconnect', () => process.exit());
  process.on('message', (request: StepRequest) => {
    const answer = (said: StepAnswer): void => void process.send?.(said);
    const report = (message: string): void => answer({ id: request.id, report: message });
    perform(request, { env: process.env, report, startCluster }).then(answer, (error: unknown) =>
      answer({ id: request.id, ...problemOf(error) }),
    );
  });
}

async function perform({ id, name, input }: StepRequest, context: StepContext): Promise<StepAnswer> {
  const step: (input: never, context: StepContext) => Promise<unknown> = STEPS[name];
  return { id, result: await step(input as never, context) };
}

function problemOf(error: unknown): { problem: string; exitCode?: 1 | 2 } {
  if (error instanceof CommandProblem) return { problem: error.message, exitCode: error.exitCode };
  return { problem: error instanceof Error ? error.message : String(error) };
}
