/**
 * Simulated deliveries: the bodies that GitHub would send, with the fields that the platform reads. Objects that exist on
 * GitHub are included as they are; others are made up, with stable ids.
 */
import { createHash } from 'node:crypto';
import { CommandProblem } from '../terminal/problems.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * Kinds of simulated deliveries. The first are GitHub's actions of issues and pull requests; those from `archived` on are
 * events of the repository and of the platform's app in it.
 */
export const MADE_UP = [
  'labeled',
  'unlabeled',
  'opened',
  'edited',
  'closed',
  'reopened',
  'deleted',
  'transferred',
  'locked',
  'review',
  'comment',
  'push',
  'ping',
  'archived',
  'repository-deleted',
  'repository-removed',
  'app-removed',
  'app-suspended',
] as const;
export type MadeUp = (typeof MADE_UP)[number];

export const REVIEW_STATES = ['changes_requested', 'approved', 'commented', 'dismissed'] as const;

/** The options of a simulated delivery. */
export interface DeliverySpec {
  readonly what: MadeUp;
  readonly label?: string | undefined;
  /** All labels of the issue or pull request; those on GitHub by default. */
  readonly labels?: readonly string[] | undefined;
  readonly state?: (typeof REVIEW_STATES)[number] | undefined;
  /** GitHub's id of a review or a comment. */
  readonly subject?: number | undefined;
  readonly merged?: boolean | undefined;
  readonly branch?: string | undefined;
  readonly deleted?: boolean | undefined;
  readonly text?: string | undefined;
}

/** The objects of the payload, from GitHub or made up. */
export interface PayloadObjects {
  readonly repository: Json;
  /** Undefined for a delivery without a sender. */
  readonly sender: Json | undefined;
  readonly issue?: Json | undefined;
  readonly pullRequest?: Json | undefined;
  /** ISO 8601. */
  readonly now: string;
}

export interface Delivery {
  readonly event: string;
  readonly action: string | undefined;
  readonly payload: Json;
}

/** Makes up a delivery; throws a {@link CommandProblem} if a required option is missing. */
export function madeUpDelivery(spec: DeliverySpec, objects: PayloadObjects): Delivery {
  switch (spec.what) {
    case 'review':
      return delivery('pull_request_review', spec.state === 'dismissed' ? 'dismissed' : 'submitted', objects, {
        pull_request: withLabels(needed(objects.pullRequest, '--pull-request N'), spec.labels),
        review: reviewOf(spec, objects),
      });
    case 'comment':
      return delivery('issue_comment', 'created', objects, {
        issue: withLabels(issueOf(objects), spec.labels),
        comment: {
          id: spec.subject ?? madeUpId(`comment ${objects.now}`),
          body: spec.text ?? 'A comment.',
          user: objects.sender,
          created_at: objects.now,
          updated_at: objects.now,
        },
      });
    case 'push':
      return delivery('push', undefined, objects, pushOf(spec, objects));
    case 'ping':
      return delivery('ping', undefined, objects, { zen: 'Practicality beats purity.', hook_id: 1 });
    case 'archived':
      return delivery(
        'repository',
        'archived',
        { ...objects, repository: { ...objects.repository, archived: true } },
        {},
      );
    case 'repository-deleted':
      return delivery('repository', 'deleted', objects, {});
    case 'repository-removed':
      return ofApp('installation_repositories', 'removed', objects, {
        repository_selection: 'selected',
        repositories_added: [],
        repositories_removed: [briefly(objects.repository)],
      });
    case 'app-removed':
      return ofApp('installation', 'deleted', objects, { repositories: [briefly(objects.repository)] });
    case 'app-suspended':
      return ofApp('installation', 'suspend', objects, { repositories: [briefly(objects.repository)] });
    case 'labeled':
    case 'unlabeled':
    case 'opened':
    case 'edited':
    case 'closed':
    case 'reopened':
    case 'deleted':
    case 'transferred':
    case 'locked':
      return changed(spec.what, spec, objects);
  }
}

/** An id that GitHub has not assigned, the same for the same name. */
export function madeUpId(name: string): number {
  return 2 ** 40 + createHash('sha256').update(name).digest().readUIntBE(0, 5);
}

function delivery(
  event: string,
  action: string | undefined,
  { repository, sender }: PayloadObjects,
  more: Json,
): Delivery {
  const payload = { ...(action === undefined ? {} : { action }), ...more, repository, ...(sender ? { sender } : {}) };
  return { event, action, payload };
}

/** An event of the platform's app, which has a list of repositories instead of one. */
function ofApp(event: string, action: string, { repository, sender }: PayloadObjects, more: Json): Delivery {
  const installation = { id: madeUpId('installation'), app_id: madeUpId('app'), account: repository['owner'] };
  return { event, action, payload: { action, installation, ...more, ...(sender ? { sender } : {}) } };
}

function briefly({ id, name, full_name }: Json): Json {
  return { id, name, full_name };
}

/** An action of an issue, or of a pull request where one is named. */
function changed(action: string, spec: DeliverySpec, objects: PayloadObjects): Delivery {
  const isLabel = action === 'labeled' || action === 'unlabeled';
  const label = isLabel ? needed(spec.label, '--label NAME') : undefined;
  const state = action === 'closed' ? { state: 'closed' } : action === 'reopened' ? { state: 'open' } : {};
  const shaped = (subject: Json): Json => ({ ...withLabels(subject, labelsAfter(action, spec, subject)), ...state });
  const named = label === undefined ? {} : { label: { name: label, color: 'ededed' } };
  const { pullRequest } = objects;
  if (!pullRequest)
    return delivery('issues', action, objects, { issue: shaped(needed(objects.issue, '--issue N')), ...named });
  const merged = action === 'closed' ? { merged: spec.merged ?? false } : {};
  const pull = { number: pullRequest['number'], pull_request: { ...shaped(pullRequest), ...merged } };
  return delivery('pull_request', action, objects, { ...pull, ...named });
}

/** The labels after one was added or removed. */
function labelsAfter(action: string, { labels, label }: DeliverySpec, subject: Json): readonly string[] | undefined {
  if (labels !== undefined || label === undefined) return labels;
  const others = namesOn(subject).filter((name) => name.toLowerCase() !== label.toLowerCase());
  return action === 'labeled' ? [...others, label] : others;
}

function withLabels(subject: Json, labels: readonly string[] | undefined): Json {
  return labels === undefined ? subject : { ...subject, labels: labels.map((name) => ({ name, color: 'ededed' })) };
}

function namesOn({ labels }: Json): string[] {
  return Array.isArray(labels) ? (labels as readonly { readonly name?: string }[]).map(({ name = '' }) => name) : [];
}

/** The issue of a comment: GitHub sends comments on pull requests as comments on issues. */
function issueOf({ issue, pullRequest }: PayloadObjects): Json {
  if (issue) return issue;
  const { number, title, labels, state, html_url } = needed(pullRequest, '--issue N or --pull-request N');
  return { number, title, labels, state, html_url, pull_request: { html_url } };
}

function reviewOf({ state, subject, text }: DeliverySpec, { pullRequest, sender, now }: PayloadObjects): Json {
  const { head } = (pullRequest ?? {}) as { readonly head?: { readonly sha?: string } };
  return {
    id: subject ?? madeUpId(`review ${now}`),
    state: needed(state, '--state STATE'),
    body: text ?? null,
    user: sender,
    commit_id: head?.sha ?? null,
    submitted_at: now,
  };
}

const NO_COMMIT = '0'.repeat(40);

function pushOf({ branch, deleted = false }: DeliverySpec, { repository, sender, now }: PayloadObjects): Json {
  const { default_branch: usual = 'main' } = repository as { readonly default_branch?: string };
  const ref = `refs/heads/${branch ?? usual}`;
  const commit = (name: string): string => createHash('sha1').update(name).digest('hex');
  return {
    ref,
    before: commit(`before ${now}`),
    after: deleted ? NO_COMMIT : commit(`after ${now}`),
    created: false,
    deleted,
    forced: false,
    commits: [],
    head_commit: null,
    pusher: { name: sender?.['login'] },
  };
}

function needed<Value>(value: Value | undefined, option: string): Value {
  if (value === undefined) throw new CommandProblem(`Give ${option}`, 2);
  return value;
}
