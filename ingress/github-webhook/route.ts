/**
 * `POST /api/v1/webhooks/github` (docs/decisions.md, 3). In this order: method, type, size, headers, signature, parse,
 * event against shape, evaluate, commit, answer. It answers within the limit whatever is unavailable, and commits all or nothing.
 */
import { randomUUID } from 'node:crypto';
import { Hono, type Context, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { issueKey, type IssueRef } from '../../src/domain/issue/facts.ts';
import type { LabelNames } from '../../src/domain/stages/label-names.ts';
import { issueOfBranch } from '../../src/domain/issue/names.ts';
import { isOwnDeliveryId } from '../../src/domain/maintenance/reconcile.ts';
import { LABELS } from '../../src/domain/stages/labels.ts';
import { normalizeLabel } from '../../src/domain/stages/stages.ts';
import { leanBody } from '../../src/domain/maintenance/retention.ts';
import { evaluate, type DeliveryDecision } from '../../src/domain/triggers/triggers.ts';
import { goneRepositories, issueRefOf, type WebhookEvent } from '../../src/domain/triggers/webhooks.ts';
import type {
  Arrival,
  EvaluatedDelivery,
  Receipt,
  RenamedRepository,
  SenderContext,
} from '../../src/store/intake/arrivals.ts';
import type { Intake } from '../../src/store/intake/intake.ts';
import { isSame } from '../../src/store/projects/present-repository.ts';
import { bodyTooLarge, failure } from '../http/errors.ts';
import { readEvent } from './payloads.ts';
import { signedBy } from './signature.ts';

export interface WebhookOptions {
  readonly intake: Intake;
  /** At least one, the newest first; several while one is rotated. */
  readonly secrets: readonly string[];
  /** Label names of this installation; the canonical ones by default. */
  readonly labels?: LabelNames;
  /** Bytes; 1 MiB by default. GitHub's own limit is 25 MB. */
  readonly bodyLimit?: number;
  /** The login under which agents commit. */
  readonly agentLogin?: string;
  /** Called for every answer, for metrics. */
  readonly onResult?: (result: { event: string; result: string }) => void;
  readonly onError?: (error: unknown) => void;
  /** Called when a delivery calls its repository, or its default branch, otherwise than it is stored. */
  readonly onRenamed?: (repository: RenamedRepository) => void;
}

const RETRY_AFTER_SECONDS = '30';
const HEADER_CHARACTERS = 128;

export function createGitHubWebhook({
  intake,
  secrets,
  labels,
  agentLogin,
  onResult,
  onError,
  onRenamed,
  ...limits
}: WebhookOptions): Hono {
  if (secrets.length === 0 || secrets.some((secret) => secret.length < 16)) {
    throw new Error('The webhook needs a secret of at least 16 characters; without one, anybody could start runs.');
  }
  const app = new Hono();

  app.all('/', async (c, next) => {
    if (c.req.method !== 'POST') {
      c.header('Allow', 'POST');
      return failure(
        c,
        405,
        'invalid_argument',
        `${c.req.method} is not allowed here; GitHub sends deliveries by POST`,
      );
    }
    const [type] = (c.req.header('content-type') ?? '').split(';');
    if (type?.trim().toLowerCase() !== 'application/json' || c.req.header('content-encoding') !== undefined) {
      return failure(c, 415, 'invalid_argument', "set the webhook's content type to application/json", 'Content-Type');
    }
    return next();
  });
  app.use(limitBody(limits.bodyLimit ?? 1_048_576));

  app.post('/', async (c) => {
    const receivedAt = new Date().toISOString();
    const id = c.req.header('x-github-delivery') ?? '';
    const name = c.req.header('x-github-event') ?? '';
    const body = Buffer.from(await c.req.arrayBuffer());
    // Ids that sweeps make are refused: with one, a captured body could be replayed as an event that a sweep has found.
    if (!wellFormed(id) || isOwnDeliveryId(id))
      return failure(c, 400, 'invalid_argument', 'the header is missing or malformed', 'X-GitHub-Delivery');
    if (!wellFormed(name))
      return failure(c, 400, 'invalid_argument', 'the header is missing or malformed', 'X-GitHub-Event');
    const key = signedBy(secrets, body, c.req.header('x-hub-signature-256'));
    if (key === -1) {
      onResult?.({ event: 'unknown', result: 'unauthorized' });
      return failure(c, 401, 'unauthorized', 'the signature is missing or wrong', 'X-Hub-Signature-256');
    }

    const parsed = parseJson(body);
    if (!parsed) return failure(c, 400, 'invalid_argument', 'the body is not valid JSON', 'body');
    const event = readEvent(name, parsed.value, labels);
    if (typeof event === 'string') return failure(c, 400, 'invalid_argument', event, 'X-GitHub-Event');

    try {
      const received = {
        id,
        name,
        body,
        receivedAt,
        // While the secret is rotated, people see which deliveries still have an old one (docs/reliability.md T02).
        ...(key === 0 ? {} : { key: 'previous' as const }),
        ...(agentLogin === undefined ? {} : { agentLogin }),
      };
      const receipt = await intake.add(arrivalOf(event, received));
      onResult?.({ event: name, result: receipt.duplicate ? 'duplicate' : receipt.status });
      if (receipt.renamed) onRenamed?.(receipt.renamed);
      return answer(c, received, receipt);
    } catch (error) {
      onError?.(error);
      onResult?.({ event: name, result: 'unavailable' });
      c.header('Retry-After', RETRY_AFTER_SECONDS);
      return failure(c, 503, 'unavailable', 'the delivery could not be stored in time; send it again');
    }
  });
  return app;
}

/**
 * Refuses bodies of more than `maxSize` bytes. The content length, which Node enforces, is enough to decide: Hono's own
 * middleware opens the body first, and the web stream for that costs more than all other checks.
 */
function limitBody(maxSize: number): MiddlewareHandler {
  const counting = bodyLimit({ maxSize, onError: bodyTooLarge });
  return async function limit(c, next) {
    const announced = c.req.header('content-length');
    if (announced === undefined || c.req.header('transfer-encoding') !== undefined) return counting(c, next);
    return Number(announced) > maxSize ? bodyTooLarge(c) : next();
  };
}

interface Received {
  readonly id: string;
  readonly name: string;
  readonly body: Buffer;
  readonly receivedAt: string;
  readonly agentLogin?: string;
  /** Set if an older secret than the newest signed it. */
  readonly key?: 'previous';
}

/** The delivery to store, with its evaluation, which intake calls with the sender's context. */
function arrivalOf(event: WebhookEvent, received: Received): Arrival {
  const issue = issueRefOf(event, issueOfBranch);
  const gone = goneRepositories(event);
  const runId = randomUUID();
  return {
    id: received.id,
    body: received.body,
    repositoryId: event.repository?.id ?? 0,
    senderId: event.sender?.id ?? 0,
    issueKey: issue ? issueKey(issue) : null,
    ...(gone ? { gone } : {}),
    evaluate: (context) => evaluateDelivery(event, received, { context, issue, runId }),
  };
}

function evaluateDelivery(
  event: WebhookEvent,
  { id, name, body, receivedAt, agentLogin, key }: Received,
  { context, issue, runId }: { context: SenderContext; issue: IssueRef | undefined; runId: string },
): EvaluatedDelivery {
  const identity = { delivery: id, receivedAt, runId, ...(agentLogin === undefined ? {} : { agentLogin }) };
  const decision = evaluate(event, context, identity);
  return {
    id,
    event: name,
    action: event.action || null,
    // Of a repository that is not bound, nothing is kept of what people wrote.
    body:
      context.bound || decision.fact !== null ? body : Buffer.from(JSON.stringify(leanBody(parseJson(body)?.value))),
    status: decision.status,
    reason: decision.reason,
    repositoryId: event.repository?.id ?? null,
    issue: issue && context.bound ? { ...issue, ...titleOf(event) } : null,
    sender: event.sender?.login ?? null,
    runId: asksForRun(decision) ? runId : null,
    receivedAt,
    fact: decision.fact,
    ...renamedIn(event, context),
    ...relabeledIn(event, context),
    details: {
      event: name,
      action: event.action,
      sender: event.sender?.login ?? null,
      repository: event.repository ? `${event.repository.owner}/${event.repository.name}` : null,
      label: event.name === 'issues' || event.name === 'pull_request' ? event.label : null,
      ...(key === undefined ? {} : { key }),
    },
  };
}

/** A label that was created with, or renamed to, a name of the platform's. */
function relabeledIn(event: WebhookEvent, { bound }: SenderContext): Pick<EvaluatedDelivery, 'relabeled'> {
  if (event.name !== 'label' || !bound || event.labelId === undefined) return {};
  const isNamedNow = event.action === 'created' || (event.action === 'edited' && event.before !== null);
  const name = normalizeLabel(event.label);
  return isNamedNow && LABELS.some((label) => label.name === name) ? { relabeled: { name, id: event.labelId } } : {};
}

/** A repository keeps its id, whatever it is called (docs/reliability.md T20). */
function renamedIn({ repository }: WebhookEvent, context: SenderContext): Pick<EvaluatedDelivery, 'renamed'> {
  if (!repository || !context.repository || isSame(context.repository, repository)) return {};
  const { id, owner, name } = repository;
  return { renamed: { id, owner, name } };
}

function answer(c: Context, { id, key }: Received, receipt: Receipt): Response {
  const body = {
    correlation_id: id,
    ...(receipt.runId === null ? {} : { run_id: receipt.runId }),
    status: receipt.duplicate ? 'duplicate' : receipt.status,
    duplicate: receipt.duplicate,
    reason: receipt.reason,
    ...(key === undefined ? {} : { key }),
  };
  return c.json(body, receipt.duplicate || receipt.status === 'ignored' ? 200 : 202);
}

function asksForRun({ fact }: DeliveryDecision): boolean {
  return fact?.kind === 'trigger_label_added' || fact?.kind === 'changes_requested' || fact?.kind === 'comment_added';
}

function titleOf(event: WebhookEvent): { title: string; url: string } {
  return event.name === 'issues' || (event.name === 'issue_comment' && !event.issue.isPullRequest)
    ? { title: event.issue.title.slice(0, 500).toWellFormed(), url: event.issue.url }
    : { title: '', url: '' };
}

function wellFormed(header: string): boolean {
  return header.length <= HEADER_CHARACTERS && /^[\w.-]+$/.test(header);
}

function parseJson(body: Buffer): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(body.toString('utf8')) };
  } catch {
    return undefined;
  }
}
