/** What GitHub delivered and what was decided, so that people can see why nothing happened. */
import { and, desc, eq } from 'drizzle-orm';
import type { Database } from '../../store/connection/database.ts';
import { deliveries, issues, repositories } from '../../store/connection/schema.ts';
import { after, bounded, byteOrder, cutPage, type Page, type PageRequest } from './page.ts';
import { repositoryName } from './repositories.ts';

/** All but the raw body, which may be large and holds what strangers wrote. */
const columns = {
  id: deliveries.id,
  event: deliveries.event,
  action: deliveries.action,
  status: deliveries.status,
  reason: deliveries.reason,
  issueKey: deliveries.issueKey,
  sender: deliveries.sender,
  runId: deliveries.runId,
  repeats: deliveries.repeats,
  receivedAt: deliveries.receivedAt,
};

export type DeliveryRecord = Pick<typeof deliveries.$inferSelect, keyof typeof columns> & {
  /** `owner/name`; null when the repository is not bound. */
  readonly repository: string | null;
  readonly issueNumber: number | null;
};

/** What a delivery said of its issue; undefined for one that tells of none, or is not kept any more. */
export async function readDeliveredIssue(
  db: Database,
  id: string,
): Promise<{ title: string; body: string } | undefined> {
  const [row] = await db
    .select({ event: deliveries.event, body: deliveries.body })
    .from(deliveries)
    .where(eq(deliveries.id, id));
  if (row?.event !== 'issues') return undefined;
  const { issue } = JSON.parse(row.body.toString('utf8')) as { issue?: { title?: unknown; body?: unknown } };
  // One that the platform made itself, since no webhook came, does not say what the issue says.
  if (typeof issue?.title !== 'string' || issue.body === undefined) return undefined;
  return { title: issue.title, body: typeof issue.body === 'string' ? issue.body : '' };
}

/** Deliveries, newest first. */
export async function listDeliveries(
  db: Database,
  filter: { readonly status?: DeliveryRecord['status'] | undefined },
  request: PageRequest,
): Promise<Page<DeliveryRecord>> {
  const limit = bounded(request.limit);
  const rows = await db
    .select({ ...columns, repository: repositoryName, issueNumber: issues.number })
    .from(deliveries)
    .leftJoin(repositories, eq(repositories.id, deliveries.repositoryId))
    .leftJoin(issues, eq(issues.key, deliveries.issueKey))
    .where(
      and(
        filter.status && eq(deliveries.status, filter.status),
        after(request.cursor, deliveries.receivedAt, deliveries.id),
      ),
    )
    .orderBy(desc(deliveries.receivedAt), desc(byteOrder(deliveries.id)))
    .limit(limit + 1);
  return cutPage(rows, limit, (delivery) => ({ at: delivery.receivedAt, id: delivery.id }));
}
