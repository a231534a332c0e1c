/** Prompts of projects and of the installation. */
import { integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import type { PromptLocale } from '../../../domain/agent/prompt-overrides.ts';
import type { RunKind, Stage } from '../../../domain/stages/stages.ts';
import { instant } from './columns.ts';

/** Versions of what replaces the tasks of prompt seeds. Append-only: a version is never changed, and the newest one counts. */
export const promptOverrides = pgTable(
  'prompt_overrides',
  {
    scope: text('scope').$type<'project' | 'installation'>().notNull(),
    /** The project's slug; empty for the installation. */
    project: text('project').notNull(),
    stage: text('stage').$type<Stage>().notNull(),
    kind: text('kind').$type<RunKind>().notNull(),
    locale: text('locale').$type<PromptLocale>().notNull(),
    /** Counts from 1, for each of the above. */
    version: integer('version').notNull(),
    /** Who set it, in their own words. */
    author: text('author').notNull(),
    /** Null: from this version on there is no override. */
    body: text('body'),
    /** Of the body, hexadecimal. */
    sha256: text('sha256'),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.scope, table.project, table.stage, table.kind, table.locale, table.version] }),
  ],
);
