/** Permits to work: one workflow hands them out (workflows/concurrency/workflow.ts); this asks it, and looks around for it. */
import type { PermitAnswer, PermitRequest, RunLimits } from '../../src/domain/run/permits.ts';
import type { WorkflowStatus } from '../../src/domain/maintenance/orphans.ts';

/** The workflow that hands out permits, and the limits that hold. */
export interface RunPermits {
  readonly limits: RunLimits;
  /** Asks for a run's permit. Safe to repeat: a run that has one is granted it again. */
  acquire(request: Omit<PermitRequest, 'at'>): Promise<PermitAnswer>;
  /** Gives back a run's permit, or its position in the queue. Safe to repeat, and for runs that never asked. */
  release(runId: string): Promise<void>;
}

export interface PermitPorts {
  readonly permits: RunPermits;
  readonly workflows: { statusOf(workflowId: string): Promise<WorkflowStatus> };
}

export function createPermitActivities({ permits, workflows }: PermitPorts) {
  return {
    /** Those of the runs whose workflows do not run any more, and the limits that hold now. */
    async findEndedRuns({ runIds }: { runIds: readonly string[] }): Promise<{ ended: string[]; limits: RunLimits }> {
      const ended: string[] = [];
      for (const runId of runIds) if ((await workflows.statusOf(`run:${runId}`)).status !== 'open') ended.push(runId);
      return { ended, limits: permits.limits };
    },
  };
}
