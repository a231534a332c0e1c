import { count as countOf, eq } from 'drizzle-orm';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { openRequest } from '../../../src/domain/run/requests.ts';
import type { Membership } from '../../../src/domain/triggers/senders.ts';
import { listenForChanges, type Change } from '../../../src/store/connection/changes.ts';
import { connect } from '../../../src/store/connection/database.ts';
import { PLATFORM_CHAIN } from '../../../src/store/audit/events.ts';
import type { Arrival, EvaluatedDelivery } from '../../../src/store/intake/arrivals.ts';
import { INTAKE_CONNECTION, recordDelivery } from '../../../src/store/intake/intake.ts';
import { readMembership } from '../../../src/store/intake/memberships.ts';
import { closeRequests, storeRequest } from '../../../src/store/runs/requests.ts';
import { addPerson, ensureProject } from '../../../src/store/projects/repositories.ts';
import { deliveries, flowEvents, inboxes, projectMembers } from '../../../src/store/connection/schema.ts';
import {
  bind,
  count,
  deliveryOf,
  factOf,
  factsOf,
  issueOf,
  keyOf,
  OLIVIA,
  patientIntake,
  REPOSITORY,
  useTables,
  verifiedChain,
} from '../../support/tables.ts';

const RUN = '0f0f0f0f-0000-4000-8000-000000000002';
const tables = useTables();

beforeEach(() => tables.clear());

async function rowsOf(table: typeof deliveries | typeof flowEvents | typeof inboxes): Promise<number> {
  const [row] = await tables.db.select({ rows: countOf() }).from(table);
  return row?.rows ?? 0;
}

async function inboxOf(issue: number): Promise<typeof inboxes.$inferSelect | undefined> {
  const [row] = await tables.db
    .select()
    .from(inboxes)
    .where(eq(inboxes.issueKey, keyOf(issue)));
  return row;
}

describe('what is known of a sender', () => {
  const STRANGER: Membership = { known: false, platformRole: null, projectRole: null };

  test('is nothing where nothing is bound', async () => {
    expect(await readMembership(tables.db, REPOSITORY.id, OLIVIA.id)).toEqual({ bound: false, membership: STRANGER });
  });

  test('is nothing of a stranger', async () => {
    await bind(tables.db);
    expect(await readMembership(tables.db, REPOSITORY.id, 666)).toMatchObject({ bound: true, membership: STRANGER });
  });

  test('is read by the first statement of a process', async () => {
    const fresh = connect(tables.url, INTAKE_CONNECTION);
    onTestFinished(async () => fresh.close());
    expect(await readMembership(fresh.db, REPOSITORY.id, OLIVIA.id)).toEqual({ bound: false, membership: STRANGER });
  });

  test.each(['admin', 'read_write', 'read'] as const)('is the role %s of a member', async (role) => {
    const { projectId } = await bind(tables.db);
    await addPerson(tables.db, OLIVIA, role, projectId);
    expect(await readMembership(tables.db, REPOSITORY.id, OLIVIA.id)).toMatchObject({
      bound: true,
      membership: { known: true, platformRole: null, projectRole: role },
    });
  });

  test.each(['platform_owner', 'platform_admin'] as const)('is the role %s of the platform', async (role) => {
    const { projectId } = await bind(tables.db);
    await addPerson(tables.db, { id: 12, login: 'peter' }, role, projectId);
    expect(await readMembership(tables.db, REPOSITORY.id, 12)).toMatchObject({
      bound: true,
      membership: { known: true, platformRole: role, projectRole: null },
    });
  });

  test('is no role of another project', async () => {
    await bind(tables.db);
    await addPerson(tables.db, { id: 12, login: 'peter' }, 'admin', await ensureProject(tables.db, 'another'));
    expect((await readMembership(tables.db, REPOSITORY.id, 12)).membership).toEqual({ ...STRANGER, known: true });
  });

  test('is a role that somebody left empty', async () => {
    await bind(tables.db);
    await tables.db.update(projectMembers).set({ role: '' as 'read' });
    expect((await readMembership(tables.db, REPOSITORY.id, OLIVIA.id)).membership.projectRole).toBe('');
  });

  test('goes by the account and not by its login', async () => {
    const { projectId } = await bind(tables.db);
    await addPerson(tables.db, { id: OLIVIA.id, login: 'olivia-renamed' }, 'read_write', projectId);
    expect((await readMembership(tables.db, REPOSITORY.id, OLIVIA.id)).membership.projectRole).toBe('read_write');
  });
});

describe('a delivery', () => {
  test('is kept with its bytes, its decision, its fact and its event', async () => {
    const delivery = deliveryOf('d1', 7, {
      body: Buffer.from([0, 255, 123, 10]),
      runId: RUN,
      reason: 'platform_owner',
    });
    expect(await recordDelivery(tables.db, delivery)).toEqual({
      duplicate: false,
      status: 'accepted',
      reason: 'platform_owner',
      runId: RUN,
    });
    const [row] = await tables.db.select().from(deliveries);
    expect(row).toMatchObject({
      id: 'd1',
      event: 'issues',
      action: 'closed',
      body: Buffer.from([0, 255, 123, 10]),
      status: 'accepted',
      reason: 'platform_owner',
      repositoryId: REPOSITORY.id,
      issueKey: keyOf(7),
      sender: 'olivia',
      runId: RUN,
      repeats: 0,
    });
    expect(await factsOf(tables.db, 7)).toEqual([{ seq: 1, deliveryId: 'd1', fact: factOf('d1') }]);
    expect(await inboxOf(7)).toMatchObject({ issue: issueOf(7), lastSeq: 1, signaledSeq: 0 });
    const [event] = await tables.db.select().from(flowEvents);
    expect(event).toMatchObject({
      id: 'webhook:d1',
      chain: keyOf(7),
      type: 'webhook.received',
      actorType: 'system',
      actorId: 'github-webhook',
      runId: RUN,
      correlationId: 'd1',
      payload: { event: 'issues', action: 'closed', reason: 'platform_owner' },
    });
  });

  test('that is ignored is kept, and its event says so', async () => {
    await recordDelivery(
      tables.db,
      deliveryOf('d1', 7, { status: 'ignored', reason: 'sender_not_allowed', fact: null }),
    );
    const [event] = await tables.db.select().from(flowEvents);
    expect(event).toMatchObject({ type: 'webhook.ignored', payload: { reason: 'sender_not_allowed' } });
    expect(await inboxOf(7)).toBeUndefined();
  });

  test('that belongs to no issue has its event in the chain of the platform', async () => {
    await recordDelivery(tables.db, deliveryOf('d1', 7, { issue: null, fact: null }));
    expect(await verifiedChain(tables.db, PLATFORM_CHAIN)).toEqual(['webhook:d1']);
  });

  test('that cannot be kept whole is not kept at all, and leaves no gap', async () => {
    const impossible = deliveryOf('d1', 7, { details: { title: 'a\0b' } });
    await expect(recordDelivery(tables.db, impossible)).rejects.toThrow(/./);
    expect(await rowsOf(deliveries)).toBe(0);
    expect(await inboxOf(7)).toBeUndefined();
    await recordDelivery(tables.db, deliveryOf('d2', 7));
    expect((await factsOf(tables.db, 7)).map(({ seq }) => seq)).toEqual([1]);
    expect(await verifiedChain(tables.db, keyOf(7))).toEqual(['webhook:d2']);
  });

  test('with a fact is announced once it can be read', async () => {
    const { sql } = tables.another();
    const changes: Change[] = [];
    const unlisten = await listenForChanges(sql, (change) => changes.push(change));
    await recordDelivery(tables.db, deliveryOf('d1', 7));
    await expect.poll(() => changes).toContainEqual({ kind: 'facts', key: keyOf(7) });
    await unlisten();
  });
});

describe('a delivery that comes again', () => {
  test.each(['accepted', 'ignored'] as const)(
    'and was %s is told what was decided then, and writes nothing more',
    async (status) => {
      const first = await recordDelivery(tables.db, deliveryOf('d1', 7, { status, reason: 'then', runId: RUN }));
      const again = deliveryOf('d1', 8, {
        status: status === 'accepted' ? 'ignored' : 'accepted',
        reason: 'now',
        runId: 'ffffffff-0000-4000-8000-000000000002',
        body: Buffer.from('other'),
      });
      expect(await recordDelivery(tables.db, again)).toEqual({ ...first, duplicate: true });
      expect(await recordDelivery(tables.db, again)).toEqual({ ...first, duplicate: true });
      expect(await tables.db.select().from(deliveries)).toMatchObject([{ reason: 'then', repeats: 2, runId: RUN }]);
      expect(await rowsOf(flowEvents)).toBe(1);
      expect(await factsOf(tables.db, 7)).toHaveLength(1);
      expect(await inboxOf(8)).toBeUndefined();
    },
  );

  test('fifty times at once is kept once', async () => {
    const receipts = await Promise.all(
      count(1, 50).map(() => recordDelivery(tables.db, deliveryOf('d1', 7, { runId: RUN }))),
    );
    expect(receipts.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    expect(new Set(receipts.map(({ runId }) => runId))).toEqual(new Set([RUN]));
    expect(await tables.db.select().from(deliveries)).toMatchObject([{ repeats: 49 }]);
    expect(await factsOf(tables.db, 7)).toHaveLength(1);
    expect(await rowsOf(flowEvents)).toBe(1);
  });
});

describe('the facts of an issue', () => {
  test('are numbered without gaps, however many deliveries come at once through however many servers', async () => {
    const servers = [tables.db, tables.another().db, tables.another().db];
    const all = count(1, 90).map((n) => deliveryOf(`d${n}`, (n % 3) + 1));
    await Promise.all(all.map((delivery, n) => recordDelivery(servers[n % 2] ?? tables.db, delivery)));
    for (const issue of [1, 2, 3]) {
      const facts = await factsOf(tables.db, issue);
      expect(facts.map(({ seq }) => seq)).toEqual(count(1, 30));
      expect(new Set(facts.map(({ deliveryId }) => deliveryId)).size).toBe(30);
      expect(await inboxOf(issue)).toMatchObject({ lastSeq: 30 });
      expect(await verifiedChain(tables.db, keyOf(issue))).toHaveLength(30);
    }
  });

  test('are numbered without gaps, though some deliveries come twice and some fail', async () => {
    const kinds = [
      (id: string) => deliveryOf(id, 7),
      (id: string) => deliveryOf(id, 7, { details: { title: 'a\0b' } }),
      () => deliveryOf('the same', 7),
      (id: string) => deliveryOf(id, 7, { fact: null }),
    ];
    await Promise.allSettled(
      count(0, 39).map((n) => recordDelivery(tables.db, (kinds[n % 4] ?? deliveryOf)(`d${n}`, 7))),
    );
    expect((await factsOf(tables.db, 7)).map(({ seq }) => seq)).toEqual(count(1, 11));
  });

  test('are in the order in which they were kept', async () => {
    for (const n of count(1, 5)) await recordDelivery(tables.db, deliveryOf(`d${n}`, 7));
    expect((await factsOf(tables.db, 7)).map(({ deliveryId }) => deliveryId)).toEqual(['d1', 'd2', 'd3', 'd4', 'd5']);
  });
});

describe('what a workflow is started with', () => {
  test('stores a new title and a new name of the repository', async () => {
    await recordDelivery(tables.db, deliveryOf('d1', 7));
    const renamed = { ...issueOf(7), owner: 'acme-inc', title: 'Another title' };
    await recordDelivery(tables.db, deliveryOf('d2', 7, { issue: renamed }));
    expect((await inboxOf(7))?.issue).toEqual(renamed);
  });

  test("keeps the issue's title and URL, when a delivery is about its pull request", async () => {
    await recordDelivery(tables.db, deliveryOf('d1', 7));
    await recordDelivery(
      tables.db,
      deliveryOf('d2', 7, { event: 'pull_request', issue: { ...issueOf(7), title: '', url: '' } }),
    );
    expect((await inboxOf(7))?.issue).toEqual(issueOf(7));
  });
});

describe('deliveries that arrive together', () => {
  /** An arrival that is judged as told; its issue's chain is the one it asks for. */
  function arrivalOf(delivery: EvaluatedDelivery, more: Partial<Arrival> = {}): Arrival {
    const { id, body, issue } = delivery;
    const key = issue ? keyOf(issue.number) : null;
    return {
      id,
      body,
      repositoryId: REPOSITORY.id,
      senderId: OLIVIA.id,
      issueKey: key,
      evaluate: () => delivery,
      ...more,
    };
  }

  test('are kept in one transaction', async () => {
    const intake = patientIntake(tables.another().db);
    await Promise.all(count(1, 100).map((n) => intake.add(arrivalOf(deliveryOf(`d${n}`, n)))));
    const writers = await tables.db.execute('select distinct xmin::text from deliveries');
    expect(writers).toHaveLength(1);
    expect(await rowsOf(deliveries)).toBe(100);
    expect(await rowsOf(inboxes)).toBe(100);
  });

  test('are numbered and chained within their issues in the order of their arrival', async () => {
    const intake = patientIntake(tables.db);
    await Promise.all(count(0, 99).map((n) => intake.add(arrivalOf(deliveryOf(`d${n}`, (n % 3) + 1)))));
    for (const issue of [1, 2, 3]) {
      const ids = count(0, 99)
        .filter((n) => n % 3 === issue - 1)
        .map((n) => `d${n}`);
      expect((await factsOf(tables.db, issue)).map(({ deliveryId }) => deliveryId)).toEqual(ids);
      expect(await verifiedChain(tables.db, keyOf(issue))).toEqual(ids.map((id) => `webhook:${id}`));
    }
  });

  test('through two servers, with all kinds among them, are numbered and chained without gaps', async () => {
    await bind(tables.db);
    const servers = [patientIntake(tables.db), patientIntake(tables.another().db)];
    const kinds: ((id: string, n: number) => EvaluatedDelivery)[] = [
      (id, n) => deliveryOf(id, (n % 5) + 1),
      (id, n) => deliveryOf(id, (n % 5) + 1, { fact: null }),
      (id) => deliveryOf(id, 1, { issue: null, fact: null }),
      (_, n) => deliveryOf(`twice ${Math.floor(n / 20)}`, 3),
    ];
    const receipts = await Promise.all(
      count(0, 199).map(async (n) => servers[n % 2]?.add(arrivalOf((kinds[n % 4] ?? deliveryOf)(`d${n}`, n)))),
    );
    expect(receipts.filter((receipt) => !receipt?.duplicate)).toHaveLength(160);
    expect(await rowsOf(deliveries)).toBe(160);
    const chained = await Promise.all(
      [...count(1, 5).map(keyOf), PLATFORM_CHAIN].map((chain) => verifiedChain(tables.db, chain)),
    );
    expect(chained.flat()).toHaveLength(160);
    for (const issue of count(1, 5)) {
      const facts = await factsOf(tables.db, issue);
      expect(facts.map(({ seq }) => seq)).toEqual(count(1, facts.length));
    }
  });

  test('with the same id are stored once, and the others get the decision on the first', async () => {
    const intake = patientIntake(tables.db);
    const [first, second, third] = await Promise.all([
      intake.add(arrivalOf(deliveryOf('d1', 7, { reason: 'first', runId: RUN }))),
      intake.add(arrivalOf(deliveryOf('d2', 7))),
      intake.add(arrivalOf(deliveryOf('d1', 7, { reason: 'second' }))),
    ]);
    expect(first).toEqual({ duplicate: false, status: 'accepted', reason: 'first', runId: RUN });
    expect(third).toEqual({ ...first, duplicate: true });
    expect(second?.duplicate).toBe(false);
    const [row] = await tables.db.select().from(deliveries).where(eq(deliveries.id, 'd1'));
    expect(row?.repeats).toBe(1);
  });

  test.each<[string, (id: string) => Arrival]>([
    ['cannot be stored', (id) => arrivalOf(deliveryOf(id, 7, { details: { title: 'a\0b' } }))],
    [
      'cannot be judged',
      (id) =>
        arrivalOf(deliveryOf(id, 7), {
          evaluate() {
            throw new Error('no judgement');
          },
        }),
    ],
  ])('do not suffer for one that %s', async (_what, poison) => {
    const intake = patientIntake(tables.db);
    const receipts = await Promise.allSettled(
      count(1, 20).map((n) => intake.add(n === 10 ? poison('bad') : arrivalOf(deliveryOf(`d${n}`, 7)))),
    );
    expect(receipts.flatMap(({ status }, index) => (status === 'rejected' ? [index + 1] : []))).toEqual([10]);
    expect((await factsOf(tables.db, 7)).map(({ seq }) => seq)).toEqual(count(1, 19));
    expect(await verifiedChain(tables.db, keyOf(7))).toHaveLength(19);
  });

  test('do not suffer for one whose issue somebody holds', async () => {
    await recordDelivery(tables.db, deliveryOf('before', 7));
    const own = connect(tables.url, INTAKE_CONNECTION);
    const intake = patientIntake(own.db);
    const { sql: other } = tables.another();
    let held: Promise<unknown> | undefined;
    await other.begin(async (tx) => {
      await tx`select from inboxes where issue_key = ${keyOf(7)} for update`;
      held = intake.add(arrivalOf(deliveryOf('held', 7)));
      const others = count(1, 5).map((n) => intake.add(arrivalOf(deliveryOf(`d${n}`, n))));
      for (const receipt of await Promise.all(others)) expect(receipt.duplicate).toBe(false);
    });
    expect(await held).toMatchObject({ duplicate: false });
    await own.close();
    expect((await factsOf(tables.db, 7)).map(({ deliveryId }) => deliveryId)).toEqual(['before', 'held']);
  });

  test('know whether a run of their issue waits for an answer', async () => {
    await bind(tables.db);
    const intake = patientIntake(tables.db);
    const request = openRequest(
      { text: 'Which?', options: [] },
      { runId: RUN, n: 1, askedAt: '2026-11-21T10:00:00Z', deadline: '2026-11-28T10:00:00Z' },
    );
    const known: unknown[] = [];
    const ask = async (id: string): Promise<unknown> =>
      intake.add({
        ...arrivalOf(deliveryOf(id, 7)),
        evaluate(context) {
          known.push(context.openRequest);
          return deliveryOf(id, 7);
        },
      });
    await storeRequest(tables.db, keyOf(8), request, true);
    await ask('of-another-issue');
    await storeRequest(tables.db, keyOf(7), { ...request, id: `${RUN}.2` }, true);
    await ask('while-it-asks');
    await closeRequests(tables.db, RUN);
    await ask('afterwards');
    expect(known).toEqual([false, true, false]);
  });

  test('are evaluated with what is known then, each with its own repository and sender', async () => {
    await bind(tables.db);
    const judged: unknown[] = [];
    const intake = patientIntake(tables.db);
    const asked = [
      { repositoryId: REPOSITORY.id, senderId: OLIVIA.id },
      { repositoryId: REPOSITORY.id, senderId: 666 },
      { repositoryId: 43, senderId: OLIVIA.id },
      { repositoryId: 0, senderId: 0 },
    ];
    await Promise.all(
      asked.map((ids, n) =>
        intake.add({
          ...arrivalOf(deliveryOf(`d${n}`, n + 1)),
          ...ids,
          evaluate(context) {
            judged[n] = [context.bound, context.membership.known, context.membership.projectRole];
            return deliveryOf(`d${n}`, n + 1);
          },
        }),
      ),
    );
    expect(judged).toEqual([
      [true, true, 'read_write'],
      [true, false, null],
      [false, false, null],
      [false, false, null],
    ]);
  });

  test('for issues of a repository that is not bound go to the chain of the platform', async () => {
    const intake = patientIntake(tables.db);
    const unbound = deliveryOf('d1', 7, { issue: null, fact: null, status: 'ignored' });
    await Promise.all([
      intake.add(arrivalOf(unbound, { issueKey: keyOf(7) })),
      intake.add(arrivalOf(deliveryOf('d2', 8))),
    ]);
    expect(await verifiedChain(tables.db, PLATFORM_CHAIN)).toEqual(['webhook:d1']);
    expect(await verifiedChain(tables.db, keyOf(8))).toEqual(['webhook:d2']);
  });

  test('keep their bytes, whatever bytes they are', async () => {
    const bodies = [
      Buffer.from('{"emoji":"\u{1F680}é"}'),
      Buffer.from([0, 255, 254, 0, 123]),
      Buffer.from('{}'),
      Buffer.alloc(300_000, 'x'),
    ];
    for (const together of [bodies, bodies.toReversed().slice(0, 2), bodies.slice(0, 1)]) {
      await tables.clear();
      const intake = patientIntake(tables.db);
      await Promise.all(together.map((body, n) => intake.add(arrivalOf(deliveryOf(`d${n}`, n + 1, { body })))));
      const rows = await tables.db.select().from(deliveries).orderBy(deliveries.id);
      expect(rows.map(({ body }) => body)).toEqual(together);
    }
  });

  test('say where their audit events stand, and what those carry', async () => {
    const intake = patientIntake(tables.db);
    await Promise.all(count(1, 3).map((n) => intake.add(arrivalOf(deliveryOf(`d${n}`, 7)))));
    const kept = await tables.db.select().from(deliveries).orderBy(deliveries.id);
    const events = await tables.db.select().from(flowEvents).orderBy(flowEvents.seq);
    expect(kept.map(({ eventPayload, eventSeq, eventHash }) => [eventPayload, eventSeq, eventHash])).toEqual(
      events.map(({ payload, seq, hash }) => [payload, seq, hash]),
    );
  });
});
