/** Webhook deliveries that a test makes itself, signed as GitHub signs them. */
import { randomUUID } from 'node:crypto';
import { OWNER } from '../../../src/embedded/accounts.ts';
import type { Ready } from '../../../src/embedded/data-directory.ts';
import { deliveryHeaders } from '../../../src/github-deliveries/headers.ts';
import { eventually } from '../../support/stack.ts';
import type { BoundRepository, Scene } from '../../e2e/support/scene.ts';
import { now } from './clock.ts';

export interface Sent {
  readonly id: string;
  /** The answer's status; 0 when there was none. */
  readonly status: number;
  readonly milliseconds: number;
}

/** Sends a body as a delivery of its own. `url` is that of the server, when it is not the one of `up`. */
export async function deliver(
  { ready }: { readonly ready: Pick<Ready, 'url' | 'webhookSecret'> },
  { event, body, id = randomUUID(), url = ready.url }: { event: string; body: string; id?: string; url?: string },
): Promise<Sent> {
  const since = now();
  const status = await fetch(`${url}/api/v1/webhooks/github`, {
    method: 'POST',
    headers: deliveryHeaders({ id, event, body, secret: ready.webhookSecret }),
    body,
    signal: AbortSignal.timeout(30_000),
  }).then(
    async (response) => {
      await response.body?.cancel().catch(() => undefined);
      return response.status;
    },
    () => 0,
  );
  return { id, status, milliseconds: now() - since };
}

/** The body of the newest delivery of this kind that the emulator has sent, as text. */
export async function bodyOf(
  { person }: Scene,
  { name, hookId }: BoundRepository,
  event: string,
  action: string,
): Promise<string> {
  const hook = { owner: OWNER, repo: name, hook_id: hookId };
  const delivery = await eventually(`a delivery of ${event}.${action}`, async () => {
    const { data } = await person.octokit.rest.repos.listWebhookDeliveries({ ...hook, per_page: 100 });
    return data.find((one) => one.event === event && one.action === action);
  });
  const { data } = await person.octokit.rest.repos.getWebhookDelivery({ ...hook, delivery_id: delivery.id });
  return JSON.stringify(data.request.payload);
}
