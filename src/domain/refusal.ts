/** A request of a person that is not carried out. */

export type RefusalReason = 'not_found' | 'failed_precondition' | 'unavailable';

/** Says why, in a sentence that whoever asked may read. Each surface has its own way to say so: HTTP a status. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly reason: RefusalReason;
  /** What in the request is wrong. */
  readonly field: string | undefined;
  constructor(reason: RefusalReason, message: string, field?: string) {
    super(message);
    this.reason = reason;
    this.field = field;
  }
}
