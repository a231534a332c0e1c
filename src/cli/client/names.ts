/** Resolves the names that people give runs and issues on the command line. */
import { ApiRefusal, type IssueName, type ApiClient } from '../../api-client/api-client.ts';
import { CommandProblem } from '../../terminal/problems.ts';

const WHOLE_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const LEAST = 6;

/** The id of the run whose id begins with the given characters. */
export async function resolveRunId(api: ApiClient, given: string): Promise<string> {
  const id = given.toLowerCase();
  if (WHOLE_ID.test(id)) return id;
  if (!/^[0-9a-f-]+$/.test(id) || id.length < LEAST)
    throw new CommandProblem(`“${given}” is not a run: give its id, or the first ${LEAST} or more characters of it`, 2);
  const { items } = await api.runs({ id, limit: 2 }).catch((error: unknown) => {
    throw error instanceof ApiRefusal && error.status === 400 ? noRun(given) : error;
  });
  const [first, second] = items;
  if (!first) throw noRun(given);
  if (second)
    throw new CommandProblem(
      `Run id ${given} is ambiguous: it matches ${first.id}, ${second.id} and perhaps more. Give more characters`,
    );
  return first.id;
}

/** The error for a run that was not found. */
function noRun(given: string): CommandProblem {
  return new CommandProblem(`Run ${given} not found; \`codex-k8s runs list\` lists the runs`);
}

/** Turns the API's 404 for a run into a CommandProblem. */
export function orNoRun(given: string): (error: unknown) => never {
  return (error) => {
    throw error instanceof ApiRefusal && error.status === 404 ? noRun(given) : error;
  };
}

/** Parses the name of an issue: `owner/name#12`, its URL on GitHub, or its key. */
export function readIssueName(given: string): IssueName {
  if (/^issue:\d+#\d+$/.test(given)) return { key: given };
  const [, owner, name, number] =
    /^(?:https?:\/\/[^/]+\/)?([\w.-]+)\/([\w.-]+)(?:#|\/|\/issues\/)([1-9]\d{0,8})$/.exec(given) ?? [];
  if (owner === undefined || name === undefined)
    throw new CommandProblem(`“${given}” is not an issue: give OWNER/NAME#NUMBER`, 2);
  return { owner, name, number: Number(number) };
}
