/** Starts the embedded default in a data directory: what `up` and `demo` share. */
import { startSetUp } from './set-up/set-up.ts';
import type { Stack } from './stack.ts';

export interface StackOptions {
  readonly data?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** ReceivedDelivery what is going on, a line at a time. */
  readonly report: (message: string) => void;
  /** Where agents run: beside the worker unless told. */
  readonly runtime?: 'local' | 'kubernetes' | undefined;
  /** The arguments with which Node starts this program; a command comes after them. */
  readonly self: readonly string[];
  /** The PATH of our processes. */
  readonly path: string;
}

/**
 * Starts everything. What only a start needs is done in a process of its own, which ends with the start: this process
 * stays, and is small. That one also loads the supervisor's modules first, so that this one finds them compiled.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const setUp = startSetUp(options);
  try {
    const { labelsFile } = await setUp.perform('configuration', {});
    const { startIn } = await import('./stack.ts');
    return await startIn({ ...options, labelsFile, setUp });
  } finally {
    setUp.end();
  }
}
