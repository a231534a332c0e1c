/** `prompts list|show|set|diff|rollback`. */
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import type { RunKind, Stage } from '../../domain/stages/stages.ts';
import type { PromptLocale } from '../../domain/agent/prompt-overrides.ts';
import type { PromptVersionView } from '../../use-cases/prompt-overrides.ts';
import { orNoRun, resolveRunId } from '../client/names.ts';
import { printJson, type Session } from '../client/session.ts';
import { CommandProblem } from '../../terminal/problems.ts';
import { printFacts, printTable } from '../../terminal/table.ts';
import { plain } from '../../terminal/terminal.ts';

/** Which prompt is meant. Without a project: the installation's. */
export interface PromptOptions {
  readonly stage?: Stage;
  readonly kind?: RunKind;
  readonly project?: string;
  readonly locale?: PromptLocale;
}

interface Author {
  readonly by?: string;
}

/** Lists the overrides of the installation, and of a project. */
export async function promptsList(session: Session, { project }: Pick<PromptOptions, 'project'>): Promise<void> {
  const list = await session.api.prompts(project === undefined ? {} : { project });
  if (session.json) return printJson(session, list);
  const set = list.items.filter(({ sha256 }) => sha256 !== null);
  if (set.length > 0)
    printTable(
      session.terminal,
      ['PROMPT', 'OF', 'LANGUAGE', 'VERSION', 'BY', 'SET'],
      set.map((one) => [
        { text: `${one.stage}-${one.kind}` },
        { text: one.project ?? 'the installation' },
        { text: one.locale },
        { text: String(one.version) },
        { text: plain(one.author) },
        { text: one.createdAt },
      ]),
    );
  session.terminal.out(`${set.length === 0 ? 'All' : 'All other'} prompts are those of codex-k8s.`);
}

/** Shows the prompt of a stage as runs get it, or one version; or what the agent of a run was told. */
export async function promptsShow(
  session: Session,
  { run, version, ...options }: PromptOptions & { readonly run?: string; readonly version?: number },
): Promise<void> {
  if (run !== undefined) return showOfRun(session, run);
  const { stage, ...place } = required(options);
  const shown = await session.api.prompt(stage, { ...place, ...(version === undefined ? {} : { version }) });
  if (session.json) return printJson(session, shown);
  session.terminal.out(`${shown.stage}-${shown.kind}: ${shown.source}, version ${shown.version}, ${shown.sha256}`);
  for (const one of shown.versions)
    session.terminal.out(`  version ${one.version} by ${plain(one.author)}, ${one.createdAt}${ending(one)}`);
  session.terminal.out('');
  session.terminal.out(plain(shown.body));
}

async function showOfRun(session: Session, given: string): Promise<void> {
  const id = await resolveRunId(session.api, given);
  const shown = await session.api.runPrompt(id).catch(orNoRun(given));
  if (session.json) return printJson(session, shown);
  printFacts(session.terminal, [
    ['Run', shown.runId],
    ['Prompt', shown.sha256],
    ['Task from', shown.task && `${shown.task.source}, version ${shown.task.version}`],
    ['Task', shown.task?.sha256 ?? null],
  ]);
  session.terminal.out('');
  session.terminal.out(plain(shown.prompt));
}

/** Replaces the task of a stage's prompt by the text of a file. */
export async function promptsSet(
  session: Session,
  { file, by, ...options }: PromptOptions & Author & { readonly file: string },
): Promise<void> {
  const { stage, ...place } = required(options);
  const body = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new CommandProblem(`--file ${file}: ${error instanceof Error ? error.message : String(error)}`, 2);
  });
  said(session, await session.api.setPrompt(stage, { ...place, body, actor: by ?? userInfo().username }));
}

/** Prints the difference of two versions; 0 is the prompt of codex-k8s. */
export async function promptsDiff(session: Session, from: number, to: number, options: PromptOptions): Promise<void> {
  const { stage, ...place } = required(options);
  const shown = await session.api.promptDiff(stage, { ...place, from, to });
  if (session.json) return printJson(session, shown);
  session.terminal.out(plain(shown.diff));
}

/** Sets the text of an older version again; 0 takes the override away. */
export async function promptsRollback(
  session: Session,
  { to, by, ...options }: PromptOptions & Author & { readonly to: number },
): Promise<void> {
  const { stage, ...place } = required(options);
  said(session, await session.api.rollBackPrompt(stage, { ...place, to, actor: by ?? userInfo().username }));
}

function said(session: Session, set: PromptVersionView): void {
  if (session.json) return printJson(session, set);
  const whose = set.project === null ? 'the installation' : `the project ${set.project}`;
  session.terminal.out(
    `${set.stage}-${set.kind} of ${whose} is at version ${set.version} now${ending(set)}. Runs that start from now on get it.`,
  );
}

function ending({ sha256 }: PromptVersionView): string {
  return sha256 === null ? ', without an override' : '';
}

function required({ stage, ...place }: PromptOptions): PromptOptions & { readonly stage: Stage } {
  if (stage === undefined) throw new CommandProblem('Give --stage, or --run for the prompt of a run', 2);
  return { stage, ...place };
}
