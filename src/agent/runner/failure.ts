import type { Failure } from '../../domain/run/runs.ts';

/** A run that has failed for a reason with a name. */
export class RunFailure extends Error {
  override readonly name = 'RunFailure';
  readonly failure: Failure;

  constructor(failure: Failure, detail: string) {
    super(detail);
    this.failure = failure;
  }
}
