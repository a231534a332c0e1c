/**
 * Permits to work are granted by one workflow (workflows/concurrency/workflow.ts); this asks it, and finds runs that have
 * ended.
 */
import type { PermitAnswer, PermitRequest, RunLimits } from '../../src/domain/run/permits.ts';
import type { WorkflowStatus } from '../../src/domain/maintenance/orphans.ts';

/** The workflow that grants permits, and the current limits. */
export interface RunPermits {
  readonly limits: RunLimits;
  /** Asks for a run's permit. Idempotent: a run that has one is granted it again. */
  acquire(request: Omit<PermitRequest, 'at'>): Promise<PermitAnswer>;
  /** Gives back a run's permit, or its position in the queue. Idempotent, and safe for runs that never asked. */
  release(runId: string): Promise<void>;
}

export interface PermitPorts {
  readonly permits: RunPermits;
  readonly workflows: { statusOf(workflowId: string): Promise<WorkflowStatus> };
}

export function createPermitActivities({ permits, workflows }: PermitPorts) {
  return {
    /** The runs whose workflows have ended, and the current limits. */
    async findEndedRuns({ runIds }: { runIds: readonly string[] }): Promise<{ ended: string[]; limits: RunLimits }> {
      const ended: string[] = [];
      for (const runId of runIds) if ((await workflows.statusOf(`run:${runId}`)).status !== 'open') ended.push(runId);
      return { ended, limits: permits.limits };
    },
  };
}
