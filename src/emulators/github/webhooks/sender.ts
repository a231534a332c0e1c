/** Sends deliveries: those of one hook in their order, those of different hooks side by side, none twice. */
import { createHmac } from 'node:crypto';
import { reportError } from '../errors.ts';
import type { HookRow, Rows } from '../rows.ts';
import type { Delivery, DeliveryLog, Outcome } from './deliveries.ts';

/** Time limit for a receiver's response, as on GitHub. */
const TIMEOUT_MS = 10_000;
/** Bytes of a response that are kept. */
const KEPT_ANSWER = 64 * 1024;

/** Posts each delivery once and records the response. Nothing is retried; a redelivery has to be requested. */
export class DeliverySender {
  readonly #rows: Rows;
  readonly #log: DeliveryLog;
  readonly #queues = new Map<number, Promise<void>>();
  readonly #stop = new AbortController();

  constructor(rows: Rows, log: DeliveryLog) {
    this.#rows = rows;
    this.#log = log;
  }

  /** Puts deliveries at the end of their hooks' queues and returns at once. */
  enqueue(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) {
      const queue = this.#queues.get(delivery.hookId) ?? Promise.resolve();
      this.#queues.set(delivery.hookId, queue.then(() => this.#deliver(delivery)).catch(reportError));
    }
  }

  /** Stops sending. Deliveries without a response stay unsent, and the next process sends them. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#queues.values());
  }

  async #deliver(delivery: Delivery): Promise<void> {
    const hook = this.#rows.webhooks.get(delivery.hookId);
    if (!hook || this.#stop.signal.aborted) return;
    const { body, headers } = envelope(delivery, hook);
    const started = performance.now();
    const answer = await post(hook.config.url, headers, body, this.#stop.signal);
    if (this.#stop.signal.aborted) return;
    const durationSeconds = Math.round((performance.now() - started) / 10) / 100;
    const deliveredAt = new Date().toISOString();
    this.#log.conclude(delivery.id, {
      ...answer,
      deliveredAt,
      durationSeconds,
      request: { url: hook.config.url, headers },
    });
  }
}

type Answer = Pick<Outcome, 'status' | 'statusCode' | 'response'>;

async function post(url: string, headers: Record<string, string>, body: string, stop: AbortSignal): Promise<Answer> {
  try {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(TIMEOUT_MS)]);
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
    const payload = (await response.text()).slice(0, KEPT_ANSWER);
    const status = response.ok ? 'OK' : `Invalid HTTP Response: ${response.status}`;
    return {
      status,
      statusCode: response.status,
      response: { headers: Object.fromEntries(response.headers), payload },
    };
  } catch (error) {
    const timedOut = error instanceof Error && error.name === 'TimeoutError';
    const status = timedOut ? 'timed out' : 'failed to connect to host';
    return { status, statusCode: timedOut ? 504 : 502, response: { headers: {}, payload: '' } };
  }
}

/** The body and headers of a delivery. A redelivery has the same body and GUID. */
function envelope(delivery: Delivery, hook: HookRow): { body: string; headers: Record<string, string> } {
  const form = hook.config.content_type === 'form';
  const body = form ? `payload=${encodeURIComponent(delivery.body)}` : delivery.body;
  const sign = (algorithm: 'sha1' | 'sha256', secret: string): string =>
    `${algorithm}=${createHmac(algorithm, secret).update(body).digest('hex')}`;
  const { secret } = hook.config;
  const headers = {
    Accept: '*/*',
    'Content-Type': form ? 'application/x-www-form-urlencoded' : 'application/json',
    'User-Agent': 'GitHub-Hookshot/5and6ox',
    'X-GitHub-Delivery': delivery.guid,
    'X-GitHub-Event': delivery.event,
    'X-GitHub-Hook-ID': String(hook.id),
    'X-GitHub-Hook-Installation-Target-ID': String(hook.repo_id ?? hook.org_id),
    'X-GitHub-Hook-Installation-Target-Type': hook.repo_id === null ? 'organization' : 'repository',
    ...(secret && { 'X-Hub-Signature': sign('sha1', secret), 'X-Hub-Signature-256': sign('sha256', secret) }),
  };
  return { body, headers };
}
