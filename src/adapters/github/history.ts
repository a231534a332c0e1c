/** Reads events from GitHub's own records, for sweeps. */
import type { Octokit } from '@octokit/rest';
import type { IssueRef } from '../../domain/issue/facts.ts';
import type { Sender } from '../../domain/triggers/senders.ts';
import { normalizeLabel } from '../../domain/stages/stages.ts';
import type { ChangeRequest, HistoryEvent } from '../../domain/maintenance/reconcile.ts';
import { createConditionalReads } from './conditional-reads.ts';

/** An issue or a pull request as a repository's list shows it. */
export interface ChangedItem {
  readonly number: number;
  readonly isPullRequest: boolean;
  readonly title: string;
  readonly url: string;
  readonly open: boolean;
  readonly merged: boolean;
  readonly labels: readonly string[];
  /** The same with GitHub's ids. */
  readonly labelIds: readonly { readonly name: string; readonly id: number }[];
  /** ISO 8601. */
  readonly updatedAt: string;
}

type RepositoryRef = Pick<IssueRef, 'owner' | 'name'>;

const LIST: string = 'GET /repos/{owner}/{repo}/issues';
/** Enough for what changes between two sweeps, as a rule. */
const NEWEST = 50;
const PAGES = 20;
/** GitHub's times are in whole seconds. */
const SECOND_MS = 1000;

const HISTORY = new Set(['labeled', 'unlabeled', 'closed', 'reopened']);
const NOBODY: Sender = { id: 0, login: '', type: 'User' };

export function createHistory(octokit: Octokit) {
  const lists = createConditionalReads<ChangedItem[]>(octokit);
  const histories = createConditionalReads<{ count: number; events: HistoryEvent[] }>(octokit);
  const reviews = createConditionalReads<ShownReview[]>(octokit);

  const listed = ({ owner, name }: RepositoryRef, more: Readonly<Record<string, string | number>>) => ({
    owner,
    repo: name,
    state: 'all' as const,
    sort: 'updated' as const,
    ...more,
  });

  /**
   * Each page begins where the one before it ended, by time: what changes meanwhile moves nothing. Only what changed all
   * within one second is gone through by number.
   */
  async function listFrom(
    repository: RepositoryRef,
    since: string,
  ): Promise<{ items: ChangedItem[]; complete: boolean }> {
    const items = new Map<number, ChangedItem>();
    let from = since;
    let page = 1;
    for (let count = 0; count < PAGES; count += 1) {
      const asked = listed(repository, { direction: 'asc', per_page: 100, since: from, page });
      const shown = itemsOf((await octokit.request(LIST, asked)).data);
      for (const item of shown) items.set(item.number, item);
      const last = shown.at(-1);
      if (shown.length < 100 || !last) return { items: [...items.values()], complete: true };
      const next = new Date(Date.parse(last.updatedAt) - SECOND_MS).toISOString();
      const advances = Date.parse(next) > Date.parse(from);
      page = advances ? 1 : page + 1;
      if (advances) from = next;
    }
    return { items: [...items.values()], complete: false };
  }

  return {
    /**
     * Issues and pull requests that changed since a moment (ISO 8601), oldest change first. A repository where nothing
     * changed costs one conditional request. `complete` is false when there are more than are read at once: the rest
     * changed after the last one.
     */
    async listChanged(repository: RepositoryRef, since: string): Promise<{ items: ChangedItem[]; complete: boolean }> {
      const newest = await lists.read(LIST, listed(repository, { direction: 'desc', per_page: NEWEST }), itemsOf);
      const changed = newest.filter(({ updatedAt }) => Date.parse(updatedAt) >= Date.parse(since));
      if (changed.length < NEWEST) return { items: changed.toReversed(), complete: true };
      return listFrom(repository, since);
    },

    /** The labels, closes and reopenings of an issue or a pull request, oldest first. */
    async readHistory({ owner, name, number }: Pick<IssueRef, 'owner' | 'name' | 'number'>): Promise<HistoryEvent[]> {
      const found: HistoryEvent[] = [];
      for (let page = 1; page <= PAGES; page += 1) {
        const shown = await histories.read(
          'GET /repos/{owner}/{repo}/issues/{issue_number}/events',
          { owner, repo: name, issue_number: number, per_page: 100, page },
          (data) => ({ count: (data as unknown[]).length, events: (data as ShownEvent[]).flatMap(eventsOf) }),
        );
        found.push(...shown.events);
        if (shown.count < 100) break;
      }
      return found.toSorted((one, other) => one.id - other.id);
    },

    /** The newest request for changes of each reviewer that was neither dismissed nor followed by an approval. */
    async readChangeRequests({ owner, name }: RepositoryRef, pullRequest: number): Promise<ChangeRequest[]> {
      const newest = new Map<number, ChangeRequest>();
      for (let page = 1; page <= PAGES; page += 1) {
        const shown = await reviews.read(
          'GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews',
          { owner, repo: name, pull_number: pullRequest, per_page: 100, page },
          (data) => data as ShownReview[],
        );
        for (const { id, state, user, submitted_at: at } of shown) {
          const by = senderOf(user);
          if (state === 'CHANGES_REQUESTED' && at !== undefined) newest.set(by.id, { id, by, at });
          if (state === 'APPROVED' || state === 'DISMISSED') newest.delete(by.id);
        }
        if (shown.length < 100) break;
      }
      return [...newest.values()];
    },

    /** The branch that a pull request brings, and from where. `headRepositoryId` is null when the fork is gone. */
    async readBranch(
      { owner, name }: RepositoryRef,
      pullRequest: number,
    ): Promise<{ headRef: string; headRepositoryId: number | null }> {
      const { data } = await octokit.rest.pulls.get({ owner, repo: name, pull_number: pullRequest });
      return { headRef: data.head.ref, headRepositoryId: (data.head.repo as { id: number } | null)?.id ?? null };
    },
  };
}

interface ShownAccount {
  readonly id: number;
  readonly login: string;
  readonly type: string;
}

interface ShownItem {
  readonly number: number;
  readonly title: string;
  readonly html_url: string;
  readonly state: string;
  readonly updated_at: string;
  readonly labels: readonly (string | { readonly id?: number; readonly name?: string | null })[];
  readonly pull_request?: { readonly merged_at?: string | null } | null;
}

interface ShownEvent {
  readonly id: number;
  readonly event: string;
  readonly created_at: string;
  readonly actor: ShownAccount | null;
  readonly label?: { readonly name?: string | null };
}

interface ShownReview {
  readonly id: number;
  readonly state: string;
  readonly user: ShownAccount | null;
  readonly submitted_at?: string;
}

function itemOf(shown: ShownItem): ChangedItem {
  return {
    number: shown.number,
    isPullRequest: Boolean(shown.pull_request),
    title: shown.title,
    url: shown.html_url,
    open: shown.state === 'open',
    merged: Boolean(shown.pull_request?.merged_at),
    labels: shown.labels.map((label) => (typeof label === 'string' ? label : (label.name ?? ''))),
    labelIds: shown.labels.flatMap((label) =>
      typeof label === 'string' || label.id === undefined || !label.name
        ? []
        : [{ name: normalizeLabel(label.name), id: label.id }],
    ),
    updatedAt: shown.updated_at,
  };
}

function itemsOf(data: unknown): ChangedItem[] {
  return (data as ShownItem[]).map(itemOf);
}

function eventsOf({ id, event, label, actor, created_at: at }: ShownEvent): HistoryEvent[] {
  if (!HISTORY.has(event)) return [];
  const name = label?.name;
  return [
    {
      id,
      event: event as HistoryEvent['event'],
      label: name === undefined || name === null ? null : normalizeLabel(name),
      by: senderOf(actor),
      at,
    },
  ];
}

function senderOf(account: ShownAccount | null): Sender {
  return account ? { id: account.id, login: account.login, type: account.type } : NOBODY;
}
