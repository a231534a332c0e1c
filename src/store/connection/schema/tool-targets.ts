/** What tools have written outside of the platform, and whose it is: only that is ever overwritten or removed. */
import { pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { instant } from './columns.ts';

/** Secrets that the platform wrote. No value is here. */
export const syncedSecrets = pgTable(
  'synced_secrets',
  {
    kind: text('kind').$type<'kubernetes' | 'github'>().notNull(),
    /** `<namespace>/<Secret>`, or `<repository id>/<environment>`. */
    location: text('location').notNull(),
    /** The key in the Secret, or the secret's name on GitHub. */
    name: text('name').notNull(),
    projectId: uuid('project_id').notNull(),
    environment: text('environment').notNull(),
    /** Tells whether a value is the same as the one that was written; null until it was. */
    fingerprint: text('fingerprint'),
    /** The run that wrote it last. */
    runId: uuid('run_id').notNull(),
    writtenAt: instant('written_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.kind, table.location, table.name] })],
);

/** Syncs that were asked for with an idempotency key. */
export const secretSyncs = pgTable(
  'secret_syncs',
  {
    projectId: uuid('project_id').notNull(),
    idempotencyKey: text('idempotency_key').notNull(),
    /** What was synced, as a fingerprint: the same key with something else is refused. */
    fingerprint: text('fingerprint').notNull(),
    runId: uuid('run_id').notNull(),
    syncedAt: instant('synced_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.projectId, table.idempotencyKey] })],
);

/** Databases that the platform made for projects. */
export const projectDatabases = pgTable('project_databases', {
  name: text('name').primaryKey(),
  projectId: uuid('project_id').notNull(),
  environment: text('environment').notNull(),
  /** The role that owns it. */
  role: text('role').notNull(),
  state: text('state').$type<'creating' | 'ready' | 'deleting'>().notNull(),
  /** The address with its password, sealed (AES-256-GCM). */
  sealedUrl: text('sealed_url').notNull(),
  /** The run that made it. */
  runId: uuid('run_id').notNull(),
  createdAt: instant('created_at').notNull().defaultNow(),
});
