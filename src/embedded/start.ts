/** Starts the embedded default in a data directory, for `up` and `demo`. */
import { startSetUp } from './set-up/set-up.ts';
import type { Stack } from './stack.ts';

export interface StackOptions {
  readonly data?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** Called with each line of progress. */
  readonly report: (message: string) => void;
  /** The agents' runtime; `local` by default. */
  readonly runtime?: 'local' | 'kubernetes' | undefined;
  /** The arguments with which Node starts this program; a command comes after them. */
  readonly self: readonly string[];
  /** PATH of the processes. */
  readonly path: string;
}

/**
 * Starts the stack. Steps that only a start needs are performed in a set-up process that exits afterwards, so that this
 * process stays small. The set-up process also compiles the supervisor's modules into the compile cache.
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
