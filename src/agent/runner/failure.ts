import type { Failure } from '../../domain/run/runs.ts';

/** The run failed, with one of the closed list of failures. */
export class RunFailure extends Error {
  override readonly name = 'RunFailure';
  readonly failure: Failure;

  constructor(failure: Failure, detail: string) {
    super(detail);
    this.failure = failure;
  }
}

/** The agent's program does not go on with the conversation that it was to resume. */
export class ResumeRefused extends RunFailure {}
