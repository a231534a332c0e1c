/** Agents and their environments. Names are deterministic: a repeated launch finds what is there. */
import { createHash } from 'node:crypto';
import { cancellationSignal } from '@temporalio/activity';
import type { IssueRef } from '../src/domain/facts.ts';
import { promptName, renderPrompt, type OpenComment } from '../src/domain/prompts.ts';
import type { Failure } from '../src/domain/runs.ts';
import type { TriggerTarget } from '../src/domain/stages.ts';
import type { ListedEnvironment } from '../src/domain/sweeps.ts';
import { fullName } from '../src/domain/names.ts';
import { beginAttempt, closeAssignment, findAssignment, storeAssignment } from '../src/read-model/assignments.ts';
import type { Database } from '../src/read-model/database.ts';
import type { RunSettings } from '../src/domain/settings.ts';
import { classified, permanent } from './failures.ts';

/** One agent process of a run; `attempt` counts from 1. */
export interface AgentRef {
  readonly environment: string;
  readonly runId: string;
  readonly attempt: number;
}

/** A runtime (design.md, decision 5). */
export interface AgentRuntime {
  /** Makes the environment and starts the agent. Repeated, it finds both. Fails when the environment is somebody else's. */
  launch(agent: AgentRef & { owner: string; token: string }): Promise<void>;
  /** Resolves when the agent's process is gone; says what is known of its end. */
  ended(agent: AgentRef, signal: AbortSignal): Promise<{ detail: string }>;
  /** Stops whatever agent of the run lives: asked first, killed after a grace. */
  stop(run: Pick<AgentRef, 'environment' | 'runId'>): Promise<void>;
  /** Removes an environment that `owner` owns; one that is gone is removed already. */
  removeEnvironment(environment: { name: string; owner: string }): Promise<void>;
  /** All environments that this platform has made, and no others; the longest unused first. */
  listEnvironments(): Promise<ListedEnvironment[]>;
}

/** What a prompt is made of. */
export interface GitHubReading {
  readIssue(
    issue: IssueRef,
  ): Promise<{ title: string; body: string; comments: readonly { by: string; body: string; at: string }[] }>;
  readReviews(
    repository: IssueRef,
    pullRequest: number,
  ): Promise<{ reviews: readonly { id: number; by: string; body: string }[]; openComments: readonly OpenComment[] }>;
}

export interface AgentPorts {
  readonly db: Database;
  readonly github: GitHubReading;
  readonly runtime: AgentRuntime;
  /** The text of a prompt seed. */
  readonly promptSeed: (name: string, locale: RunSettings['locale']) => string | undefined;
  /** The token that opens the gateways for one attempt of one run. */
  readonly runToken: (runId: string, attempt: number) => string;
}

/** What the workflow learns of an agent's end; the whole report stays in Postgres. */
export type AgentEnd =
  | { readonly kind: 'reported'; readonly report: BriefReport }
  | { readonly kind: 'lost'; readonly detail: string };

type BriefReport =
  | { readonly outcome: 'finished'; readonly headSha: string; readonly threadId: string; readonly summary: string }
  | { readonly outcome: 'failed'; readonly failure: Failure; readonly detail: string };

export function createAgentActivities({ db, github, runtime, promptSeed, runToken }: AgentPorts) {
  return {
    /** Reads the issue and, for a revise, the review; writes down what the agent is to do. */
    async prepareAssignment(input: {
      runId: string;
      issue: IssueRef;
      target: TriggerTarget;
      settings: RunSettings;
      branch: string;
      resume: { runId: string; threadId: string } | null;
      pullRequest: number | null;
      requestedAt: string;
    }): Promise<{ promptSha256: string }> {
      const { issue, settings, target } = input;
      const seed = promptSeed(promptName(target.stage, target.kind), settings.locale);
      if (seed === undefined) throw permanent('PromptMissing', `there is no prompt for ${target.stage} ${target.kind}`);
      const { told, reviewed } = await classified(async () => ({
        told: await github.readIssue(issue),
        reviewed:
          target.kind === 'revise' && input.pullRequest !== null
            ? await github.readReviews(issue, input.pullRequest)
            : { reviews: [], openComments: [] },
      }));
      const prompt = renderPrompt(seed, {
        repository: fullName(issue),
        issueNumber: issue.number,
        issueTitle: told.title,
        issueBody: told.body,
        issueComments: told.comments.filter(({ at }) => Date.parse(at) <= Date.parse(input.requestedAt)),
        branch: input.branch,
        baseBranch: settings.baseBranch,
        ...reviewed,
      });
      const promptSha256 = createHash('sha256').update(prompt).digest('hex');
      const resume = target.kind === 'revise' ? input.resume : null;
      await storeAssignment(db, {
        runId: input.runId,
        repositoryId: issue.repositoryId,
        repositoryFullName: fullName(issue),
        branch: input.branch,
        baseBranch: settings.baseBranch,
        kind: target.kind,
        prompt: prompt.toWellFormed().replaceAll('\0', ''),
        promptSha256,
        model: settings.model,
        reasoningEffort: settings.reasoningEffort,
        resumeThreadId: resume?.threadId ?? null,
        resumeRunId: resume?.runId ?? null,
      });
      return { promptSha256 };
    },

    async launchAgent({ owner, ...agent }: AgentRef & { owner: string }): Promise<void> {
      await beginAttempt(db, agent.runId, agent.attempt);
      await classified(() => runtime.launch({ ...agent, owner, token: runToken(agent.runId, agent.attempt) }));
    },

    /** Waits for hours; found again by name after a worker's restart. A report counts more than how the process ended. */
    async awaitAgent(agent: AgentRef): Promise<AgentEnd> {
      const { detail } = await runtime.ended(agent, cancellationSignal());
      const report = (await findAssignment(db, agent.runId))?.report;
      if (!report) return { kind: 'lost', detail };
      if (report.outcome === 'failed')
        return { kind: 'reported', report: { outcome: 'failed', failure: report.failure, detail: report.detail } };
      const { headSha, threadId, answer } = report;
      return {
        kind: 'reported',
        report: { outcome: 'finished', headSha, threadId, summary: answer.summary.slice(0, 6000) },
      };
    },

    /** Takes the agent's token away first, then stops its process. */
    async stopAgent(run: { runId: string; environment: string }): Promise<void> {
      await closeAssignment(db, run.runId);
      await runtime.stop(run);
    },

    async removeEnvironment({ environment, owner }: { environment: string; owner: string }): Promise<void> {
      await classified(() => runtime.removeEnvironment({ name: environment, owner }));
    },
  };
}
