/** Activities that remember what they were asked, over a GitHub of a few lines. */
import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import type { ModelSelection } from '../../src/domain/stages/model-selection.ts';
import type { ParkedCall } from '../../src/domain/approvals/parked-call.ts';
import type { Activities } from '../../activities/index.ts';
import type { AgentEnd } from '../../activities/agents/agents.ts';
import type { Verdict } from '../../src/domain/run/requests.ts';
import { WAIT_HOURS } from '../../src/domain/run/waits.ts';
import type { WaitHours } from '../../src/domain/stages/settings.ts';
import { RUN_LIMITS } from '../../src/domain/run/permits.ts';
import { withdrawalsIn } from '../../src/domain/issue/confirmations.ts';
import type { GitHubPullRequestState, GitHubReviewState } from '../../src/domain/issue/reads.ts';
import type { Account, Fact, ObservedFact } from '../../src/domain/issue/facts.ts';
import type { RunRow } from '../../src/read-model/projections/projections.ts';

export const ISSUE = { repositoryId: 1, owner: 'acme', name: 'app', number: 12 } as const;
const OLIVIA = { id: 7, login: 'olivia' } as const;

export const FINISHED: AgentEnd = {
  kind: 'reported',
  report: { outcome: 'finished', headSha: 'a'.repeat(40), threadId: 'thread-1', summary: 'Did it.' },
};

/** A run id whose last digits are `n`. */
export function runId(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
}

/** The world that the fake activities show: labels and their events on GitHub, and agents that the test ends. */
export interface FakeWorld {
  labels: string[];
  events: { id: number; account: number; clearedByPlatform: boolean; takenOffBy?: Account }[];
  /** What GitHub shows of the issue's pull request, and of reviews; those that are not named here ask for changes. */
  pullRequest: GitHubPullRequestState;
  readonly reviews: Map<number, Partial<GitHubReviewState>>;
  /** Resolves when GitHub takes the pull request, rejects when it does not. */
  publishing: Promise<void>;
  /** Resolves when a status comment is right again. */
  restoring: Promise<void>;
  /** Whether GitHub refuses to show anything. */
  refusesToShow: boolean;
  /** With what agents work. */
  selection: ModelSelection;
  /** What GitHub knows of the issue's pull requests. */
  candidates: { open: boolean; merged: boolean } | undefined;
  /** People who may not start runs any more, by account id. */
  refused: Record<string, string>;
  /** The number of the next pull request that is opened. */
  pullRequestNumber: number;
  /** GitHub does not know the issue any more. */
  deleted: boolean;
  /** Whether GitHub takes no comment, since the issue is locked. */
  locked: boolean;
  /** What GitHub shows of the repository. */
  repository: 'shown' | 'archived' | 'gone';
  open: boolean;
  workspaceHours: number;
  waitHours: WaitHours;
  /** Whether the repository was taken from its project. */
  unbound: boolean;
  /** Whether GitHub refuses comments for the time being. */
  commentsRefused: boolean;
  /** Whether the workspace turns out to be somebody else's. */
  foreignWorkspace: boolean;
  /** What keeps the workspace from being gone. */
  held: string | undefined;
  /** Why no agent can be launched. */
  launchFailure: Error | undefined;
  /** Where agents work, if not in a namespace of the workspace's name. */
  namespace: string | undefined;
  /** What comments decide, by their ids; their texts are in `comments`. */
  readonly verdicts: Map<number, Verdict>;
  /** The tool call that waits when an agent is halted. */
  parked: ParkedCall | undefined;
  /** The result of an approved call, or why it cannot be performed. */
  performing: string | Error;
  /** What comments answer, by their ids; others are no answers. */
  readonly comments: Map<number, string>;
  /** How the project names its namespaces. */
  namespaceTemplate: string | undefined;
  /** Blocks of addresses that the project lists. */
  egress: readonly string[] | undefined;
  readonly calls: { name: keyof Activities; input: Record<string, unknown> }[];
  readonly rows: Map<string, RunRow>;
  /** Ends the agent of a run; before it was launched or after. */
  endAgent(runId: string, end: AgentEnd): void;
  names(): string[];
  countEvents(type: string): number;
}

export function createFakeWorld(): { world: FakeWorld; activities: Activities } {
  const calls: FakeWorld['calls'] = [];
  const rows: FakeWorld['rows'] = new Map();
  const seen = new Set<string>();
  const types: string[] = [];
  const ends = new Map<string, ReturnType<typeof Promise.withResolvers<AgentEnd>>[]>();
  const attempts = new Map<string, number>();
  const endOf = (id: string, attempt: number): ReturnType<typeof Promise.withResolvers<AgentEnd>> => {
    const list = ends.get(id) ?? [];
    ends.set(id, list);
    while (list.length < attempt) list.push(Promise.withResolvers<AgentEnd>());
    return list[attempt - 1]!;
  };
  const world: FakeWorld = {
    labels: ['run:dev'],
    events: [{ id: 100, account: OLIVIA.id, clearedByPlatform: false }],
    pullRequest: { open: true, merged: false },
    reviews: new Map(),
    comments: new Map(),
    verdicts: new Map(),
    parked: undefined,
    performing: '{"status":"ok"}',
    publishing: Promise.resolve(),
    restoring: Promise.resolve(),
    refusesToShow: false,
    deleted: false,
    pullRequestNumber: 13,
    refused: {},
    candidates: undefined,
    selection: {
      model: 'test-model',
      modelSource: 'platform_default',
      reasoningEffort: 'high',
      reasoningSource: 'platform_default',
    },
    locked: false,
    repository: 'shown',
    open: true,
    workspaceHours: 24,
    waitHours: { ...WAIT_HOURS },
    unbound: false,
    foreignWorkspace: false,
    held: undefined,
    launchFailure: undefined,
    namespace: undefined,
    namespaceTemplate: undefined,
    egress: undefined,
    commentsRefused: false,
    calls,
    rows,
    endAgent(id, end) {
      const attempt = (attempts.get(id) ?? 0) + 1;
      attempts.set(id, attempt);
      endOf(id, attempt).resolve(end);
    },
    names: () => calls.map(({ name }) => name),
    countEvents: (type) => types.filter((each) => each === type).length,
  };
  const called = (name: keyof Activities, input: object): void =>
    void calls.push({ name, input: input as Record<string, unknown> });
  const take = (events: readonly { id: string; type: string }[]): void => {
    for (const { id, type } of events) {
      if (!seen.has(id)) types.push(type);
      seen.add(id);
    }
  };
  const activities: Activities = {
    async recordIssue(input) {
      called('recordIssue', input);
      take(input.events);
      return [];
    },
    async recordRun(input) {
      called('recordRun', input);
      take(input.events);
      const present = rows.get(input.row.id);
      if (!present || present.revision < input.row.revision) rows.set(input.row.id, input.row);
      return [];
    },
    async showRun({ row, events, comment, acknowledge }) {
      called('showRun', { runId: row.id });
      await activities.recordRun({ row, events });
      if (acknowledge) await activities.acknowledge(acknowledge);
      const written =
        comment &&
        (await activities.writeStatusComment({ ...comment, runId: row.id, revision: row.revision }).catch(() => null));
      const refused = comment && world.locked ? { refused: 'Unable to create comment because issue is locked.' } : {};
      return { links: [], comment: world.locked ? null : written, ...refused };
    },
    async readSettings(input) {
      called('readSettings', input);
      if (world.unbound) throw ApplicationFailure.nonRetryable('not bound', 'RepositoryNotBound');
      return {
        project: 'trial',
        locale: 'en',
        baseBranch: 'main',
        model: 'test-model',
        reasoningEffort: 'high',
        dashboardUrl: 'http://dashboard',
        workspaceHours: world.workspaceHours,
        waitHours: world.waitHours,
        workspaceHoursByRole: { dev: world.workspaceHours },
        ...(world.namespaceTemplate === undefined ? {} : { namespaceTemplate: world.namespaceTemplate }),
        ...(world.egress === undefined ? {} : { egress: world.egress }),
      };
    },
    async leaseNamespace(input) {
      called('leaseNamespace', input);
      return `${input.project}-dev-1`;
    },
    async releaseNamespace(input) {
      called('releaseNamespace', input);
    },
    async readIssue(input) {
      called('readIssue', input);
      if (world.deleted) throw ApplicationFailure.nonRetryable('gone', 'GitHubNotFound');
      return {
        open: world.open,
        title: 'Add a flag',
        labels: world.labels,
        labeled: world.events.map((event) => ({ takenOffBy: null, ...event, at: new Date().toISOString() })),
      };
    },
    async readTrigger(input) {
      called('readTrigger', input);
      const settings = await activities.readSettings({ repositoryId: input.issue.repositoryId }).catch(() => null);
      const { candidates } = world;
      const issue = await activities.readIssue(input);
      return {
        issue: { ...issue, prior: null, refused: world.refused, ...(candidates ? { candidates } : {}) },
        settings,
      };
    },
    async readWithdrawals(input) {
      called('readWithdrawals', input);
      if (world.refusesToShow) throw ApplicationFailure.nonRetryable('gone', 'GitHubNotFound');
      const github = await activities.readIssue({ ...input, facts: [] });
      return withdrawalsIn(github, input.events, input.people);
    },
    async readPullRequest(input) {
      called('readPullRequest', input);
      if (world.refusesToShow) throw ApplicationFailure.nonRetryable('gone', 'GitHubNotFound');
      return world.pullRequest;
    },
    async readRepository(input) {
      called('readRepository', input);
      if (world.repository === 'gone') throw ApplicationFailure.nonRetryable('gone', 'GitHubNotFound');
      return { archived: world.repository === 'archived' };
    },
    async readReview(input) {
      called('readReview', input);
      const asks = { pullRequestOpen: true, state: 'changes_requested', approvedSince: false, ofEarlierLife: false };
      return { ...asks, ...world.reviews.get(input.review) };
    },
    async moveLabels(input) {
      called('moveLabels', input);
      if (input.remove !== null) world.labels = world.labels.filter((label) => label !== input.remove);
      if (input.add !== null) world.labels = [...world.labels, input.add];
    },
    async openPullRequest(input) {
      called('openPullRequest', input);
      await world.publishing;
      const { pullRequestNumber } = world;
      return { number: pullRequestNumber, url: `http://github/acme/app/pull/${pullRequestNumber}`, created: true };
    },
    async answerReview(input) {
      called('answerReview', input);
    },
    async prepareAssignment(input) {
      called('prepareAssignment', input);
      return {
        promptSha256: 'f'.repeat(64),
        snapshotSha256: 'e'.repeat(64),
        comments: 0,
        leftOut: { outsiders: 0, edited: 0 },
        selection: world.selection,
        baseCommit: null,
      };
    },
    async acknowledge(input) {
      called('acknowledge', input);
    },
    async writeStatusComment(input) {
      if (world.commentsRefused) throw new Error('GitHub is away');
      called('writeStatusComment', input);
      return { id: 1, url: 'http://github/acme/app/issues/12#issuecomment-1' };
    },
    async restoreStatusComment(input) {
      called('restoreStatusComment', input);
      await world.restoring;
    },
    async showWorkspaceEnd(input) {
      called('showWorkspaceEnd', input);
    },
    async writeRefusal(input) {
      called('writeRefusal', input);
    },
    async launchAgent(input) {
      called('launchAgent', input);
      if (world.launchFailure) throw world.launchFailure;
      return { granted: true, ...(world.namespace === undefined ? {} : { namespace: world.namespace }) };
    },
    async haltAgent(input) {
      called('haltAgent', input);
      for (const end of ends.get(input.runId) ?? []) end.reject(new CancelledFailure('stopped'));
      return world.parked === undefined ? {} : { parked: world.parked };
    },
    async performCall(input) {
      called('performCall', input);
      if (world.performing instanceof Error) throw world.performing;
      return { state: 'applied', result: world.performing };
    },
    async endCall(input) {
      called('endCall', input);
      return { state: 'denied', result: JSON.stringify(input.end) };
    },
    async revokeToken(input) {
      called('revokeToken', input);
    },
    async releasePermit(input) {
      called('releasePermit', input);
    },
    async endRun(input) {
      called('endRun', input);
    },
    async recordRequest(input) {
      called('recordRequest', input);
    },
    async writeRequestComment(input) {
      called('writeRequestComment', input);
      return { comment: 1 };
    },
    async readAnswerComment(input) {
      called('readAnswerComment', input);
      const decision = world.verdicts.get(input.comment);
      return { text: world.comments.get(input.comment) ?? null, ...(decision && { decision }) };
    },
    async stopAgent(input) {
      called('stopAgent', input);
      for (const end of ends.get(input.runId) ?? []) end.reject(new CancelledFailure('stopped'));
    },
    async removeWorkspace(input) {
      called('removeWorkspace', input);
      if (world.foreignWorkspace) throw ApplicationFailure.nonRetryable('not ours', 'ForeignWorkspace');
      return world.held === undefined ? {} : { held: world.held };
    },
    async listSweptRepositories() {
      return [];
    },
    async redeliverFailed() {
      return { resent: 0, waiting: 0, givenUp: 0, recovered: 0, cutShort: 0, leftOut: [] };
    },
    async reconcileRepositories() {
      return { made: 0, found: [], unfinished: [], leftOut: [] };
    },
    async endLostRuns() {
      return { looked: 0, ended: [], unsignaled: [] };
    },
    async findAbandonedIssues() {
      return [];
    },
    async findEndedRuns() {
      return { ended: [], limits: RUN_LIMITS };
    },
    async findOrphans() {
      return [];
    },
    async pruneRecords() {
      return { bodies: 0, logs: 0, conversations: 0, statusComments: 0, more: false };
    },
    async removeOrphans() {
      return { removed: [], kept: [] };
    },
    async awaitAgent(input) {
      called('awaitAgent', input);
      return Promise.race([endOf(input.runId, input.attempt).promise, Context.current().cancelled]);
    },
  };
  return { world, activities };
}

type DeliveryFact = Extract<Fact, { delivery: string }>;
type Omitted<T> = T extends unknown ? Omit<T, 'delivery' | 'by' | 'at'> : never;

/** A fact from a delivery of its own, by olivia. */
export function delivered(seq: number, fact: Omitted<DeliveryFact>): ObservedFact {
  return { seq, fact: { ...fact, delivery: `delivery-${seq}`, by: OLIVIA, at: new Date().toISOString() } };
}

/** `run:dev` put on; names the run it asks for. */
export function labeled(seq: number, id = runId(seq)): ObservedFact {
  return delivered(seq, {
    kind: 'trigger_label_added',
    label: 'run:dev',
    target: { stage: 'dev', kind: 'work' },
    runId: id,
  });
}

/** Changes requested on the pull request of the fake world. */
export function changesRequested(seq: number, review: number, id = runId(seq)): ObservedFact {
  return delivered(seq, {
    kind: 'changes_requested',
    pullRequest: 13,
    pullRequestUrl: 'http://github/acme/app/pull/13',
    branch: 'codex/issue-12',
    review,
    labels: [],
    runId: id,
  });
}
