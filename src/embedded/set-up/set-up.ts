/**
 * The steps of a start, performed in a process of their own that runs until `end`: modules once loaded stay in memory, and
 * `up` itself needs few of them.
 */
import { spawn } from 'node:child_process';
import { CommandProblem } from '../../terminal/problems.ts';
import type { StepAnswer, StepInput, StepName, StepRequest, StepResult } from './steps.ts';

export interface SetUp {
  /** Performs a step. Rejects with a `CommandProblem` if the step threw one. */
  perform<Name extends StepName>(name: Name, input: StepInput<Name>): Promise<StepResult<Name>>;
  /** Ends the process; pending steps reject. */
  end(): void;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Starts the process. `self`: arguments with which Node starts this program. `report` gets the progress of the steps. */
export function startSetUp({
  self,
  env,
  report,
}: {
  self: readonly string[];
  env: NodeJS.ProcessEnv;
  report: (message: string) => void;
}): SetUp {
  const child = spawn(process.execPath, [...self, 'set-up'], { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const pending = new Map<number, Pending>();
  let requests = 0;
  let ended: Error | undefined;

  function fail(reason: string): void {
    ended ??= new Error(reason);
    for (const { reject } of pending.values()) reject(ended);
    pending.clear();
  }

  child.on('message', (answer: StepAnswer) => {
    if ('report' in answer) return report(answer.report);
    const asked = pending.get(answer.id);
    pending.delete(answer.id);
    if ('result' in answer) return asked?.resolve(answer.result);
    if (!('problem' in answer)) return asked?.resolve(undefined);
    const { problem, exitCode } = answer;
    asked?.reject(exitCode === undefined ? new Error(problem) : new CommandProblem(problem, exitCode));
  });
  child.once('error', (error) => fail(`The set-up process cannot be started: ${error.message}`));
  child.once('exit', (code, signal) => fail(`The set-up process has exited (${signal ?? code})`));

  return {
    perform<Name extends StepName>(name: Name, input: StepInput<Name>): Promise<StepResult<Name>> {
      return new Promise((resolve, reject) => {
        if (ended) return reject(ended);
        requests += 1;
        pending.set(requests, { resolve: resolve as (result: unknown) => void, reject });
        child.send({ id: requests, name, input } satisfies StepRequest, (error) => {
          if (error) reject(error);
        });
      });
    },
    end() {
      if (child.connected) child.disconnect();
    },
  };
}
