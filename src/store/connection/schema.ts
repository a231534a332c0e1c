/** The tables, each in the file of its subject. */
export * from './schema/github.ts';
export * from './schema/intake.ts';
export * from './schema/mirror.ts';
export * from './schema/money.ts';
export * from './schema/projects.ts';
export * from './schema/prompts.ts';
export * from './schema/runs.ts';
export * from './schema/tool-targets.ts';
export * from './schema/tools.ts';
