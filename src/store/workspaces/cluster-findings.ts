/** Results of checks of the cluster, for display. */
import { eq, sql } from 'drizzle-orm';
import { networkState, type NetworkFinding } from '../../domain/workspace/network-findings.ts';
import type { Database } from '../connection/database.ts';
import { clusterFindings } from '../connection/schema.ts';

/** The newest finding about the network, and its time. */
export interface StoredNetworkFinding extends NetworkFinding {
  readonly foundAt: Date;
}

const NETWORK = 'network_policy';

/** Stores the newest finding. */
export async function storeNetworkFinding(
  db: Database,
  { state, detail: text, agents }: NetworkFinding,
): Promise<void> {
  const detail = JSON.stringify({ text, agents });
  await db
    .insert(clusterFindings)
    .values({ name: NETWORK, state, detail })
    .onConflictDoUpdate({ target: clusterFindings.name, set: { state, detail, foundAt: sql`now()` } });
}

/** The newest finding; undefined before the first check. */
export async function findNetworkFinding(db: Pick<Database, 'select'>): Promise<StoredNetworkFinding | undefined> {
  const [row] = await db.select().from(clusterFindings).where(eq(clusterFindings.name, NETWORK));
  if (!row) return undefined;
  const { text, agents } = JSON.parse(row.detail) as { text: string; agents: NetworkFinding['agents'] };
  return { state: networkState(row.state), detail: text, agents, foundAt: row.foundAt };
}
