/** Sends deliveries as GitHub does, instead of the emulator, so that the time of their arrival is known. */
import { randomUUID } from 'node:crypto';
import { OWNER } from '../../src/embedded/accounts.ts';
import { deliveryHeaders } from '../../src/github-deliveries/headers.ts';
import { madeUpDelivery } from '../../src/github-deliveries/payloads.ts';
import type { BoundRepository, Scene } from '../../test/e2e/support/scene.ts';
import { now } from './clock.ts';

export interface Delivered {
  readonly runId: string;
  /** When the request began, in ms since 1970. */
  readonly arrivedAt: number;
  /** When its answer was here. */
  readonly answeredAt: number;
}

/** Stops the emulator from sending deliveries. */
export async function silence({ person }: Scene, { name, hookId }: BoundRepository): Promise<void> {
  await person.octokit.rest.repos.updateWebhook({ owner: OWNER, repo: name, hook_id: hookId, active: false });
}

/** Opens an issue, adds a label, and returns the body of the delivery about it. */
export async function labeledIssue(
  { person }: Scene,
  repo: string,
  label: string,
): Promise<{ number: number; body: string }> {
  const number = await person.openIssue(repo, { title: 'A run that is measured', body: 'Nothing is to be done.' });
  await person.label(repo, number, label);
  const { rest } = person.octokit;
  const [issue, repository, sender] = await Promise.all([
    rest.issues.get({ owner: OWNER, repo, issue_number: number }),
    rest.repos.get({ owner: OWNER, repo }),
    rest.users.getAuthenticated(),
  ]);
  const shown = { issue: { ...issue.data }, repository: { ...repository.data }, sender: { ...sender.data } };
  const { payload } = madeUpDelivery({ what: 'labeled', label }, { ...shown, now: new Date().toISOString() });
  return { number, body: JSON.stringify(payload) };
}

/** A delivery that was not kept is sent again, as somebody would have GitHub do: so often in all. */
const TRIES = 5;

/** Signs and sends a delivery. Throws unless it was accepted and names a run. */
export async function deliver({ stack }: Scene, event: string, body: string): Promise<Delivered> {
  const { url, webhookSecret } = stack.ready;
  const headers = deliveryHeaders({ id: randomUUID(), event, body, secret: webhookSecret });
  const arrivedAt = now();
  for (let tried = 1; ; tried += 1) {
    const response = await fetch(`${url}/api/v1/webhooks/github`, { method: 'POST', headers, body });
    const answer = (await response.json()) as { status?: string; run_id?: string | null };
    if (response.ok && answer.status !== 'ignored' && answer.run_id)
      return { runId: answer.run_id, arrivedAt, answeredAt: now() };
    if (response.status !== 503 || tried >= TRIES)
      throw new Error(`the delivery was answered ${response.status}: ${JSON.stringify(answer)}`);
  }
}
