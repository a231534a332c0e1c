/** The commands `prompts …`. Their implementation is loaded when a command runs. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { PROMPT_KINDS } from '../../domain/agent/prompt-overrides.ts';
import { LOCALES } from '../../domain/locale.ts';
import { STAGES } from '../../domain/stages/stages.ts';
import type { PromptOptions } from './prompts.ts';
import { group, leaf, RUN, type CarryOut, type Shared } from './staff.ts';

type Given = Shared & PromptOptions;

/** Adds `prompts` to the program. */
export function addPromptCommands(program: Command, carryOut: CarryOut): void {
  const prompts = group(program, 'prompts', 'what agents are told, and versions of prompts of your own');
  leaf(prompts, 'list', 'list what replaces the prompts of codex-k8s')
    .option('--project <slug>', 'of this project too')
    .action(async ({ json, data, ...options }: Given) =>
      carryOut({ json, data }, async (session) => (await import('./prompts.ts')).promptsList(session, options)),
    );
  place(leaf(prompts, 'show', 'show a prompt, or what the agent of a run was told'))
    .option('--version <number>', 'this version; 0 is the prompt of codex-k8s', versionNumber)
    .option('--run <run>', RUN)
    .action(async ({ json, data, ...options }: Given & { version?: number; run?: string }) =>
      carryOut({ json, data }, async (session) => (await import('./prompts.ts')).promptsShow(session, options)),
    );
  place(leaf(prompts, 'set', 'replace the task of a prompt'))
    .requiredOption('--file <file>', 'the text, at most 32 KiB of Markdown')
    .option('--by <name>', 'who sets it; default: your user name')
    .action(async ({ json, data, ...options }: Given & { file: string; by?: string }) =>
      carryOut({ json, data }, async (session) => (await import('./prompts.ts')).promptsSet(session, options)),
    );
  place(leaf(prompts, 'diff', 'show the difference of two versions'))
    .argument('<from>', 'a version; 0 is the prompt of codex-k8s', versionNumber)
    .argument('<to>', 'another version', versionNumber)
    .action(async (from: number, to: number, { json, data, ...options }: Given) =>
      carryOut({ json, data }, async (session) =>
        (await import('./prompts.ts')).promptsDiff(session, from, to, options),
      ),
    );
  place(leaf(prompts, 'rollback', 'set the text of an older version again, as a new version'))
    .requiredOption('--to <version>', 'the version; 0 takes the override away', versionNumber)
    .option('--by <name>', 'who sets it; default: your user name')
    .action(async ({ json, data, ...options }: Given & { to: number; by?: string }) =>
      carryOut({ json, data }, async (session) => (await import('./prompts.ts')).promptsRollback(session, options)),
    );
}

function place(command: Command): Command {
  return command
    .addOption(new Option('--stage <stage>', 'the stage').choices(STAGES.map(({ stage }) => stage)))
    .addOption(new Option('--kind <kind>', 'the kind of run').choices(PROMPT_KINDS))
    .option('--project <slug>', "the project; default: the installation's prompt, for all projects")
    .addOption(
      new Option('--locale <locale>', 'only for this language; default: for any').choices([...LOCALES, 'any']),
    );
}

function versionNumber(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('Give the number of a version.');
  return Number(text);
}
