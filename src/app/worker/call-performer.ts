/** What performs approved tool calls: the performers of all tools, with the arguments that were stored. */
import type { CallPerformer } from '../../../activities/tools/perform-call.ts';
import { TOOLS, type ToolName } from '../../domain/tools/catalogue.ts';
import type { Database } from '../../store/connection/database.ts';
import { findAssignment } from '../../store/runs/assignments.ts';
import { findToolRun } from '../../store/runs/tool-runs.ts';
import { notDone, performTool, type ToolPerformers } from '../../tools/performers.ts';
import { openArguments, type ArgumentSealing } from '../../tools/sealed-arguments.ts';

/** Milliseconds within which a tool is performed; its activity is given up a little later, and tried again. */
const WITHIN_MS = 4 * 60_000;

/**
 * Performs the call of a run as it was stored, with the same key at each try. Fails, so that the agent reads why, if the run or the
 * tool is not there any more, or the arguments are not those that were approved.
 */
export function createCallPerformer(ports: {
  readonly db: Database;
  readonly performers: ToolPerformers;
  readonly sealing: ArgumentSealing;
}): CallPerformer {
  const { db, performers, sealing } = ports;
  return {
    async perform(call) {
      const { runId, digest } = call;
      const tool = TOOLS.find((row) => row.tool === call.tool)?.tool;
      if (tool === undefined) return notDone('not_available_here', `there is no tool ${call.tool} in this version`);
      const assignment = await findAssignment(db, runId);
      const run = assignment && (await findToolRun(db, assignment));
      if (!run) return notDone('refused', 'the repository of the run is not bound any more');
      let args;
      try {
        args = openArguments<ToolName>(tool, call, runId, sealing);
      } catch (error) {
        return notDone('refused', `the arguments are not those that were approved: ${String(error)}`);
      }
      const signal = AbortSignal.timeout(WITHIN_MS);
      // The attempt that made the call, as when it would have been performed at once.
      const context = { run: { ...run, attempt: call.attempt }, key: `${runId}:${digest.slice(0, 32)}`, signal };
      return performTool(performers, tool, args, context);
    },
  };
}
