/** All hostile acts, in the order in which they are done. */
import type { Act, Answer } from './agent.ts';
import { agentAt } from './agent.ts';
import { AGENT_API_ACTS } from './acts/agent-api.ts';
import { GIT_ACTS } from './acts/git.ts';
import { MODEL_ACTS } from './acts/model.ts';
import { PEOPLE_ACTS } from './acts/people.ts';
import { TOOL_ACTS } from './acts/tools.ts';
import type { Rig } from './rig.ts';

export const ACTS: readonly Act[] = [...GIT_ACTS, ...MODEL_ACTS, ...AGENT_API_ACTS, ...PEOPLE_ACTS, ...TOOL_ACTS];

export interface Outcome {
  readonly act: Act;
  /** What each server said, in a line. */
  readonly said: readonly string[];
  readonly refused: boolean;
  readonly audited: boolean;
}

/** Does an act at both servers at once, and looks into the audit trail. */
export async function perform(rig: Rig, act: Act): Promise<Outcome> {
  const answers = await Promise.all(rig.servers.map(async (server) => act.attempt(agentAt(rig, server, act.as))));
  const said = answers.map(lineOf);
  const refused = said.every((line) => act.refused.test(line));
  const { runId } = rig.runs[act.as];
  const events =
    act.audited === null
      ? [{}]
      : await rig.connection.sql`select 1 from flow_events where run_id = ${runId} and type = ${act.audited}`;
  return { act, said, refused, audited: events.length > 0 };
}

function lineOf({ status, text }: Answer): string {
  return `${status} ${text.replaceAll(/\s+/g, ' ')}`;
}
