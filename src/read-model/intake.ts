/** The durable intake (design.md, decision 3): a delivery, its decision, its fact and its audit event, in one transaction. */
import { and, eq, sql } from 'drizzle-orm';
import { issueKey, type Fact, type IssueRef } from '../domain/facts.ts';
import type { Standing } from '../domain/senders.ts';
import { announce } from './changes.ts';
import type { Database, Transaction } from './database.ts';
import { appendEvent, PLATFORM_CHAIN } from './events.ts';
import { deliveries, inboxes, issueFacts, people, projectMembers, repositories } from './schema.ts';

/** A judged delivery, as it is to be kept. */
export interface JudgedDelivery {
  readonly id: string;
  readonly event: string;
  readonly action: string | null;
  readonly body: Buffer;
  readonly status: 'accepted' | 'ignored';
  readonly reason: string;
  readonly repositoryId: number | null;
  readonly issue: (IssueRef & { readonly title: string; readonly url: string }) | null;
  readonly sender: string | null;
  readonly runId: string | null;
  readonly receivedAt: string;
  readonly fact: Fact | null;
  /** For the audit event (requirements.md W6). */
  readonly details: Readonly<Record<string, unknown>>;
}

/** What GitHub is told: for a repeated delivery, what was decided the first time. */
export interface Receipt {
  readonly duplicate: boolean;
  readonly status: 'accepted' | 'ignored';
  readonly reason: string;
  readonly runId: string | null;
}

/** Whether the repository is bound, and how the sender stands in its project. One query. */
export async function readStanding(
  db: Database,
  repositoryId: number,
  senderId: number,
): Promise<{ bound: boolean; standing: Standing }> {
  const [row] = await db
    .select({
      project: repositories.projectId,
      person: people.id,
      platformRole: people.platformRole,
      projectRole: projectMembers.role,
    })
    .from(repositories)
    .leftJoin(people, eq(people.id, senderId))
    .leftJoin(
      projectMembers,
      and(eq(projectMembers.projectId, repositories.projectId), eq(projectMembers.personId, people.id)),
    )
    .where(eq(repositories.id, repositoryId));
  return {
    bound: row !== undefined,
    standing: {
      known: row !== undefined && row.person !== null,
      platformRole: row?.platformRole ?? null,
      projectRole: row?.projectRole ?? null,
    },
  };
}

/** Keeps a delivery, once. A repeated one only counts, so that it writes no second event and no second fact (B12). */
export async function recordDelivery(db: Database, delivery: JudgedDelivery): Promise<Receipt> {
  return db.transaction(async (tx) => {
    const key = delivery.issue && issueKey(delivery.issue);
    const inserted = await tx
      .insert(deliveries)
      .values({
        id: delivery.id,
        event: delivery.event,
        action: delivery.action,
        body: delivery.body,
        status: delivery.status,
        reason: delivery.reason,
        repositoryId: delivery.repositoryId,
        issueKey: key,
        sender: delivery.sender,
        runId: delivery.runId,
        receivedAt: new Date(delivery.receivedAt),
      })
      .onConflictDoNothing()
      .returning({ id: deliveries.id });
    if (inserted.length === 0) return repeated(tx, delivery.id);

    if (delivery.fact && delivery.issue) await addFact(tx, delivery.issue, delivery.id, delivery.fact);
    await appendEvent(tx, {
      id: `webhook:${delivery.id}`,
      chain: key ?? PLATFORM_CHAIN,
      type: delivery.status === 'ignored' ? 'webhook.ignored' : 'webhook.received',
      actorType: 'system',
      actorId: 'github-webhook',
      runId: delivery.runId,
      correlationId: delivery.id,
      payload: { ...delivery.details, reason: delivery.reason },
      occurredAt: delivery.receivedAt,
    });
    return { duplicate: false, status: delivery.status, reason: delivery.reason, runId: delivery.runId };
  });
}

async function repeated(tx: Transaction, id: string): Promise<Receipt> {
  const [first] = await tx
    .update(deliveries)
    .set({ repeats: sql`${deliveries.repeats} + 1` })
    .where(eq(deliveries.id, id))
    .returning({ status: deliveries.status, reason: deliveries.reason, runId: deliveries.runId });
  if (!first) throw new Error(`delivery ${id} is neither new nor known`);
  return { duplicate: true, ...first };
}

/** Only events of the issue itself carry its title and address. */
const keepTitle = sql`case when excluded.issue->>'title' = '' then ${inboxes.issue} else excluded.issue end`;

/** Numbers a fact within its issue. The inbox's row lock keeps numbers gapless and in the order of commits. */
async function addFact(
  tx: Transaction,
  issue: NonNullable<JudgedDelivery['issue']>,
  deliveryId: string,
  fact: Fact,
): Promise<void> {
  const key = issueKey(issue);
  const [inbox] = await tx
    .insert(inboxes)
    .values({ issueKey: key, issue, lastSeq: 1 })
    .onConflictDoUpdate({ target: inboxes.issueKey, set: { lastSeq: sql`${inboxes.lastSeq} + 1`, issue: keepTitle } })
    .returning({ seq: inboxes.lastSeq });
  if (!inbox) throw new Error(`no inbox for ${key}`);
  await tx.insert(issueFacts).values({ issueKey: key, seq: inbox.seq, deliveryId, fact });
  await announce(tx, { kind: 'facts', key });
}
