/**
 * GitHub's payloads, reduced to the fields that the policy reads. The event's name is an unsigned header, so the body must
 * have the shape of the event that the header names (docs/decisions.md, 3).
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { comparable } from '../../src/domain/run/requests.ts';
import { CANONICAL_NAMES, type LabelNames } from '../../src/domain/stages/label-names.ts';
import type { WebhookEvent } from '../../src/domain/triggers/webhooks.ts';
import { withCanonicalLabels } from './canonical-labels.ts';

/** Text that Postgres and JSON can hold: no NUL, no lone surrogates. */
const text = z.string().transform((value) => value.toWellFormed().replaceAll('\0', '\u{FFFD}'));
const id = z.int().nonnegative();
const label = z.object({ name: text, id: id.optional() });
const labels = z.array(label).default([]);

const Common = z.object({
  action: text.optional(),
  repository: z.object({ id, name: text, owner: z.object({ login: text }), default_branch: text.nullish() }).optional(),
  sender: z.object({ id, login: text, type: text.default('User') }).nullish(),
});

const PullRequest = z.object({
  number: id,
  html_url: text,
  head: z.object({ ref: text, sha: text.nullish(), repo: z.object({ id }).nullish() }),
  labels,
  merged: z.boolean().nullish(),
});

/** An installation of the app. `account` is a person, an organization, or an enterprise, which has no login. */
const installation = z.object({ account: z.object({ login: text.optional() }).nullish() });
const named = z.array(z.object({ id }));

const shapes = {
  issues: Common.extend({
    issue: z.object({ number: id, title: text, html_url: text, labels }),
    label: label.optional(),
  }),
  issue_comment: Common.extend({
    issue: z.object({ number: id, title: text, html_url: text, labels, pull_request: z.looseObject({}).nullish() }),
    comment: z.object({ id, body: text.nullish(), created_at: text, user: z.object({ id }).nullish() }),
    changes: z.object({ body: z.object({ from: text }).optional() }).optional(),
  }),
  pull_request: Common.extend({ pull_request: PullRequest, label: label.optional() }),
  pull_request_review: Common.extend({
    pull_request: PullRequest,
    review: z.object({ id, state: text, commit_id: text.nullish() }),
  }),
  label: Common.extend({
    label,
    changes: z.object({ name: z.object({ from: text }).optional() }).optional(),
  }),
  push: Common.extend({ ref: text, deleted: z.boolean().default(false) }),
  repository: Common.required({ repository: true }),
  installation: Common.extend({ installation, repositories: named.nullish() }),
  installation_repositories: Common.extend({ installation, repositories_removed: named }),
};

/** The event whose shape a body has, of those that the policy reads. */
function shapeOf(body: Record<string, unknown>): keyof typeof shapes | 'other' {
  const has = (key: string): boolean => Object.hasOwn(body, key) && body[key] !== null;
  if (has('review') && has('pull_request')) return 'pull_request_review';
  if (has('comment') && has('issue') && !has('commit')) return 'issue_comment';
  if (has('comment') || has('thread') || has('check_run') || has('check_suite') || has('workflow_run')) return 'other';
  if (has('repositories_removed')) return 'installation_repositories';
  if (isInstallation(body['installation']) && !has('repository') && !has('target_type')) return 'installation';
  if (has('pull_request')) return 'pull_request';
  if (has('issue')) return 'issues';
  if (has('label') && !has('discussion')) return 'label';
  return has('ref') && has('after') ? 'push' : 'other';
}

/** Every delivery of an app names its installation; only events of the installation itself name its account. */
function isInstallation(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'account' in value;
}

/**
 * True if a body can belong to the event. A `repository` event has no object of its own and looks like many other events, so
 * GitHub is asked to confirm it.
 */
function fits(name: string, shape: ReturnType<typeof shapeOf>): boolean {
  if (name === 'repository') return shape === 'other';
  return Object.hasOwn(shapes, name) ? shape === name : shape === 'other' || RELATED.has(name);
}

/**
 * Reads a parsed body as the event that its header names, with canonical label names. Returns an error message if the body
 * does not match the event.
 */
export function readEvent(name: string, body: unknown, labels: LabelNames = CANONICAL_NAMES): WebhookEvent | string {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return 'the body is not a JSON object';
  const shape = shapeOf(body as Record<string, unknown>);
  const known = Object.hasOwn(shapes, name);
  if (!fits(name, shape)) return `the body is not that of the event ${name}`;
  const parsed = known ? shapes[name as keyof typeof shapes].safeParse(body) : Common.safeParse(body);
  if (!parsed.success)
    return `the body is not that of the event ${name}: ${z.prettifyError(parsed.error).slice(0, 500)}`;
  return withCanonicalLabels(toEvent(name, parsed.data), labels);
}

/** Other events that carry an issue, a pull request or a ref like those above. */
const RELATED: ReadonlySet<string> = new Set([
  'sub_issues',
  'issue_dependencies',
  'pull_request_target',
  'create',
  'delete',
  'milestone',
]);

type Parsed = Partial<
  z.infer<(typeof shapes)['issues']> &
    z.infer<(typeof shapes)['issue_comment']> &
    z.infer<(typeof shapes)['pull_request_review']> &
    z.infer<(typeof shapes)['push']> &
    z.infer<(typeof shapes)['installation']> &
    z.infer<(typeof shapes)['installation_repositories']>
>;

function toEvent(name: string, data: z.infer<typeof Common>): WebhookEvent {
  const { repository, sender } = data;
  const common = {
    action: data.action ?? '',
    repository: repository
      ? {
          id: repository.id,
          owner: repository.owner.login,
          name: repository.name,
          ...(typeof repository.default_branch === 'string' && { defaultBranch: repository.default_branch }),
        }
      : null,
    sender: sender ?? null,
  };
  const { issue, label: changed, pull_request: pull, review, comment, changes, ref, deleted } = data as Parsed;
  if (issue && (name === 'issues' || name === 'issue_comment')) {
    const about = {
      number: issue.number,
      title: issue.title,
      url: issue.html_url,
      labels: issue.labels.map((entry) => entry.name),
    };
    if (name === 'issues') return { ...common, name, issue: about, label: changed?.name ?? null };
    if (comment) {
      const isPullRequest = issue.pull_request !== undefined && issue.pull_request !== null;
      return {
        ...common,
        name,
        issue: { ...about, isPullRequest },
        comment: {
          id: comment.id,
          body: comment.body ?? '',
          sha256: createHash('sha256')
            .update(comparable(comment.body ?? ''))
            .digest('hex'),
          author: comment.user?.id ?? null,
          before: changes?.body?.from ?? null,
          at: comment.created_at,
        },
      };
    }
  }
  if ((name === 'pull_request' || name === 'pull_request_review') && pull) {
    const pullRequest = {
      number: pull.number,
      url: pull.html_url,
      headRef: pull.head.ref,
      headSha: pull.head.sha ?? null,
      headRepositoryId: pull.head.repo?.id ?? null,
      labels: pull.labels.map((entry) => entry.name),
      merged: pull.merged ?? false,
    };
    if (name === 'pull_request') return { ...common, name, pullRequest, label: changed?.name ?? null };
    if (review)
      return {
        ...common,
        name,
        pullRequest,
        review: { id: review.id, state: review.state.toLowerCase(), commit: review.commit_id ?? null },
      };
  }
  if (name === 'push' && ref !== undefined) return { ...common, name, ref, deleted: deleted ?? false };
  if (name === 'repository') return { ...common, name };
  if (name === 'installation' || name === 'installation_repositories') {
    const { repositories, repositories_removed: removed, installation: installed } = data as Parsed;
    const ids = (name === 'installation' ? repositories : removed)?.map((each) => each.id) ?? null;
    return { ...common, name, account: installed?.account?.login ?? null, repositories: ids };
  }
  if (name === 'label' && changed)
    return {
      ...common,
      name,
      label: changed.name,
      ...(changed.id === undefined ? {} : { labelId: changed.id }),
      before: renamedFrom(data),
    };
  return { ...common, name: 'other' };
}

function renamedFrom(data: object): string | null {
  const { changes } = data as z.infer<(typeof shapes)['label']>;
  return changes?.name?.from ?? null;
}
