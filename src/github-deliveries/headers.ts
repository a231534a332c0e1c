import { sign } from '../../ingress/github-webhook/signature.ts';

/** The headers with which GitHub would send a delivery of these bytes. `id`: its X-GitHub-Delivery, a UUID. */
export function deliveryHeaders({
  id,
  event,
  body,
  secret,
}: {
  readonly id: string;
  readonly event: string;
  readonly body: Buffer | string;
  readonly secret: string;
}): Record<string, string> {
  return {
    'content-type': 'application/json',
    'user-agent': 'GitHub-Hookshot/codex-k8s',
    'x-github-delivery': id,
    'x-github-event': event,
    'x-hub-signature-256': sign(secret, Buffer.from(body)),
  };
}
