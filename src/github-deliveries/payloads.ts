/**
 * Deliveries that nobody's click caused: the bodies that GitHub would send, as far as anything looks at them. Objects that
 * GitHub shows are put in as they are; what it does not show is made up, with ids that are always the same.
 */
import { createHash } from 'node:crypto';
import { CommandProblem } from '../terminal/problems.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * What can be made up. The first are GitHub's actions of issues and pull requests; those from `archived` on are about the
 * repository, and about the platform's app in it.
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

/** What a person says of a delivery. */
export interface Wish {
  readonly what: MadeUp;
  readonly label?: string | undefined;
  /** All that the issue or the pull request is to carry; what GitHub shows, unless told. */
  readonly labels?: readonly string[] | undefined;
  readonly state?: (typeof REVIEW_STATES)[number] | undefined;
  /** GitHub's id of a review or a comment. */
  readonly subject?: number | undefined;
  readonly merged?: boolean | undefined;
  readonly branch?: string | undefined;
  readonly deleted?: boolean | undefined;
  readonly text?: string | undefined;
}

/** The objects of the payload, as GitHub shows them or made up. */
export interface Scene {
  readonly repository: Json;
  /** Undefined for a delivery that names nobody. */
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

/** Makes a delivery up; throws a {@link CommandProblem} when something that it needs was not said. */
export function madeUpDelivery(wish: Wish, scene: Scene): Delivery {
  switch (wish.what) {
    case 'review':
      return delivery('pull_request_review', wish.state === 'dismissed' ? 'dismissed' : 'submitted', scene, {
        pull_request: withLabels(needed(scene.pullRequest, '--pull-request N'), wish.labels),
        review: reviewOf(wish, scene),
      });
    case 'comment':
      return delivery('issue_comment', 'created', scene, {
        issue: withLabels(issueOf(scene), wish.labels),
        comment: {
          id: wish.subject ?? madeUpId(`comment ${scene.now}`),
          body: wish.text ?? 'A comment.',
          user: scene.sender,
          created_at: scene.now,
          updated_at: scene.now,
        },
      });
    case 'push':
      return delivery('push', undefined, scene, pushOf(wish, scene));
    case 'ping':
      return delivery('ping', undefined, scene, { zen: 'Practicality beats purity.', hook_id: 1 });
    case 'archived':
      return delivery('repository', 'archived', { ...scene, repository: { ...scene.repository, archived: true } }, {});
    case 'repository-deleted':
      return delivery('repository', 'deleted', scene, {});
    case 'repository-removed':
      return ofApp('installation_repositories', 'removed', scene, {
        repository_selection: 'selected',
        repositories_added: [],
        repositories_removed: [briefly(scene.repository)],
      });
    case 'app-removed':
      return ofApp('installation', 'deleted', scene, { repositories: [briefly(scene.repository)] });
    case 'app-suspended':
      return ofApp('installation', 'suspend', scene, { repositories: [briefly(scene.repository)] });
    case 'labeled':
    case 'unlabeled':
    case 'opened':
    case 'edited':
    case 'closed':
    case 'reopened':
    case 'deleted':
    case 'transferred':
    case 'locked':
      return changed(wish.what, wish, scene);
  }
}

/** A number that GitHub has not given out, the same for the same name. */
export function madeUpId(name: string): number {
  return 2 ** 40 + createHash('sha256').update(name).digest().readUIntBE(0, 5);
}

function delivery(event: string, action: string | undefined, { repository, sender }: Scene, more: Json): Delivery {
  const payload = { ...(action === undefined ? {} : { action }), ...more, repository, ...(sender ? { sender } : {}) };
  return { event, action, payload };
}

/** An event of the platform's app, which names no repository of its own but a list. */
function ofApp(event: string, action: string, { repository, sender }: Scene, more: Json): Delivery {
  const installation = { id: madeUpId('installation'), app_id: madeUpId('app'), account: repository['owner'] };
  return { event, action, payload: { action, installation, ...more, ...(sender ? { sender } : {}) } };
}

function briefly({ id, name, full_name }: Json): Json {
  return { id, name, full_name };
}

/** An action of an issue, or of a pull request where one is named. */
function changed(action: string, wish: Wish, scene: Scene): Delivery {
  const isLabel = action === 'labeled' || action === 'unlabeled';
  const label = isLabel ? needed(wish.label, '--label NAME') : undefined;
  const state = action === 'closed' ? { state: 'closed' } : action === 'reopened' ? { state: 'open' } : {};
  const shaped = (subject: Json): Json => ({ ...withLabels(subject, labelsAfter(action, wish, subject)), ...state });
  const named = label === undefined ? {} : { label: { name: label, color: 'ededed' } };
  const { pullRequest } = scene;
  if (!pullRequest)
    return delivery('issues', action, scene, { issue: shaped(needed(scene.issue, '--issue N')), ...named });
  const merged = action === 'closed' ? { merged: wish.merged ?? false } : {};
  const pull = { number: pullRequest['number'], pull_request: { ...shaped(pullRequest), ...merged } };
  return delivery('pull_request', action, scene, { ...pull, ...named });
}

/** What is on when the label has been put on or taken off. */
function labelsAfter(action: string, { labels, label }: Wish, subject: Json): readonly string[] | undefined {
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

/** GitHub tells of comments on pull requests as of comments on issues. */
function issueOf({ issue, pullRequest }: Scene): Json {
  if (issue) return issue;
  const { number, title, labels, state, html_url } = needed(pullRequest, '--issue N or --pull-request N');
  return { number, title, labels, state, html_url, pull_request: { html_url } };
}

function reviewOf({ state, subject, text }: Wish, { pullRequest, sender, now }: Scene): Json {
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

function pushOf({ branch, deleted = false }: Wish, { repository, sender, now }: Scene): Json {
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
