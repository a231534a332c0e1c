/** Errors of commands that are shown as a sentence, without a stack trace. */

/** Ends a command with a message and an exit code: 1 if the request failed, 2 for wrong usage. */
export class CommandProblem extends Error {
  override readonly name = 'CommandProblem';
  readonly exitCode: 1 | 2;
  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
