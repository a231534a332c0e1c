/** What goes wrong at a terminal, told in a sentence. */

/** Ends a command with a sentence and an exit code: 1 when the request failed, 2 when it was asked wrongly. */
export class CommandProblem extends Error {
  override readonly name = 'CommandProblem';
  readonly exitCode: 1 | 2;
  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
