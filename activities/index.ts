/** All activities, and what they need. */
import { createAgentActivities, type AgentPorts } from './agents.ts';
import { withoutQueries } from './failures.ts';
import { createGitHubActivities, type GitHubPorts } from './github.ts';
import { createRecordActivities, type RecordPorts } from './records.ts';
import { createRunActivities } from './runs.ts';

export type ActivityPorts = AgentPorts & GitHubPorts & RecordPorts;

export type Activities = ReturnType<typeof createActivities>;

export function createActivities(ports: ActivityPorts) {
  const records = createRecordActivities(ports);
  const github = createGitHubActivities(ports);
  return withoutQueries({
    ...records,
    ...github,
    ...createRunActivities({ ...records, ...github }),
    ...createAgentActivities(ports),
  });
}
