/** Answers, pauses and resumes, asked of a run's workflow by Temporal Updates: the workflow decides, and its refusal is the answer. */
import {
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type Client,
} from '@temporalio/client';
import { ApplicationFailure, type UpdateDefinition } from '@temporalio/common';
import type { AnswerSurface, Request, Verdict } from '../../src/domain/run/requests.ts';
import type { RunWait } from '../../src/domain/run/waits.ts';
import { answerRequest, callParked, pauseRun, resumeRun, runWorkflowId } from '../../workflows/messages.ts';

/** Milliseconds for one Update: it needs a worker, which may be starting again. */
const UPDATE_LIMIT_MS = 8000;

/** What a run's workflow says no with; `gone` when it does not run any more, `late` when no worker answered in time. */
export type Refusal = 'RequestNotOpen' | 'AnswerInvalid' | 'RunNotPausable' | 'RunNotPaused' | 'gone' | 'late';

const REFUSALS: readonly string[] = [
  'RequestNotOpen',
  'AnswerInvalid',
  'RunNotPausable',
  'RunNotPaused',
] satisfies Refusal[];

export type UpdateResult<Result> =
  | { readonly done: true; readonly result: Result }
  | { readonly done: false; readonly refusal: Refusal; readonly message: string };

export interface RunUpdates {
  answer(input: {
    readonly runId: string;
    /** Null: whatever the run asks now. */
    readonly requestId: string | null;
    /** Of a verdict, its reason. */
    readonly text: string;
    readonly decision?: Verdict;
    readonly actor: string;
    readonly surface: AnswerSurface;
  }): Promise<UpdateResult<Request>>;
  pause(input: {
    readonly runId: string;
    readonly actor: string;
    readonly reason: string;
  }): Promise<UpdateResult<RunWait>>;
  resume(input: {
    readonly runId: string;
    readonly actor: string;
    readonly note?: string;
  }): Promise<UpdateResult<null>>;
  /** Says that a tool call of this attempt waits for people. A run that has ended needs to know nothing. */
  parked(call: { readonly runId: string; readonly attempt: number }): Promise<void>;
}

export function createRunUpdates(client: Client): RunUpdates {
  async function update<Result, Input>(
    runId: string,
    definition: UpdateDefinition<Result, [Input]>,
    input: Input,
  ): Promise<UpdateResult<Result>> {
    try {
      const result = await client.withDeadline(Date.now() + UPDATE_LIMIT_MS, () =>
        client.workflow.getHandle(runWorkflowId(runId)).executeUpdate(definition, { args: [input] }),
      );
      return { done: true, result };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return { done: false, refusal: 'gone', message: error.message };
      if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError)
        return { done: false, refusal: 'late', message: error.message };
      const failure = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
      if (failure instanceof ApplicationFailure && REFUSALS.includes(failure.type ?? ''))
        return { done: false, refusal: failure.type as Refusal, message: failure.message };
      throw error;
    }
  }

  return {
    answer: async ({ runId, ...input }) => update(runId, answerRequest, input),
    pause: async ({ runId, ...input }) => update(runId, pauseRun, input),
    resume: async ({ runId, ...input }) => update(runId, resumeRun, input),
    async parked({ runId, attempt }) {
      await client
        .withDeadline(Date.now() + UPDATE_LIMIT_MS, () =>
          client.workflow.getHandle(runWorkflowId(runId)).signal(callParked, { attempt }),
        )
        .catch((error: unknown) => {
          if (!(error instanceof WorkflowNotFoundError)) throw error;
        });
    },
  };
}
