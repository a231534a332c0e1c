/** Turns: which runs may work now is for one workflow to say (workflows/concurrency/workflow.ts); this asks it, and looks around for it. */
import type { CapacityAnswer, CapacityRequest, RunLimits } from '../../src/domain/run/permits.ts';
import type { WorkflowStatus } from '../../src/domain/maintenance/sweeps.ts';

/** The workflow that says whose turn it is, and the limits that hold. */
export interface RunCapacity {
  readonly limits: RunLimits;
  /** Asks for a run's turn. Safe to repeat. */
  ask(request: Omit<CapacityRequest, 'at'>): Promise<CapacityAnswer>;
  /** Gives up a run's turn, or its place in the queue. Safe to repeat, and for runs that never asked. */
  leave(runId: string): Promise<void>;
}

export interface CapacityPorts {
  readonly capacity: RunCapacity;
  readonly workflows: { statusOf(workflowId: string): Promise<WorkflowStatus> };
}

export function createCapacityActivities({ capacity, workflows }: CapacityPorts) {
  return {
    /** Those of the runs whose workflows do not run any more, and the limits that hold now. */
    async findEndedRuns({ runIds }: { runIds: readonly string[] }): Promise<{ ended: string[]; limits: RunLimits }> {
      const ended: string[] = [];
      for (const runId of runIds) if ((await workflows.statusOf(`run:${runId}`)).status !== 'open') ended.push(runId);
      return { ended, limits: capacity.limits };
    },
  };
}
