/** Settings that `up` validates before it starts a process, so that an error is reported at once. */
import { resolve } from 'node:path';
import { readLabelsFile } from '../../app/config/labels-file.ts';
import { readRunLimits } from '../../app/config/run-limits.ts';
import { CommandProblem } from '../../terminal/problems.ts';

/** Returns the absolute path of the labels file, if there is one. Throws a `CommandProblem` that names the variable. */
export function checkConfiguration(env: NodeJS.ProcessEnv): { labelsFile?: string } {
  checkRunLimits(env['CODEXK8S_RUN_LIMITS']);
  const path = env['CODEXK8S_LABELS_FILE'];
  if (path === undefined) return {};
  const chosen = readLabelsFile(path);
  if ('problems' in chosen)
    throw new CommandProblem(['CODEXK8S_LABELS_FILE cannot be used:', ...chosen.problems].join('\n  '), 2);
  return { labelsFile: resolve(path) };
}

function checkRunLimits(text: string | undefined): void {
  if (text === undefined) return;
  const limits = readRunLimits(text);
  if ('problem' in limits) throw new CommandProblem(`CODEXK8S_RUN_LIMITS: ${limits.problem}`, 2);
}
