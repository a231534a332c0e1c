/** Versions of the prompts of projects and of the installation. */
import { createHash } from 'node:crypto';
import { and, desc, eq, inArray, or, sql } from 'drizzle-orm';
import type { PromptLocale, PromptTask } from '../../domain/agent/prompt-overrides.ts';
import type { Locale } from '../../domain/locale.ts';
import type { TriggerTarget } from '../../domain/stages/stages.ts';
import type { Database } from '../connection/database.ts';
import { promptOverrides } from '../connection/schema.ts';

export type PromptVersion = typeof promptOverrides.$inferSelect;

/** What an override replaces. `project`: its slug; null for the installation. */
export interface PromptPlace extends TriggerTarget {
  readonly project: string | null;
  readonly locale: PromptLocale;
}

/** The task that a project's runs get, or those of the installation; undefined if none replaces the seed. */
export async function findPromptOverride(
  db: Database,
  { stage, kind }: TriggerTarget,
  { project, locale }: { readonly project: string | null; readonly locale: Locale },
): Promise<PromptTask | undefined> {
  const { scope, project: slug, locale: language, version } = promptOverrides;
  const rows = await db
    .selectDistinctOn([scope, slug, language])
    .from(promptOverrides)
    .where(
      and(
        eq(promptOverrides.stage, stage),
        eq(promptOverrides.kind, kind),
        inArray(language, [locale, 'any']),
        or(eq(scope, 'installation'), and(eq(scope, 'project'), eq(slug, project ?? ''))),
      ),
    )
    .orderBy(scope, slug, language, desc(version));
  for (const source of ['project', 'installation'] as const)
    for (const written of [locale, 'any'] as const) {
      const row = rows.find((one) => one.scope === source && one.locale === written);
      if (row && row.body !== null) return { source, version: String(row.version), body: row.body };
    }
  return undefined;
}

/** The versions of one override, newest first. */
export async function listPromptVersions(db: Database, place: PromptPlace): Promise<PromptVersion[]> {
  return db.select().from(promptOverrides).where(at(place)).orderBy(desc(promptOverrides.version));
}

/** One version, or undefined. */
export async function findPromptVersion(
  db: Database,
  place: PromptPlace,
  version: number,
): Promise<PromptVersion | undefined> {
  const [row] = await db
    .select()
    .from(promptOverrides)
    .where(and(at(place), eq(promptOverrides.version, version)));
  return row;
}

/** The newest version of each override of the installation, and of a project if one is named. */
export async function listPromptOverrides(db: Database, project: string | null): Promise<PromptVersion[]> {
  const { scope, project: slug, stage, kind, locale, version } = promptOverrides;
  return db
    .selectDistinctOn([scope, slug, stage, kind, locale])
    .from(promptOverrides)
    .where(or(eq(scope, 'installation'), eq(slug, project ?? '')))
    .orderBy(scope, slug, stage, kind, locale, desc(version));
}

/** Adds a version, unless the newest one says the same; returns the one that counts from now on. `body` null: no override. */
export async function addPromptVersion(
  db: Database,
  place: PromptPlace,
  { body, author }: { readonly body: string | null; readonly author: string },
): Promise<PromptVersion> {
  const sha256 = body === null ? null : createHash('sha256').update(body).digest('hex');
  return db.transaction(async (tx) => {
    // One at a time: prompts are set seldom, and each version has to have the number after the one before it.
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended('prompt_overrides', 0))`);
    const [newest] = await tx
      .select()
      .from(promptOverrides)
      .where(at(place))
      .orderBy(desc(promptOverrides.version))
      .limit(1);
    if (newest && newest.sha256 === sha256) return newest;
    const { stage, kind, locale } = place;
    const [row] = await tx
      .insert(promptOverrides)
      .values({
        scope: scopeOf(place),
        project: place.project ?? '',
        stage,
        kind,
        locale,
        version: (newest?.version ?? 0) + 1,
        author,
        body,
        sha256,
      })
      .returning();
    if (!row) throw new Error('the version was not stored');
    return row;
  });
}

function at(place: PromptPlace) {
  return and(
    eq(promptOverrides.scope, scopeOf(place)),
    eq(promptOverrides.project, place.project ?? ''),
    eq(promptOverrides.stage, place.stage),
    eq(promptOverrides.kind, place.kind),
    eq(promptOverrides.locale, place.locale),
  );
}

function scopeOf({ project }: PromptPlace): PromptVersion['scope'] {
  return project === null ? 'installation' : 'project';
}
