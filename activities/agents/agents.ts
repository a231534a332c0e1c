/** Agents and their workspaces. Names are deterministic: a repeated launch finds what exists. */
import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure, cancellationSignal, log } from '@temporalio/activity';
import { goingOnMessage, raiseIn, type GoingOn } from '../../src/domain/agent/going-on.ts';
import { parkedCall, type ParkedCall } from '../../src/domain/approvals/parked-call.ts';
import type { PermitAnswer, PermitRequest } from '../../src/domain/run/permits.ts';
import type { WorkspaceUse } from '../../src/domain/workspace/workspaces.ts';
import type { TerminationReason } from '../../src/domain/run/termination-reasons.ts';
import { createRedactor } from '../../src/domain/agent/redaction.ts';
import type { SpentBudget } from '../../src/domain/money/budget-request.ts';
import type { Question } from '../../src/domain/run/requests.ts';
import type { Failure } from '../../src/domain/run/runs.ts';
import type { WorkNotes } from '../../src/domain/run/work-notes.ts';
import { STAGES, type Stage } from '../../src/domain/stages/stages.ts';
import type { ListedWorkspace } from '../../src/domain/maintenance/orphans.ts';
import {
  beginAttempt,
  closeAssignment,
  findAssignment,
  findAttempt,
  revokeAttempt,
} from '../../src/store/runs/assignments.ts';
import { findBudgetStop, raiseBudget } from '../../src/store/money/ledger.ts';
import { closeRequests } from '../../src/store/runs/requests.ts';
import { expireCalls, findParkedCall } from '../../src/store/runs/tool-calls.ts';
import type { Database } from '../../src/store/connection/database.ts';
import { storeLastLog } from '../../src/store/runs/run-log.ts';
import type { RunPermits } from './permits.ts';
import { classified } from '../failures.ts';
import { COMMENT_LIMITS, type CommentLimits, type StatusComments } from '../github/status-comments.ts';

/** One agent process of a run; `attempt` counts from 1. */
export interface AgentRef {
  readonly workspace: string;
  readonly runId: string;
  readonly attempt: number;
}

/** An agent to be started. */
export interface AgentLaunch extends AgentRef {
  /** Launches of this attempt, from 1: an agent that could not begin is launched once more. */
  readonly launch: number;
  /** The key. */
  readonly owner: string;
  readonly token: string;
  readonly use: WorkspaceUse;
}

/** `held`: what keeps the workspace from being deleted, if that takes long; the deletion continues by itself. */
export interface Removal {
  readonly held?: string;
}

/** A runtime (docs/decisions.md, 5). */
export interface AgentRuntime {
  /**
   * Creates the workspace and starts the agent; repeated, it finds both. Fails when the workspace belongs to another owner.
   * Returns the namespace if its name is not the workspace's.
   */
  launch(agent: AgentLaunch): Promise<{ namespace?: string }>;
  /**
   * Resolves when the agent has ended: how, in which pod, and the end of its output if that is stored nowhere else. A runtime
   * that does not know why the agent was lost leaves `termination` out.
   */
  ended(
    agent: AgentRef,
    signal: AbortSignal,
  ): Promise<{ detail: string; termination?: TerminationReason; log?: string; pod?: string }>;
  /** Stops the run's agent, if it is alive: SIGTERM first, SIGKILL after a grace period. */
  stop(run: Pick<AgentRef, 'workspace' | 'runId'>): Promise<void>;
  /** Removes a workspace of `owner`. Idempotent. */
  removeWorkspace(workspace: { name: string; owner: string }): Promise<Removal>;
  /** All workspaces that this platform has made, the longest unused first. */
  listWorkspaces(): Promise<ListedWorkspace[]>;
}

export interface AgentPorts {
  readonly db: Database;
  readonly runtime: AgentRuntime;
  /** The run token of one attempt. */
  readonly runToken: (runId: string, attempt: number) => string;
  readonly permits: Pick<RunPermits, 'acquire' | 'release'>;
  /** When the status comment of a run at work is refreshed; production's unless given. */
  readonly commentLimits?: Pick<CommentLimits, 'firstLookMs' | 'nextLookMs'>;
}

/** The part of an agent's end that the workflow needs; the whole report stays in Postgres. */
export type AgentEnd =
  | { readonly kind: 'reported'; readonly report: BriefReport }
  | { readonly kind: 'lost'; readonly detail: string; readonly termination?: TerminationReason; readonly pod?: string };

/** Whether the agent was started, or its run waits for a permit. `namespace`: if its name is not the workspace's. */
export type LaunchAnswer =
  | { readonly granted: true; readonly namespace?: string }
  | Extract<PermitAnswer, { granted: false }>;

type BriefReport =
  | {
      readonly outcome: 'finished';
      readonly headSha: string;
      readonly threadId: string;
      readonly summary: string;
      /** Of a rethink. */
      readonly backTo?: Stage;
      readonly notes?: WorkNotes;
    }
  | {
      readonly outcome: 'asked';
      readonly question: Question;
      readonly threadId: string;
      readonly headSha: string | null;
    }
  /** A tool call of the attempt waits for people, whatever its agent has reported. */
  | { readonly outcome: 'parked'; readonly call: ParkedCall }
  /** Its turn was ended by the platform, and no call waits: the agent goes on with the message that ended it. */
  | { readonly outcome: 'steered' }
  /** A spent budget has stopped the attempt, whatever its agent has reported. */
  | { readonly outcome: 'budget_spent'; readonly budget: SpentBudget }
  | { readonly outcome: 'failed'; readonly failure: Failure; readonly detail: string };

export function createAgentActivities(
  { db, runtime, runToken, permits, commentLimits: looks = COMMENT_LIMITS }: AgentPorts,
  comments?: Pick<StatusComments, 'refresh'>,
) {
  /**
   * Shows the agent's latest output in the run's status comment until it has ended. An error is logged, and the next refresh
   * tries again.
   */
  async function showWords(runId: string, over: AbortSignal): Promise<void> {
    for (let wait = looks.firstLookMs; await passes(wait, over); wait = looks.nextLookMs)
      await comments
        ?.refresh(runId)
        .catch((error: unknown) => log.warn('status comment not refreshed', { error: String(error) }));
  }

  /**
   * Gives the permit back, and fails, if the run was paused or ended while its permit was acquired or its agent was launched.
   * `undo` stops what was launched.
   */
  async function unlessRevoked({ runId, attempt }: AgentRef, undo?: () => Promise<void>): Promise<void> {
    const assignment = await findAssignment(db, runId);
    if (!assignment || (assignment.closedAt === null && assignment.revokedAttempt < attempt)) return;
    // A launch that comes so late that the next attempt has begun leaves that one alone.
    if (assignment.attempt <= attempt) {
      await undo?.();
      await permits.release(runId);
    }
    throw ApplicationFailure.nonRetryable(
      `attempt ${attempt} of run ${runId} is revoked: it has no agent`,
      'AttemptRevoked',
    );
  }

  return {
    /**
     * Acquires the run's permit and launches its agent, whose token becomes the only valid one of the run. Without a permit,
     * returns the run's queue position. `goingOn`: what ended the wait of the agent before.
     */
    async launchAgent({
      permit,
      launch,
      use,
      owner,
      goingOn,
      ...agent
    }: Omit<AgentLaunch, 'token'> & {
      permit: Pick<PermitRequest, 'project' | 'role'>;
      goingOn: GoingOn | null;
    }): Promise<LaunchAnswer> {
      const answer = await permits.acquire({ runId: agent.runId, ...permit });
      if (!answer.granted) return answer;
      const raise = raiseIn(goingOn);
      if (raise) await raiseBudget(db, raise);
      await beginAttempt(db, agent.runId, agent.attempt, goingOn ? goingOnMessage(goingOn) : undefined);
      await unlessRevoked(agent);
      const token = runToken(agent.runId, agent.attempt);
      const { namespace } = await classified(() => runtime.launch({ ...agent, owner, launch, token, use }));
      await unlessRevoked(agent, () => classified(() => runtime.stop(agent)));
      return { granted: true, ...(namespace === undefined ? {} : { namespace }) };
    },

    /**
     * Waits for hours for the agent to end; after a worker's restart it is found again by name. A report counts more than how
     * the process ended, and a tool call that waits for people, or a spent budget, more than any report.
     */
    async awaitAgent(agent: AgentRef): Promise<AgentEnd> {
      const over = new AbortController();
      void showWords(agent.runId, AbortSignal.any([over.signal, cancellationSignal()]));
      const {
        detail,
        termination,
        pod,
        log: output,
      } = await classified(() => runtime.ended(agent, cancellationSignal())).finally(() => over.abort());
      const parked = await findParkedCall(db, agent.runId, agent.attempt);
      if (parked) return { kind: 'reported', report: { outcome: 'parked', call: parkedCall(parked) } };
      const stop = await findBudgetStop(db, agent.runId, agent.attempt);
      if (stop) {
        const { scope, key, spent, limit, original } = stop;
        return {
          kind: 'reported',
          report: { outcome: 'budget_spent', budget: { scope, key, spent, limit, original } },
        };
      }
      const report = (await findAttempt(db, agent.runId, agent.attempt))?.report;
      if (!report) {
        const redact = createRedactor([runToken(agent.runId, agent.attempt)]);
        if (output !== undefined) await storeLastLog(db, agent, redact(output));
        return {
          kind: 'lost',
          detail: redact(detail),
          ...(termination === undefined ? {} : { termination }),
          ...(pod === undefined ? {} : { pod }),
        };
      }
      if (report.outcome === 'failed')
        return { kind: 'reported', report: { outcome: 'failed', failure: report.failure, detail: report.detail } };
      if (report.outcome === 'asked') {
        const { question, threadId, headSha } = report;
        return { kind: 'reported', report: { outcome: 'asked', question, threadId, headSha } };
      }
      if (report.outcome === 'parked') return { kind: 'reported', report: { outcome: 'steered' } };
      const { headSha, threadId, answer, notes } = report;
      return {
        kind: 'reported',
        report: {
          outcome: 'finished',
          headSha,
          threadId,
          summary: answer.summary.slice(0, 6000),
          ...backTo(answer.back_to),
          ...(notes === undefined ? {} : { notes }),
        },
      };
    },

    /** Revokes the agent's token, then stops its process. */
    async stopAgent(run: { runId: string; workspace: string }): Promise<void> {
      await closeAssignment(db, run.runId);
      await runtime.stop(run);
    },

    /**
     * Stops the agent's process while its token is still valid, so that its conversation is stored before it ends. Returns the tool
     * call of its attempt that waits for people, if there is one.
     */
    async haltAgent(run: { runId: string; workspace: string }): Promise<{ readonly parked?: ParkedCall }> {
      await runtime.stop(run);
      const attempt = (await findAssignment(db, run.runId))?.attempt ?? 1;
      const parked = await findParkedCall(db, run.runId, attempt);
      return parked ? { parked: parkedCall(parked) } : {};
    },

    /** Revokes the token of this attempt and those of earlier ones. */
    async revokeToken({ runId, attempt }: { runId: string; attempt: number }): Promise<void> {
      await revokeAttempt(db, runId, attempt);
    },

    async releasePermit({ runId }: { runId: string }): Promise<void> {
      await permits.release(runId);
    },

    /**
     * Revokes all tokens of the run, also of attempts to come, and closes its open request and tool call; then releases its permit.
     */
    async endRun({ runId }: { runId: string }): Promise<void> {
      await closeAssignment(db, runId);
      await closeRequests(db, runId);
      await expireCalls(db, runId);
      await permits.release(runId);
    },

    async removeWorkspace({ workspace, owner }: { workspace: string; owner: string }): Promise<Removal> {
      return classified(() => runtime.removeWorkspace({ name: workspace, owner }));
    },
  };
}

function backTo(named: string | undefined): { backTo?: Stage } {
  const stage = STAGES.find((row) => row.stage === named)?.stage;
  return stage === undefined ? {} : { backTo: stage };
}

/** Whether the time passes before the signal aborts. */
async function passes(ms: number, over: AbortSignal): Promise<boolean> {
  return delay(ms, true, { signal: over }).catch(() => false);
}
