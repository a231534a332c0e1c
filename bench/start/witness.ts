/** Sees what people see, when they see it: the run's row in the read model, and its comment on GitHub. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { OWNER } from '../../src/embedded/accounts.ts';
import { listenForChanges } from '../../src/store/connection/changes.ts';
import { eventually } from '../../test/support/stack.ts';
import type { Scene } from '../../test/e2e/support/scene.ts';
import { now } from './clock.ts';

export interface Witness {
  /** When the run's row said that it is over, in ms since 1970. Throws when it is over otherwise than `succeeded`. */
  succeeded(runId: string): Promise<number>;
  /** When the run's comment was last written, as far as GitHub has told. */
  lastComment(runId: string): number | undefined;
  close(): Promise<void>;
}

/** Watches the runs of one repository. */
export async function openWitness({ person, sql }: Scene, repo: string): Promise<Witness> {
  const ends = new Map<string, { status: string; at: number }>();
  const comments = new Map<string, number>();

  const receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const [, runId] = /codex-k8s:run-status ([\w-]+)/.exec(String(Buffer.concat(chunks))) ?? [];
      if (runId !== undefined) comments.set(runId, now());
      response.writeHead(204).end();
    });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const { port } = receiver.address() as AddressInfo;
  const config = { url: `http://127.0.0.1:${port}`, content_type: 'json', secret: 'of a benchmark' };
  await person.octokit.rest.repos.createWebhook({ owner: OWNER, repo, config, events: ['issue_comment'] });

  const unlisten = await listenForChanges(sql, ({ kind, key }) => {
    if (kind === 'run') void look(key, now());
  });

  async function look(runId: string, at: number): Promise<void> {
    const [row] = await sql<{ status: string }[]>`
      select status from runs where id::text = ${runId} and finished_at is not null`;
    if (row && !ends.has(runId)) ends.set(runId, { status: row.status, at });
  }

  return {
    async succeeded(runId) {
      const end = await eventually(`the end of run ${runId}`, () => ends.get(runId), 60_000);
      if (end.status !== 'succeeded') throw new Error(`run ${runId} is over: ${end.status}`);
      return end.at;
    },
    lastComment: (runId) => comments.get(runId),
    async close() {
      await unlisten();
      receiver.close();
      receiver.closeAllConnections();
    },
  };
}
