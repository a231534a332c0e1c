/** All activities, and their ports. */
import { createAgentActivities, type AgentPorts } from './agents/agents.ts';
import { createAssignmentActivities, type AssignmentPorts } from './agents/assignments.ts';
import { createRequestActivities, type RequestPorts } from './github/requests.ts';
import { createPermitActivities, type PermitPorts } from './agents/permits.ts';
import { createConfirmationActivities, type GitHubConfirmations } from './github/confirmations.ts';
import { withoutQueries } from './failures.ts';
import { withSmallFailures } from './small-failures.ts';
import { createRedactor, type Redact } from '../src/domain/agent/redaction.ts';
import { createGitHubActivities, type GitHubPorts } from './github/publishing.ts';
import { createPriorReading, type GitHubPulls } from './records/prior-state.ts';
import { createRecordActivities, type RecordPorts } from './records/records.ts';
import { createRunActivities } from './records/runs.ts';
import {
  createStatusCommentActivities,
  createStatusComments,
  type StatusCommentPorts,
} from './github/status-comments.ts';
import { createRetentionActivities } from './maintenance/retention.ts';
import { createSweepActivities, type SweepPorts } from './maintenance/sweeps.ts';
import { createCallActivities, type CallPerformer } from './tools/perform-call.ts';

export type ActivityPorts = AgentPorts &
  AssignmentPorts &
  PermitPorts &
  GitHubPorts &
  RecordPorts &
  SweepPorts &
  StatusCommentPorts &
  RequestPorts & {
    readonly github: GitHubConfirmations & GitHubPulls;
    readonly performer: CallPerformer;
  };

export type Activities = ReturnType<typeof createActivities>;

/** `redact` hides the installation's secrets in failures. */
export function createActivities(ports: ActivityPorts, redact: Redact = createRedactor([])) {
  const comments = createStatusComments(ports);
  const records = createRecordActivities(ports);
  const github = createGitHubActivities(ports);
  const activities = withoutQueries({
    ...records,
    ...github,
    ...createStatusCommentActivities(comments),
    ...createConfirmationActivities(ports),
    ...createRunActivities({ ...records, ...github, comments, ...createPriorReading(ports) }),
    ...createAssignmentActivities(ports),
    ...createAgentActivities(ports, comments),
    ...createRequestActivities(ports),
    ...createCallActivities(ports),
    ...createPermitActivities(ports),
    ...createSweepActivities(ports),
    ...createRetentionActivities(ports),
  });
  return withSmallFailures(activities, redact);
}
