/**
 * Preview slots of projects and the issues that hold them. A slot is held until the issue's workflow releases it, without a
 * timeout.
 */
import { eq } from 'drizzle-orm';
import { renderNamespace } from '../../domain/workspace/namespace-template.ts';
import type { Database } from '../connection/database.ts';
import { workspaceSlots } from '../connection/schema.ts';

/** Slots of one project. */
const SLOTS = 10_000;

/** The namespace of the issue's slot: the one that it holds, else the first free one. */
export async function leaseNamespace(
  db: Database,
  { issueKey, project, template }: { issueKey: string; project: string; template: string },
): Promise<string> {
  for (let slot = 1; slot <= SLOTS; slot += 1) {
    const held = await namespaceOf(db, issueKey);
    if (held !== undefined) return held;
    const namespace = renderNamespace(template, { project, slot });
    const taken = await db
      .insert(workspaceSlots)
      .values({ namespace, issueKey })
      .onConflictDoNothing()
      .returning({ namespace: workspaceSlots.namespace });
    if (taken.length > 0) return namespace;
  }
  throw new Error(`no free preview slot in project ${project}: all ${SLOTS} are held`);
}

/** Releases the issue's slot. Idempotent. */
export async function releaseNamespace(db: Database, issueKey: string): Promise<void> {
  await db.delete(workspaceSlots).where(eq(workspaceSlots.issueKey, issueKey));
}

async function namespaceOf(db: Database, issueKey: string): Promise<string | undefined> {
  const [row] = await db
    .select({ namespace: workspaceSlots.namespace })
    .from(workspaceSlots)
    .where(eq(workspaceSlots.issueKey, issueKey));
  return row?.namespace;
}
