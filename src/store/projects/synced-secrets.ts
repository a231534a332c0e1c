/** Which secrets the platform wrote, for which project. */
import { and, eq } from 'drizzle-orm';
import type { Database } from '../connection/database.ts';
import { secretSyncs, syncedSecrets } from '../connection/schema.ts';

/** Where a secret is. */
export type SecretPlace = Pick<typeof syncedSecrets.$inferSelect, 'kind' | 'location' | 'name'>;

/** The project whose secret this is, as far as the platform wrote it; undefined if it did not. */
export async function findSecretOwner(db: Database, place: SecretPlace): Promise<string | undefined> {
  const [row] = await db.select({ projectId: syncedSecrets.projectId }).from(syncedSecrets).where(at(place));
  return row?.projectId;
}

/** Records a secret as a project's, before it is written. False if it is another project's already. */
export async function claimSecret(
  db: Database,
  place: SecretPlace,
  owner: { projectId: string; environment: string; runId: string },
): Promise<boolean> {
  const { kind, location, name } = place;
  await db
    .insert(syncedSecrets)
    .values({ kind, location, name, ...owner })
    .onConflictDoNothing();
  return (await findSecretOwner(db, place)) === owner.projectId;
}

/** Records that a secret was written. */
export async function confirmSecret(
  db: Database,
  place: SecretPlace,
  { fingerprint, runId }: { fingerprint: string; runId: string },
): Promise<void> {
  await db.update(syncedSecrets).set({ fingerprint, runId, writtenAt: new Date() }).where(at(place));
}

/** Takes back a claim on a secret that turned out to be somebody else's, and was never written. */
export async function releaseSecret(db: Database, place: SecretPlace): Promise<void> {
  await db.delete(syncedSecrets).where(at(place));
}

/** The fingerprint of what was synced with an idempotency key; undefined: nothing was. */
export async function findSync(db: Database, projectId: string, idempotencyKey: string): Promise<string | undefined> {
  const [row] = await db
    .select({ fingerprint: secretSyncs.fingerprint })
    .from(secretSyncs)
    .where(and(eq(secretSyncs.projectId, projectId), eq(secretSyncs.idempotencyKey, idempotencyKey)));
  return row?.fingerprint;
}

/** Records a sync that was asked for with an idempotency key; the first counts. */
export async function recordSync(db: Database, sync: typeof secretSyncs.$inferInsert): Promise<void> {
  await db.insert(secretSyncs).values(sync).onConflictDoNothing();
}

function at({ kind, location, name }: SecretPlace) {
  return and(eq(syncedSecrets.kind, kind), eq(syncedSecrets.location, location), eq(syncedSecrets.name, name));
}
