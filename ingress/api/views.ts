/** Responses of the staff API: rows as plain JSON, with sentences beside the codes. */
import { networkWords, type NetworkFinding } from '../../src/domain/workspace/network-findings.ts';
import type { Request } from '../../src/domain/run/requests.ts';
import { isTerminal, type Failure, type RunStatus } from '../../src/domain/run/runs.ts';
import { waitName, type RunWait } from '../../src/domain/run/waits.ts';
import { triggerLabel, type RunKind, type Stage } from '../../src/domain/stages/stages.ts';
import type { CostGroup, CostRow } from '../../src/store/money/costs.ts';
import type { StoredNetworkFinding } from '../../src/store/workspaces/cluster-findings.ts';
import type { DeliveryRecord } from '../../src/read-model/queries/deliveries.ts';
import type { EventRecord } from '../../src/read-model/queries/events.ts';
import type { IssueRecord, IssueState } from '../../src/read-model/queries/issues.ts';
import type { LogRecord } from '../../src/read-model/queries/log.ts';
import type { RunRecord } from '../../src/read-model/queries/runs.ts';
import { eventText } from './messages/events.ts';
import { reasonText } from './messages/reasons.ts';
import {
  failureText,
  nextStepText,
  noWorkerText,
  statusText,
  triggerText,
  waitHint,
  waitText,
} from './messages/runs.ts';

export interface ListView<Item> {
  readonly items: readonly Item[];
  /** The `cursor` of the next page; null on the last one. */
  readonly next: string | null;
}

/** Costs in micro-dollars (a millionth of a US dollar), what was used last first. */
export interface CostsView {
  readonly by: CostGroup;
  readonly items: readonly CostRow[];
}

export interface RunView {
  readonly id: string;
  readonly issueKey: string;
  readonly repositoryId: number;
  readonly repository: string | null;
  readonly issueNumber: number;
  readonly issueTitle: string | null;
  readonly issueUrl: string | null;
  readonly stage: Stage;
  readonly kind: RunKind;
  readonly label: string;
  readonly trigger: string;
  readonly triggerText: string;
  readonly triggeredBy: string;
  readonly correlationId: string;
  readonly status: RunStatus;
  readonly statusText: string;
  /** Set while something besides the run itself holds it up: `no_worker`, no worker takes tasks. */
  readonly hold: 'no_worker' | null;
  readonly terminal: boolean;
  readonly failure: Failure | null;
  readonly failureText: string | null;
  /** What to do: after a failure, or to end a wait. */
  readonly nextStep: string | null;
  /** The run's wait; null if it does not wait. */
  readonly wait: WaitView | null;
  /** The request to people, while the run waits for the answer. */
  readonly request: Request | null;
  readonly detail: string | null;
  readonly branch: string;
  readonly workspace: string | null;
  readonly pullRequest: number | null;
  readonly pullRequestUrl: string | null;
  readonly statusCommentUrl: string | null;
  /** The agent's program: `codex`, `claude` or `command`; null before it is chosen. */
  readonly cli: string | null;
  readonly model: string | null;
  readonly reasoningEffort: string | null;
  readonly threadId: string | null;
  /** What its calls of the model have cost, in micro-dollars (a millionth of a US dollar). */
  readonly cost: number;
  /** Tokens that they read and wrote. */
  readonly tokens: number;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

export interface WaitView extends RunWait {
  /** Name of this kind of wait in lists and searches. */
  readonly name: string;
  readonly text: string;
}

export interface IssueView {
  readonly key: string;
  readonly repositoryId: number;
  readonly repository: string | null;
  readonly number: number;
  readonly title: string;
  readonly url: string;
  readonly state: IssueState;
  readonly waitingFor: string | null;
  readonly stage: Stage | null;
  readonly activeRunId: string | null;
  readonly queued: number;
  readonly pullRequest: number | null;
  readonly workspace: string | null;
  readonly updatedAt: string;
}

export interface EventView extends Omit<EventRecord, 'occurredAt'> {
  readonly text: string;
  readonly occurredAt: string;
}

export interface ClusterView {
  /** Whether the network enforces policies, and whether agents are started; null if no worker has probed it yet. */
  readonly network:
    | (NetworkFinding & {
        /** For people; null if policies are enforced. */
        readonly text: string | null;
        readonly advice: string | null;
        readonly foundAt: string;
      })
    | null;
}

export interface DeliveryView extends Omit<DeliveryRecord, 'receivedAt'> {
  readonly reasonText: string;
  readonly receivedAt: string;
}

export interface LogLineView extends Omit<LogRecord, 'at'> {
  readonly at: string;
}

/** Lines of a run log with the run's status, so that a follower knows when it has read everything. */
export interface LogView {
  readonly items: readonly LogLineView[];
  /** The value of `after` for the next request. */
  readonly after: number;
  /** True if there are more lines already. */
  readonly more: boolean;
  readonly status: RunStatus;
  readonly terminal: boolean;
}

export interface IssueDetailsView extends IssueView {
  readonly runs: readonly RunView[];
  readonly events: readonly EventView[];
}

/** A run as JSON. `noWorkerSince`: since when no worker takes tasks, if none does. */
export function runView(record: RunRecord, noWorkerSince: Date | undefined): RunView {
  const { revision: _, ...run } = record;
  const heldSince = isTerminal(run.status) ? undefined : noWorkerSince;
  return {
    ...run,
    label: triggerLabel(run),
    triggerText: triggerText(run),
    statusText: run.wait ? waitText(run.wait) : heldSince ? noWorkerText(heldSince) : statusText(run.status),
    hold: heldSince ? 'no_worker' : null,
    terminal: isTerminal(run.status),
    failureText: run.failure && failureText(run.failure),
    nextStep: run.failure ? nextStepText(run.failure, run) : run.wait && waitHint(run),
    wait: run.wait && { ...run.wait, name: waitName(run.wait), text: waitText(run.wait) },
    createdAt: run.createdAt.toISOString(),
    startedAt: run.startedAt?.toISOString() ?? null,
    finishedAt: run.finishedAt?.toISOString() ?? null,
  };
}

/** An issue as JSON. */
export function issueView(record: IssueRecord): IssueView {
  const { revision: _, ...issue } = record;
  return { ...issue, updatedAt: issue.updatedAt.toISOString() };
}

/** An event as JSON. */
export function eventView(event: EventRecord): EventView {
  return { ...event, text: eventText(event), occurredAt: event.occurredAt.toISOString() };
}

/** A delivery as JSON. */
export function deliveryView(delivery: DeliveryRecord): DeliveryView {
  return { ...delivery, reasonText: reasonText(delivery.reason), receivedAt: delivery.receivedAt.toISOString() };
}

/** The last probe of the agents' cluster, as JSON. */
export function clusterView(finding: StoredNetworkFinding | undefined): ClusterView {
  if (!finding) return { network: null };
  const words = networkWords(finding);
  return {
    network: {
      ...finding,
      text: words ? `${words.agents}: ${words.found}` : null,
      advice: words?.advice ?? null,
      foundAt: finding.foundAt.toISOString(),
    },
  };
}

/** A log line as JSON. */
export function logLineView(line: LogRecord): LogLineView {
  return { ...line, at: line.at.toISOString() };
}
