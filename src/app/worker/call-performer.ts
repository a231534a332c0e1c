/** What performs approved tool calls, by tool. */
import type { CallPerformer } from '../../../activities/tools/perform-call.ts';

/** Performs a call of one tool. */
type Performer = CallPerformer['perform'];

/** Performers of the tools that may need an approval. A call of another tool fails, and its agent reads so. */
export function createCallPerformer(byTool: Readonly<Record<string, Performer>>): CallPerformer {
  return {
    async perform(call) {
      const performer = Object.hasOwn(byTool, call.tool) ? byTool[call.tool] : undefined;
      if (performer) return performer(call);
      const message = `this installation cannot carry out ${call.tool}; go on without it`;
      return { status: 'failed', reason: 'not_available_here', message };
    },
  };
}
