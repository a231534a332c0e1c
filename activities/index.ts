/** All activities, and what they need. */
import { createAgentActivities, type AgentPorts } from './agents.ts';
import { withoutQueries } from './failures.ts';
import { createGitHubActivities, type GitHubPorts } from './github.ts';
import { createRecordActivities, type RecordPorts } from './records.ts';

export type ActivityPorts = AgentPorts & GitHubPorts & RecordPorts;

export type Activities = ReturnType<typeof createActivities>;

export function createActivities(ports: ActivityPorts) {
  return withoutQueries({
    ...createRecordActivities(ports),
    ...createGitHubActivities(ports),
    ...createAgentActivities(ports),
  });
}
