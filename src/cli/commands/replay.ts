/** `codex-k8s replay` and `runs replay`: whether this build would have done the same. */
import { Option, type Command } from 'commander';
import type { Client } from '@temporalio/client';
import type { NamedHistory } from '../histories/replay.ts';
import { CommandProblem } from '../../terminal/problems.ts';
import type { StaffCommandOptions } from './staff.ts';
import { plain, type Terminal } from '../../terminal/terminal.ts';

interface Shared {
  readonly json?: boolean;
  readonly data?: string;
}

interface ReplayOptions extends Shared {
  readonly histories?: string;
  readonly running?: boolean;
}

/** Adds `replay` to the program, and to `runs`. */
export function addReplayCommand(program: Command, runs: Command, { resolveApi }: StaffCommandOptions): void {
  program
    .command('replay')
    .description("replay histories against this build's workflow code, before it is deployed")
    .option('--histories <directory>', 'those that are recorded in a directory')
    .option('--running', 'those of everything that runs now')
    .option('--json', 'print JSON')
    .addOption(data())
    .action(async (options: ReplayOptions) => {
      const { histories, running, data: directory } = options;
      if ((histories === undefined) === (running === undefined))
        throw new CommandProblem('Give --histories DIRECTORY, or --running', 2);
      const { historiesIn, runningHistories } = await import('../histories/replay.ts');
      if (histories !== undefined) await replay(historiesIn(histories), options);
      else await withClient(directory, (client) => replay(runningHistories(client), options));
    });

  runs
    .command('replay')
    .description("replay a run's history against this build's workflow code")
    .argument('<run>', 'the id of a run, or the first 6 or more characters of it')
    .option('--json', 'print JSON')
    .addOption(data())
    .action(async (given: string, options: Shared) => {
      const [{ createApiClient }, { resolveRunId }, { historyOf }, { runWorkflowId }] = await Promise.all([
        import('../../api-client/api-client.ts'),
        import('../client/names.ts'),
        import('../histories/replay.ts'),
        import('../../../workflows/messages.ts'),
      ]);
      const run = await resolveRunId(createApiClient(await resolveApi(options.data)), given);
      await withClient(options.data, (client) => replay(historyOf(client, runWorkflowId(run)), options));
    });
}

function data(): Option {
  return new Option('--data <directory>', 'where `codex-k8s up` keeps everything').env('CODEXK8S_DATA');
}

async function withClient(directory: string | undefined, act: (client: Client) => Promise<void>): Promise<void> {
  const [{ withTemporal }, { temporalAddress }] = await Promise.all([
    import('../histories/temporal-access.ts'),
    import('../client/resolve-api.ts'),
  ]);
  await withTemporal(temporalAddress(directory), act);
}

async function replay(histories: AsyncIterable<NamedHistory>, options: Shared): Promise<void> {
  const [{ processTerminal }, { silenceTemporal }] = await Promise.all([
    import('../../terminal/terminal.ts'),
    import('../histories/replay.ts'),
  ]);
  silenceTemporal();
  process.exitCode = await replayAndTell(histories, options, processTerminal());
}

/** One line for each history that parts, and a count. Resolves to the exit code: 1 where any parts. */
export async function replayAndTell(
  histories: AsyncIterable<NamedHistory>,
  { json = false, workflowsPath }: { json?: boolean; workflowsPath?: string },
  terminal: Terminal,
): Promise<number> {
  const { bundleWorkflows, replayHistories } = await import('../histories/replay.ts');
  const parted: { workflowId: string; source: string; parts: string }[] = [];
  let count = 0;
  let events = 0;
  for await (const replayed of replayHistories(await bundleWorkflows(workflowsPath), histories)) {
    const { workflowId, source, parts } = replayed;
    count += 1;
    events += replayed.events;
    if (parts === null) continue;
    parted.push({ workflowId, source, parts });
    if (!json) terminal.out(plain(`parts  ${workflowId} (${source}): ${parts.replaceAll(/\s+/g, ' ')}`));
  }
  if (json) terminal.out(JSON.stringify({ replayed: count, events, parted }, null, 2));
  else terminal.out(verdict(count, events, parted.length));
  return parted.length === 0 ? 0 : 1;
}

function verdict(count: number, events: number, parted: number): string {
  const replayed = `${count} ${count === 1 ? 'history' : 'histories'} (${events} events) replayed`;
  return parted === 0 ? `${replayed}; this build does the same` : `${replayed}; this build parts from ${parted}`;
}
