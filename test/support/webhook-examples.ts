/** GitHub's own example payloads, by event (@octokit/webhooks-examples). */
import { createRequire } from 'node:module';

export interface WebhookExample {
  readonly event: string;
  /** The event, its action and its number among the examples. */
  readonly title: string;
  readonly payload: Record<string, unknown>;
}

const definitions = createRequire(import.meta.url)('@octokit/webhooks-examples') as readonly {
  name: string;
  examples: Record<string, unknown>[];
}[];

export const WEBHOOK_EXAMPLES: readonly WebhookExample[] = definitions.flatMap(({ name, examples }) =>
  examples.map((payload, index) => ({
    event: name,
    title: [name, ...(typeof payload['action'] === 'string' ? [payload['action']] : []), index].join('.'),
    payload,
  })),
);
