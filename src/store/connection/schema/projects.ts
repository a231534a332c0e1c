/** Projects, their members, their repositories, and places for their workspaces. */
import { sql } from 'drizzle-orm';
import { boolean, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import type { AgentCliName } from '../../../domain/stages/clis.ts';
import type { Locale } from '../../../domain/locale.ts';
import type { ReasoningEffort } from '../../../domain/stages/settings.ts';
import { githubId, instant } from './columns.ts';

export const projects = pgTable('projects', {
  id: uuid('id').primaryKey().defaultRandom(),
  slug: text('slug').notNull().unique(),
  name: text('name').notNull(),
  /** Language of comments and prompts. */
  locale: text('locale').$type<Locale>().notNull().default('en'),
  /** Model and reasoning effort of agents, unless a label names others; null for the platform's default. */
  model: text('model'),
  /** The program of agents, unless a label names another; null for the platform's default. */
  cli: text('cli').$type<AgentCliName>(),
  /** The project's own program and its arguments, for agents that are `command`. */
  command: text('command').array(),
  reasoningEffort: text('reasoning_effort').$type<ReasoningEffort>(),
  /** Template for names of workspace namespaces; null for names computed from the issue. */
  namespaceTemplate: text('namespace_template'),
  /** What the names of its branches begin with; null for the usual prefix. */
  branchPrefix: text('branch_prefix'),
  /** Address blocks that its agents may reach, besides those of the installation. */
  egress: text('egress')
    .array()
    .notNull()
    .default(sql`'{}'`),
  /** Whether agents explain what they change, unless a member's own setting differs. */
  learning: boolean('learning').notNull().default(false),
  createdAt: instant('created_at').notNull().defaultNow(),
});

/** Namespaces named by a project's template, and the issues that hold them. */
export const workspaceSlots = pgTable('workspace_slots', {
  namespace: text('namespace').primaryKey(),
  issueKey: text('issue_key').notNull().unique(),
  leasedAt: instant('leased_at').notNull().defaultNow(),
});

/** Results of checks of the cluster: `network_policy`, for example. */
export const clusterFindings = pgTable('cluster_findings', {
  name: text('name').primaryKey(),
  state: text('state').notNull(),
  detail: text('detail').notNull(),
  foundAt: instant('found_at').notNull().defaultNow(),
});

/** A repository that is bound to a project. Its id is GitHub's, so a rename or a transfer changes nothing. */
export const repositories = pgTable('repositories', {
  id: githubId('id').primaryKey(),
  projectId: uuid('project_id')
    .notNull()
    .references(() => projects.id),
  owner: text('owner').notNull(),
  name: text('name').notNull(),
  defaultBranch: text('default_branch').notNull().default('main'),
  hookId: githubId('hook_id'),
  createdAt: instant('created_at').notNull().defaultNow(),
});

/** The platform's labels in a repository, by canonical name, with GitHub's ids: a rename keeps the id and changes the name. */
export const repositoryLabels = pgTable(
  'repository_labels',
  {
    repositoryId: githubId('repository_id').notNull(),
    name: text('name').notNull(),
    labelId: githubId('label_id').notNull(),
    /** Since when the label with this id is known to have this name. */
    knownSince: instant('known_since').notNull(),
  },
  (table) => [primaryKey({ columns: [table.repositoryId, table.name] })],
);

/** People the platform knows, by GitHub's account id. */
export const people = pgTable('people', {
  id: githubId('id').primaryKey(),
  login: text('login').notNull(),
  platformRole: text('platform_role').$type<'platform_owner' | 'platform_admin'>(),
  createdAt: instant('created_at').notNull().defaultNow(),
});

export const projectMembers = pgTable(
  'project_members',
  {
    projectId: uuid('project_id')
      .notNull()
      .references(() => projects.id),
    personId: githubId('person_id')
      .notNull()
      .references(() => people.id),
    role: text('role').$type<'admin' | 'read_write' | 'read'>().notNull(),
    /** Whether agents explain what they change to this member; null: as the project has it. */
    learning: boolean('learning'),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.projectId, table.personId] })],
);
