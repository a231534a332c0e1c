/** A second endpoint for a repository's webhooks: what GitHub told, byte by byte and in its order. */
import { createHmac } from 'node:crypto';
import { OWNER } from '../../../src/embedded/accounts.ts';
import { Receiver } from '../../emulators/github/emulator.ts';
import type { Scene } from './scene.ts';

/** Starts a receiver, and has a repository tell it everything. */
export async function listenTo({ person }: Pick<Scene, 'person'>, repo: string): Promise<Receiver> {
  const receiver = await Receiver.start();
  await person.octokit.rest.repos.createWebhook({
    owner: OWNER,
    repo,
    config: { url: receiver.url, content_type: 'json', secret: 'the secret of a test' },
    events: ['*'],
  });
  return receiver;
}

/** Every body that a comment had, oldest first, with what was done to it. */
export function historyOfComment(receiver: Receiver, marker: string): { action: string; body: string; on: number }[] {
  return receiver.received
    .filter(({ event, body }) => event === 'issue_comment' && body.comment.body.startsWith(marker))
    .map(({ body }) => ({ action: body.action, body: body.comment.body, on: body.issue.number }));
}

/** GitHub's signature over a body. */
export function signature(secret: string, body: string | Buffer): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}
