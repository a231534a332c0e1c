/** All activities, and what they need. */
import { createAgentActivities, type AgentPorts } from './agents.ts';
import { createConfirmationActivities, type GitHubTruth } from './confirmations.ts';
import { withoutQueries } from './failures.ts';
import { createGitHubActivities, type GitHubPorts } from './github.ts';
import { createRecordActivities, type RecordPorts } from './records.ts';
import { createRunActivities } from './runs.ts';
import { createSweepActivities, type SweepPorts } from './sweeps.ts';

export type ActivityPorts = AgentPorts & GitHubPorts & RecordPorts & SweepPorts & { readonly github: GitHubTruth };

export type Activities = ReturnType<typeof createActivities>;

export function createActivities(ports: ActivityPorts) {
  const records = createRecordActivities(ports);
  const github = createGitHubActivities(ports);
  return withoutQueries({
    ...records,
    ...github,
    ...createConfirmationActivities(ports),
    ...createRunActivities({ ...records, ...github }),
    ...createAgentActivities(ports),
    ...createSweepActivities(ports),
  });
}
