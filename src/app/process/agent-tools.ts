/** What performs the tools of agents, the same in the server, for calls that are performed at once, and in the worker, for approved ones. */
import type { Database } from '../../store/connection/database.ts';
import { knownPeople } from '../../store/projects/repositories.ts';
import { countPerformedCalls } from '../../store/runs/tool-calls.ts';
import { createLabelTools, type GitHubLabels } from '../../tools/perform/labels.ts';
import { createNotifyTools, type NotifyPorts } from '../../tools/perform/notify.ts';
import { createReadingTools, type GitHubReads } from '../../tools/perform/reading.ts';
import { createStatusTools } from '../../tools/perform/status.ts';
import type { ToolPerformers } from '../../tools/performers.ts';

/** The part of GitHub's client that tools need. */
export type GitHubForAgents = GitHubLabels & GitHubReads & NotifyPorts['github'];

export interface AgentToolsOptions {
  readonly db: Database;
  readonly github: GitHubForAgents;
  /** Where agents reach the platform, without a slash at its end. */
  readonly address: string;
}

export function createAgentTools({ db, github, address }: AgentToolsOptions): ToolPerformers {
  return {
    ...createStatusTools({ mcpUrl: `${address}/mcp` }),
    ...createLabelTools(github),
    ...createReadingTools({ github, knownPeople: (...asked) => knownPeople(db, ...asked) }),
    ...createNotifyTools({ github, countNotices: (run, since) => countPerformedCalls(db, run, 'user.notify', since) }),
  };
}
