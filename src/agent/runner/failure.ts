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
