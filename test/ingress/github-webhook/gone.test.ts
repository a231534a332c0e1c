/** docs/reliability.md T21: a repository in which nothing can be done any more tells each of its open issues, with its delivery. */
import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { beforeEach, expect, test } from 'vitest';
import { createGitHubWebhook } from '../../../ingress/github-webhook/route.ts';
import { deliveryHeaders } from '../../../src/github-deliveries/headers.ts';
import { recordDelivery } from '../../../src/store/intake/intake.ts';
import { projectIssue } from '../../../src/read-model/projections/projections.ts';
import { bindRepository } from '../../../src/store/projects/repositories.ts';
import { deliveries, inboxes } from '../../../src/store/connection/schema.ts';
import { listenForChanges } from '../../../src/store/connection/changes.ts';
import { connect } from '../../../src/store/connection/database.ts';
import {
  bind,
  count,
  deliveryOf,
  factsOf,
  issueOf,
  keyOf,
  patientIntake,
  REPOSITORY,
  useTables,
} from '../../support/tables.ts';

const SECRET = 'the secret of the tests';
const ADMIN = { id: 666, login: 'an-admin', type: 'User' };
const SHOWN = { id: REPOSITORY.id, name: REPOSITORY.name, owner: { login: REPOSITORY.owner } };
const INSTALLATION = { id: 5, account: { login: 'Acme' }, app_id: 9 };
const tables = useTables();

beforeEach(async () => {
  await tables.clear();
  await bind(tables.db);
});

async function told(
  event: string,
  body: object,
  id: string = randomUUID(),
): Promise<{ status: number; body: Record<string, unknown> }> {
  const bytes = Buffer.from(JSON.stringify({ sender: ADMIN, ...body }));
  const app = createGitHubWebhook({ intake: patientIntake(tables.db), secrets: [SECRET] });
  const answer = await app.request('/', {
    method: 'POST',
    body: new Uint8Array(bytes),
    headers: deliveryHeaders({ id, event, body: bytes, secret: SECRET }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

/** An issue that was told of one thing, and whose workflow shows itself so. */
async function issue(number: number, state: 'working' | 'waiting' | 'closed' | null): Promise<void> {
  await recordDelivery(tables.db, deliveryOf(`first-${number}`, number));
  if (state !== null)
    await projectIssue(
      tables.db,
      {
        key: keyOf(number),
        repositoryId: REPOSITORY.id,
        number,
        title: issueOf(number).title,
        url: issueOf(number).url,
        state,
        waitingFor: null,
        stage: 'dev',
        activeRunId: null,
        queued: 0,
        pullRequest: null,
        workspace: null,
        past: null,
        revision: 1,
        updatedAt: '2026-11-21T10:00:00.000Z',
      },
      [],
    );
}

/** What the issues were told after the first thing. */
async function toldTo(...numbers: number[]): Promise<unknown[]> {
  const all = await Promise.all(numbers.map((number) => factsOf(tables.db, number)));
  return all.map((facts) => facts.slice(1).map(({ seq, fact }) => ({ seq, ...fact })));
}

const archived = { action: 'archived', repository: SHOWN };

test('T21: each open issue of an archived repository gets the fact, by whomever it was archived', async () => {
  await issue(7, 'working');
  await issue(8, 'waiting');
  expect(await told('repository', archived, 'd1')).toMatchObject({
    status: 202,
    body: { status: 'accepted', reason: 'repository_archived' },
  });
  const fact = { seq: 2, kind: 'repository_gone', reason: 'archived', delivery: 'd1', by: { login: 'an-admin' } };
  expect(await toldTo(7, 8)).toMatchObject([[fact], [fact]]);
});

test('T21: an issue that is closed does not get it', async () => {
  await issue(7, 'closed');
  expect(await told('repository', archived)).toMatchObject({
    status: 200,
    body: { status: 'ignored', reason: 'no_open_issue_concerned' },
  });
  expect(await toldTo(7)).toEqual([[]]);
});

test('T21: an issue that was delivered a moment ago, and has no row yet, gets the fact', async () => {
  await issue(7, null);
  expect(await told('repository', archived)).toMatchObject({ status: 202 });
  expect(await toldTo(7)).toMatchObject([[{ kind: 'repository_gone' }]]);
});

test('T21: an issue that never had a workflow does not get it', async () => {
  await issue(7, null);
  await tables.db.update(inboxes).set({ signaledSeq: 1, nextAt: new Date('2026-11-20T10:00:00Z') });
  expect(await told('repository', archived)).toMatchObject({ status: 200 });
});

test('T21: a repository that is not bound concerns nobody', async () => {
  await issue(7, 'working');
  expect(await told('repository', { action: 'deleted', repository: { ...SHOWN, id: 7 } })).toMatchObject({
    status: 200,
    body: { reason: 'no_open_issue_concerned' },
  });
});

test.each([
  ['a repository that was deleted', 'repository', { action: 'deleted', repository: SHOWN }, 'deleted'],
  [
    'an app that was removed',
    'installation',
    { action: 'deleted', installation: INSTALLATION, repositories: [{ id: REPOSITORY.id }] },
    'app_removed',
  ],
  [
    'an app that was suspended for all of an owner',
    'installation',
    { action: 'suspend', installation: INSTALLATION },
    'app_suspended',
  ],
  [
    'an app that was taken out of repositories',
    'installation_repositories',
    { action: 'removed', installation: INSTALLATION, repositories_removed: [{ id: 3 }, { id: REPOSITORY.id }] },
    'app_removed',
  ],
])('T21: %s tells its open issues', async (_what, event, body, reason) => {
  await issue(7, 'waiting');
  expect(await told(event, body)).toMatchObject({ status: 202 });
  expect(await toldTo(7)).toMatchObject([[{ kind: 'repository_gone', reason }]]);
});

test("T21: an app that was removed from one owner's repositories leaves another's alone", async () => {
  const { projectId } = await bind(tables.db);
  await bindRepository(tables.db, { ...REPOSITORY, owner: 'somebody', projectId });
  await issue(7, 'waiting');
  expect(await told('installation', { action: 'deleted', installation: INSTALLATION })).toMatchObject({ status: 200 });
});

test('T21: the same delivery again tells nothing more', async () => {
  await issue(7, 'working');
  await told('repository', archived, 'd1');
  expect(await told('repository', archived, 'd1')).toMatchObject({ status: 200, body: { duplicate: true } });
  expect(await toldTo(7)).toHaveLength(1);
});

test('T21: the relay is signaled at once', async () => {
  await issue(7, 'working');
  const changes: string[] = [];
  const listener = connect(tables.url, { name: 'listener' });
  const stop = await listenForChanges(listener.sql, ({ kind, key }) => void changes.push(`${kind} ${key}`));
  await told('repository', archived);
  await expect.poll(() => changes).toContain(`facts ${keyOf(7)}`);
  await stop();
  await listener.close();
});

test('T21: many deliveries at once leave no gap in any inbox', async () => {
  await issue(7, 'working');
  await issue(8, 'working');
  const intake = patientIntake(tables.db);
  const own = (id: string, number: number) => ({
    id,
    body: Buffer.from('{}'),
    repositoryId: REPOSITORY.id,
    senderId: 1,
    issueKey: keyOf(number),
    evaluate: () => deliveryOf(id, number),
  });
  await Promise.all([
    ...count(1, 20).flatMap((n) => [intake.add(own(`a${n}`, 7)), intake.add(own(`b${n}`, 8))]),
    ...count(1, 5).map(() => told('repository', archived)),
  ]);
  for (const number of [7, 8]) {
    const facts = await factsOf(tables.db, number);
    expect(facts.map(({ seq }) => seq)).toEqual(count(1, 26));
  }
});

test('T21: its delivery is kept with what was decided', async () => {
  await issue(7, 'working');
  await told('repository', archived, 'd1');
  const [row] = await tables.db.select().from(deliveries).where(eq(deliveries.id, 'd1'));
  expect(row).toMatchObject({ event: 'repository', action: 'archived', status: 'accepted', issueKey: null });
});
