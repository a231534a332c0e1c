/** The agents of a run: launched with a permit, awaited, and followed by the next attempt when one is lost. */
import {
  CancellationScope,
  CancelledFailure,
  isCancellation,
  log,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { AgentEnd } from '../../activities/agents/agents.ts';
import { issueKey } from '../../src/domain/issue/facts.ts';
import { afterLoss } from '../../src/domain/run/attempts.ts';
import type { TerminationReason } from '../../src/domain/run/termination-reasons.ts';
import { roleOf } from '../../src/domain/stages/stages.ts';
import { useOf } from '../../src/domain/workspace/workspaces.ts';
import { awaitAgent, haltAgent, launchAgent, stopAgent } from '../activities.ts';
import { callParked, searchAttributes } from '../messages.ts';
import type { RunContext } from './context.ts';
import { logged, messageOf, RunFailed, terminationOf } from './failure.ts';

/** How long the agent of a parked call may take to store its conversation and to report. */
const PARKED_GRACE = '1 minute';

export type BriefReport = Extract<AgentEnd, { kind: 'reported' }>['report'];

/** Launches the run's next agent and waits for its report; a lost agent is followed by the next attempt. */
export async function letAgentWork(run: RunContext): Promise<BriefReport> {
  const { input, progress } = run;
  const ref = { runId: input.plan.runId, workspace: input.workspace.name };
  let lost: { readonly termination: TerminationReason; readonly detail: string; readonly pod?: string } | undefined;
  for (;;) {
    const namespace = await launch(run);
    const { attempt } = run.attempts;
    progress.worksIn(namespace);
    upsertSearchAttributes([{ key: searchAttributes.runStatus, value: 'working' }]);
    const shown = progress.enter('working', [
      ...(lost ? [{ type: 'run.agent.replaced', payload: { ...lost } }] : []),
      { type: 'run.namespace.prepared', payload: { namespace } },
      {
        type: 'run.agent.started',
        payload: { attempt, branch: input.branch, model: progress.now().model ?? input.settings.model },
      },
    ]);
    shown.catch(() => undefined); // cancelling the agent does not wait for it
    setCurrentDetails(progress.details());
    run.atWork = attempt;
    const end = await awaitAgent({ ...ref, attempt }).finally(() => {
      run.atWork = null;
    });
    // Immediately: from here on there is nothing to pause. Updates are shown in order.
    if (end.kind === 'reported') return end.report;
    await shown;
    const { detail, termination = 'agent_lost', pod } = end;
    log.warn('agent lost', { attempt, termination, detail });
    const next = afterLoss(run.attempts, termination);
    if (!next) {
      // Stop an agent that may still be starting.
      if (end.termination !== undefined) await stopAgent(ref).catch(logged);
      throw new RunFailed(termination, detail);
    }
    run.attempts = next;
    if (end.termination !== undefined) lost = { termination, detail, ...(pod === undefined ? {} : { pod }) };
  }
}

/** Halts an agent that does not end by itself though its tool call waits for people. */
export function haltParkedAgents(run: RunContext): void {
  const { plan, workspace } = run.input;
  setHandler(callParked, async ({ attempt }) => {
    await sleep(PARKED_GRACE).catch(() => undefined);
    if (run.atWork === attempt) await haltAgent({ runId: plan.runId, workspace: workspace.name }).catch(logged);
  });
}

/** Launches an agent as soon as the run has a permit. Returns its namespace. */
async function launch({ input, progress, permits, attempts, goingOn, baseCommit }: RunContext): Promise<string> {
  const { plan, issue, settings, workspace } = input;
  const { project, egress } = settings;
  const lease = {
    until: workspace.until,
    correlationId: plan.delivery,
    ...(baseCommit === null ? {} : { baseCommit }),
  };
  for (;;) {
    const answer = await launchAgent({
      runId: plan.runId,
      workspace: workspace.name,
      attempt: attempts.attempt,
      launch: attempts.launch,
      owner: issueKey(issue),
      use: useOf(plan.target, { project, issue, ...lease, ...(egress && { egress }) }),
      permit: { project, role: roleOf(plan.target) },
      goingOn,
    }).catch((error: unknown) => {
      unlessCanceled();
      throw isCancellation(error) ? error : new RunFailed(terminationOf(error) ?? 'launch_failed', messageOf(error));
    });
    unlessCanceled();
    if (answer.granted) return answer.namespace ?? workspace.name;
    upsertSearchAttributes([{ key: searchAttributes.runStatus, value: 'queued' }]);
    await permits.wait(answer.position, (position) => {
      progress.queued(position).catch(logged);
      setCurrentDetails(progress.details());
    });
  }
}

/** A launch goes on to its end when its run is paused or canceled meanwhile; nothing is shown of it then. */
function unlessCanceled(): void {
  if (CancellationScope.current().consideredCancelled)
    throw new CancelledFailure('paused or canceled while an agent was launched');
}
