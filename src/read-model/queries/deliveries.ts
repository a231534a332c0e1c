/** What GitHub delivered and what was decided, so that people can see why nothing happened. */
import { and, desc, eq } from 'drizzle-orm';
import type { Database } from '../database.ts';
import { deliveries, issues, repositories } from '../schema.ts';
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
