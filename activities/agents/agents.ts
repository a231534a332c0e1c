/** Agents and their workspaces. Names are deterministic: a repeated launch finds what is there. */
import { setTimeout as delay } from 'node:timers/promises';
import { cancellationSignal, log } from '@temporalio/activity';
import type { CapacityAnswer, CapacityRequest } from '../../src/domain/run/permits.ts';
import type { WorkspaceUse } from '../../src/domain/workspace/workspaces.ts';
import type { Loss } from '../../src/domain/run/termination-reasons.ts';
import { createRedactor } from '../../src/domain/agent/redaction.ts';
import type { Question } from '../../src/domain/run/requests.ts';
import type { Failure } from '../../src/domain/run/runs.ts';
import { STAGES, type Stage } from '../../src/domain/stages/stages.ts';
import type { ListedWorkspace } from '../../src/domain/maintenance/sweeps.ts';
import { beginAttempt, closeAssignment, findAssignment } from '../../src/store/runs/assignments.ts';
import type { Database } from '../../src/store/connection/database.ts';
import { storeLastLog } from '../../src/store/runs/run-log.ts';
import type { RunCapacity } from './permits.ts';
import { classified } from '../failures.ts';
import { COMMENT_LIMITS, type CommentLimits, type StatusComments } from '../github/status-comments.ts';

/** One agent process of a run; `attempt` counts from 1. */
export interface AgentRef {
  readonly workspace: string;
  readonly runId: string;
  readonly attempt: number;
}

/** An agent that is to be started. */
export interface AgentLaunch extends AgentRef {
  /** Counts from 1 how often this attempt is launched: an agent that could not even begin is launched once more. */
  readonly launch: number;
  /** The issue's key. */
  readonly owner: string;
  readonly token: string;
  readonly use: WorkspaceUse;
}

/** `held`: what keeps the workspace from being gone, when that takes long; it goes on leaving by itself. */
export interface Removal {
  readonly held?: string;
}

/** A runtime (docs/decisions.md, 5). */
export interface AgentRuntime {
  /**
   * Makes the workspace and starts the agent. Repeated, it finds both. Fails when the workspace is somebody else's. Says
   * which namespace it is, where that has not the workspace's name.
   */
  launch(agent: AgentLaunch): Promise<{ namespace?: string }>;
  /**
   * Resolves when the agent is gone; says what is known of its end, in which pod, with the end of its output where nobody else
   * has it. A runtime that cannot tell how the agent was lost leaves `loss` out.
   */
  ended(agent: AgentRef, signal: AbortSignal): Promise<{ detail: string; loss?: Loss; log?: string; pod?: string }>;
  /** Stops whatever agent of the run lives: asked first, killed after a grace. */
  stop(run: Pick<AgentRef, 'workspace' | 'runId'>): Promise<void>;
  /** Removes a workspace that `owner` owns; one that is gone is removed already. */
  removeWorkspace(workspace: { name: string; owner: string }): Promise<Removal>;
  /** All workspaces that this platform has made, and no others; the longest unused first. */
  listWorkspaces(): Promise<ListedWorkspace[]>;
}

export interface AgentPorts {
  readonly db: Database;
  readonly runtime: AgentRuntime;
  /** The token that opens the gateways for one attempt of one run. */
  readonly runToken: (runId: string, attempt: number) => string;
  readonly capacity: Pick<RunCapacity, 'ask'>;
  /** When the status comment of a run at work is looked at; production's unless given. */
  readonly commentLimits?: Pick<CommentLimits, 'firstLookMs' | 'nextLookMs'>;
}

/** What the workflow learns of an agent's end; the whole report stays in Postgres. */
export type AgentEnd =
  | { readonly kind: 'reported'; readonly report: BriefReport }
  | { readonly kind: 'lost'; readonly detail: string; readonly loss?: Loss; readonly pod?: string };

/** Whether the agent was started, or waits for its turn. `namespace`: where, if not in the workspace's name. */
export type LaunchAnswer =
  | { readonly granted: true; readonly namespace?: string }
  | Extract<CapacityAnswer, { granted: false }>;

type BriefReport =
  | {
      readonly outcome: 'finished';
      readonly headSha: string;
      readonly threadId: string;
      readonly summary: string;
      /** Of a rethink. */
      readonly backTo?: Stage;
    }
  | {
      readonly outcome: 'asked';
      readonly question: Question;
      readonly threadId: string;
      readonly headSha: string | null;
    }
  | { readonly outcome: 'failed'; readonly failure: Failure; readonly detail: string };

/** Of runs that began before workspaces had a use: with nothing but a checkout. */
const UNKNOWN_USE: WorkspaceUse = {
  project: 'unknown',
  repositoryId: 0,
  issueNumber: 0,
  role: 'dev',
  mode: 'code-only',
  until: new Date(0).toISOString(),
};

const GRANTED = { granted: true } as const;

export function createAgentActivities(
  { db, runtime, runToken, capacity, commentLimits: looks = COMMENT_LIMITS }: AgentPorts,
  comments?: Pick<StatusComments, 'refresh'>,
) {
  /** Shows what the agent says in the run's status comment, until it is over. A courtesy: what fails is left to the next time. */
  async function showWords(runId: string, over: AbortSignal): Promise<void> {
    for (let wait = looks.firstLookMs; await passes(wait, over); wait = looks.nextLookMs)
      await comments
        ?.refresh(runId)
        .catch((error: unknown) => log.warn('status comment left as it is', { error: String(error) }));
  }

  return {
    /** Launches an agent if it is the run's turn; says at which place it waits otherwise. Runs of 0.1.0 do not ask. */
    async launchAgent({
      asks,
      launch = 1,
      use,
      ...agent
    }: AgentRef & {
      owner: string;
      asks?: Pick<CapacityRequest, 'project' | 'role'>;
      launch?: number;
      use?: WorkspaceUse;
    }): Promise<LaunchAnswer> {
      const answer = asks ? await capacity.ask({ runId: agent.runId, ...asks }) : GRANTED;
      if (!answer.granted) return answer;
      await beginAttempt(db, agent.runId, agent.attempt);
      const token = runToken(agent.runId, agent.attempt);
      const { namespace } = await classified(() =>
        runtime.launch({ ...agent, launch, token, use: use ?? UNKNOWN_USE }),
      );
      return { granted: true, ...(namespace === undefined ? {} : { namespace }) };
    },

    /** Waits for hours; found again by name after a worker's restart. A report counts more than how the process ended. */
    async awaitAgent(agent: AgentRef): Promise<AgentEnd> {
      const over = new AbortController();
      void showWords(agent.runId, AbortSignal.any([over.signal, cancellationSignal()]));
      const {
        detail,
        loss,
        pod,
        log: output,
      } = await classified(() => runtime.ended(agent, cancellationSignal())).finally(() => over.abort());
      const report = (await findAssignment(db, agent.runId))?.report;
      if (!report) {
        const redact = createRedactor([runToken(agent.runId, agent.attempt)]);
        if (output !== undefined) await storeLastLog(db, agent, redact(output));
        return {
          kind: 'lost',
          detail: redact(detail),
          ...(loss === undefined ? {} : { loss }),
          ...(pod === undefined ? {} : { pod }),
        };
      }
      if (report.outcome === 'failed')
        return { kind: 'reported', report: { outcome: 'failed', failure: report.failure, detail: report.detail } };
      if (report.outcome === 'asked') {
        const { question, threadId, headSha } = report;
        return { kind: 'reported', report: { outcome: 'asked', question, threadId, headSha } };
      }
      const { headSha, threadId, answer } = report;
      return {
        kind: 'reported',
        report: {
          outcome: 'finished',
          headSha,
          threadId,
          summary: answer.summary.slice(0, 6000),
          ...backTo(answer.back_to),
        },
      };
    },

    /** Takes the agent's token away first, then stops its process. */
    async stopAgent(run: { runId: string; workspace: string }): Promise<void> {
      await closeAssignment(db, run.runId);
      await runtime.stop(run);
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

/** Whether the time passes before it is over. */
async function passes(ms: number, over: AbortSignal): Promise<boolean> {
  return delay(ms, true, { signal: over }).catch(() => false);
}
