/**
 * Makes deliveries of events on GitHub that no webhook reported. They are evaluated like any other, and stored under the
 * event's id, so that each is processed once (docs/decisions.md, 3).
 */
import { createHash } from 'node:crypto';
import { issueKey, type Fact, type IssueRef } from '../../src/domain/issue/facts.ts';
import { fullName, issueOfBranch } from '../../src/domain/issue/names.ts';
import type { Sender } from '../../src/domain/triggers/senders.ts';
import { triggerLabelsIn } from '../../src/domain/stages/stages.ts';
import {
  missedOnIssue,
  missedOnPullRequest,
  missedReviews,
  reconcileId,
  reconcileReviewId,
  type ChangeRequest,
  type HistoryEvent,
  type Missing,
} from '../../src/domain/maintenance/reconcile.ts';
import { evaluate, type TriggerContext } from '../../src/domain/triggers/triggers.ts';
import { issueRefOf, type WebhookEvent } from '../../src/domain/triggers/webhooks.ts';
import type { Database } from '../../src/store/connection/database.ts';
import type { EvaluatedDelivery } from '../../src/store/intake/arrivals.ts';
import { knowLabels, readKnownLabels, type KnownLabel, type LabelId } from '../../src/store/projects/labels.ts';
import type { Intake } from '../../src/store/intake/intake.ts';
import {
  issuesWithPullRequests,
  livingIssues,
  readIssueRecords,
  type SweptRepository,
} from '../../src/store/github/sweeps.ts';

export type RepositoryName = Pick<IssueRef, 'owner' | 'name'>;

/** An issue or a pull request in GitHub's list. */
interface ListedItem {
  readonly number: number;
  readonly isPullRequest: boolean;
  readonly title: string;
  readonly url: string;
  readonly open: boolean;
  readonly merged: boolean;
  readonly labels: readonly string[];
  /** The same with GitHub's ids. */
  readonly labelIds: readonly LabelId[];
  /** ISO 8601. */
  readonly updatedAt: string;
}

/** GitHub's records of events. */
export interface GitHubHistory {
  /** Oldest change first. `complete` is false when there are more, with later changes. */
  listChanged(repository: RepositoryName, since: string): Promise<{ items: ListedItem[]; complete: boolean }>;
  readHistory(issue: RepositoryName & { number: number }): Promise<HistoryEvent[]>;
  readChangeRequests(repository: RepositoryName, pullRequest: number): Promise<ChangeRequest[]>;
  readBranch(
    repository: RepositoryName,
    pullRequest: number,
  ): Promise<{ headRef: string; headRepositoryId: number | null }>;
}

/** A delivery made for an event that no webhook reported. */
export interface Found {
  /** The issue's key. */
  readonly issue: string;
  /** The event: `labeled run:dev`, for example. */
  readonly what: string;
  readonly delivery: string;
}

/** An event without a delivery, in the form of a webhook's. */
interface Missed {
  /** The delivery id for the event; always the same. */
  readonly id: string;
  /** When the event happened, ISO 8601. */
  readonly at: string;
  readonly event: WebhookEvent;
  readonly body: object;
  /** GitHub's id of the `labeled` event, if it is one. */
  readonly eventId: number | null;
  readonly what: string;
}

/** Issues of one repository in one call; the next sweep continues. */
const ISSUES = 200;

/** Reconciles one repository since a time. `left`: the time from which the next call has to continue, if any. */
export function createReconciler({
  db,
  intake,
  github,
  agentLogin,
}: {
  readonly db: Database;
  readonly intake: Intake;
  readonly github: GitHubHistory;
  /** The login under which agents act: a trigger by it needs a person to confirm it. */
  readonly agentLogin?: string;
}) {
  return async function reconcile(
    repository: SweptRepository,
    since: string,
    { graceMs }: Pick<Missing, 'graceMs'>,
  ): Promise<{ found: Found[]; left: string | null }> {
    const { items, complete } = await github.listChanged(repository, since);
    const namedSince = await readNames(repository, items);
    const when = { now: Date.now(), graceMs, since: repository.boundAt, namedSince };
    const living = await livingIssues(db, repository.id);
    const issueOf = await issuesWithPullRequests(db, repository.id);
    const worthALook = items.filter(({ isPullRequest, number, open, labels }) =>
      isPullRequest ? issueOf.has(number) : living.has(number) || (open && triggerLabelsIn(labels).length > 0),
    );
    const found: Found[] = [];
    for (const item of worthALook.slice(0, ISSUES)) {
      const number = item.isPullRequest ? (issueOf.get(item.number) ?? 0) : item.number;
      const missed = item.isPullRequest
        ? await missedOf(repository, item, number, when)
        : await missedOn(repository, item, when);
      for (const each of missed) {
        if (!(await keep(repository, item, each))) continue;
        found.push({
          issue: issueKey({ repositoryId: repository.id, number }),
          what: each.what,
          delivery: each.id,
        });
      }
    }
    const next = worthALook[ISSUES] ?? (complete ? undefined : items.at(-1));
    return { found, left: next?.updatedAt ?? null };
  };

  /**
   * Since when the trigger labels on these issues have their names. One with an id that is not known was renamed, or created
   * again: what was put on before starts nothing.
   */
  async function readNames(
    { id, boundAt }: SweptRepository,
    items: readonly ListedItem[],
  ): Promise<Record<string, string>> {
    const known = await readKnownLabels(db, id);
    const shown = new Map(items.flatMap(({ labelIds }) => labelIds.map((label) => [label.name, label])));
    const triggers = [...shown.values()].filter(({ name }) => triggerLabelsIn([name]).length > 0);
    const unknown = triggers.filter((label) => !known.some((one) => one.name === label.name && one.id === label.id));
    if (unknown.length === 0) return namesOf(known);
    // Nothing is known of a repository that was bound by an earlier version.
    await knowLabels(db, id, unknown, known.length === 0 ? new Date(boundAt) : new Date());
    return namesOf(await readKnownLabels(db, id));
  }

  async function missedOn(repository: SweptRepository, item: ListedItem, when: Missing): Promise<Missed[]> {
    const history = await github.readHistory({ ...repository, number: item.number });
    const records = await readIssueRecords(db, issueKey({ repositoryId: repository.id, number: item.number }));
    return missedOnIssue({ ...item, history }, records, when).map((happened) => {
      const event: WebhookEvent = {
        name: 'issues',
        action: happened.event,
        repository: named(repository),
        sender: happened.by,
        issue: { number: item.number, title: item.title, url: item.url, labels: item.labels },
        label: happened.label,
      };
      return {
        id: reconcileId(happened),
        at: happened.at,
        event,
        body: issueBody(event, repository, item),
        eventId: happened.id,
        what: happened.label === null ? happened.event : `${happened.event} ${happened.label}`,
      };
    });
  }

  async function missedOf(
    repository: SweptRepository,
    item: ListedItem,
    issue: number,
    when: Missing,
  ): Promise<Missed[]> {
    const history = item.open ? [] : await github.readHistory({ ...repository, number: item.number });
    const changeRequests = item.open ? await github.readChangeRequests(repository, item.number) : [];
    const truth = { open: item.open, history, changeRequests };
    const records = await readIssueRecords(db, issueKey({ repositoryId: repository.id, number: issue }));
    const closes = missedOnPullRequest(item.number, truth, records, when);
    const reviews = missedReviews(truth, records, when);
    if (closes.length === 0 && reviews.length === 0) return [];
    const branch = await github.readBranch(repository, item.number);
    const pullRequest = {
      number: item.number,
      url: item.url,
      labels: item.labels,
      merged: item.merged,
      headSha: null,
      ...branch,
    };
    const common = { repository: named(repository), pullRequest, label: null };
    const missed = (id: string, at: string, event: WebhookEvent, what: string): Missed => ({
      id,
      at,
      event,
      body: pullRequestBody(event, repository, item, branch),
      eventId: null,
      what,
    });
    return [
      ...closes.map((happened) => {
        const event = { ...common, name: 'pull_request' as const, action: 'closed', sender: happened.by };
        return missed(reconcileId(happened), happened.at, event, `closed pull request #${item.number}`);
      }),
      ...reviews.map(({ id, by, at }) => {
        const review = { id, state: 'changes_requested', commit: null };
        const event = { ...common, name: 'pull_request_review' as const, action: 'submitted', sender: by, review };
        return missed(reconcileReviewId({ id }), at, event, `changes requested on pull request #${item.number}`);
      }),
    ];
  }

  /** Stores a delivery through the same evaluation as any other. False if it was stored before. */
  async function keep(repository: SweptRepository, item: ListedItem, missed: Missed): Promise<boolean> {
    const issue = issueRefOf(missed.event, issueOfBranch);
    const body = Buffer.from(JSON.stringify(missed.body));
    const { duplicate } = await intake.add({
      id: missed.id,
      body,
      repositoryId: repository.id,
      senderId: missed.event.sender?.id ?? 0,
      issueKey: issue ? issueKey(issue) : null,
      evaluate: (context) => evaluated(missed, { repository, item, issue, body, context, agentLogin }),
    });
    return !duplicate;
  }
}

/** The fact has the time of the event: the agent's snapshot contains nothing later. */
function evaluated(
  missed: Missed,
  given: {
    readonly repository: SweptRepository;
    readonly item: ListedItem;
    readonly issue: IssueRef | undefined;
    readonly body: Buffer;
    readonly context: TriggerContext;
    readonly agentLogin: string | undefined;
  },
): EvaluatedDelivery {
  const { id, event, at } = missed;
  const { repository, item, issue, body, context, agentLogin } = given;
  const runId = runIdOf(id);
  const decision = evaluate(event, context, {
    delivery: id,
    receivedAt: at,
    runId,
    ...(agentLogin === undefined ? {} : { agentLogin }),
  });
  const fact = withEvent(decision.fact, missed.eventId);
  const sender = event.sender?.login ?? null;
  return {
    id,
    event: event.name,
    action: event.action,
    body,
    status: decision.status,
    reason: decision.reason,
    repositoryId: repository.id,
    issue: issue && context.bound ? { ...issue, ...titleOf(event, item) } : null,
    sender,
    runId: fact?.kind === 'trigger_label_added' || fact?.kind === 'changes_requested' ? runId : null,
    receivedAt: new Date().toISOString(),
    fact,
    details: {
      event: event.name,
      action: event.action,
      sender,
      repository: fullName(repository),
      label: event.name === 'issues' ? event.label : null,
      // There was no webhook: GitHub was asked.
      reconciled: true,
      happened_at: at,
    },
  };
}

function namesOf(known: readonly KnownLabel[]): Record<string, string> {
  return Object.fromEntries(known.map(({ name, since }) => [name, since]));
}

/** A deterministic UUID: two sweeps at once ask for the same run. */
function runIdOf(delivery: string): string {
  const hex = createHash('sha256').update(`codex-k8s ${delivery}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

function withEvent(fact: Fact | null, event: number | null): Fact | null {
  if (event === null) return fact;
  return fact?.kind === 'trigger_label_added' || fact?.kind === 'trigger_refused' ? { ...fact, event } : fact;
}

function named({ id, owner, name }: SweptRepository): { id: number; owner: string; name: string } {
  return { id, owner, name };
}

/** Only events of the issue itself carry its title and URL. */
function titleOf(event: WebhookEvent, { title, url }: ListedItem): { title: string; url: string } {
  if (event.name !== 'issues') return { title: '', url: '' };
  return { title: title.slice(0, 500).toWellFormed().replaceAll('\0', '\u{FFFD}'), url };
}

/** The bodies have the shape of GitHub's, as far as anything reads them. */
function bodyOf(event: WebhookEvent, { id, owner, name }: SweptRepository): object {
  return {
    action: event.action,
    repository: { id, name, full_name: `${owner}/${name}`, owner: { login: owner } },
    sender: senderOf(event.sender),
    reconciled: true,
  };
}

function issueBody(event: WebhookEvent, repository: SweptRepository, item: ListedItem): object {
  const label = event.name === 'issues' ? event.label : null;
  return {
    ...bodyOf(event, repository),
    issue: {
      number: item.number,
      title: item.title,
      html_url: item.url,
      state: item.open ? 'open' : 'closed',
      labels: item.labels.map((each) => ({ name: each })),
      updated_at: item.updatedAt,
    },
    ...(label === null ? {} : { label: { name: label } }),
  };
}

function pullRequestBody(
  event: WebhookEvent,
  repository: SweptRepository,
  item: ListedItem,
  { headRef, headRepositoryId }: { headRef: string; headRepositoryId: number | null },
): object {
  return {
    ...bodyOf(event, repository),
    ...(event.name === 'pull_request' ? { number: item.number } : {}),
    pull_request: {
      number: item.number,
      html_url: item.url,
      state: item.open ? 'open' : 'closed',
      merged: item.merged,
      labels: item.labels.map((each) => ({ name: each })),
      head: { ref: headRef, repo: headRepositoryId === null ? null : { id: headRepositoryId } },
      updated_at: item.updatedAt,
    },
    ...(event.name === 'pull_request_review' ? { review: event.review } : {}),
  };
}

function senderOf(sender: Sender | null): object | null {
  return sender && { id: sender.id, login: sender.login, type: sender.type };
}
