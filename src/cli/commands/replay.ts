/** `codex-k8s replay` and `runs replay`: replay histories against this build's workflow code. */
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
    .option('--histories <directory>', 'replay the histories recorded in this directory')
    .option('--running', 'replay the histories of all running workflows')
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
  return new Option('--data <directory>', 'data directory of `codex-k8s up`').env('CODEXK8S_DATA');
}

async function withClient(directory: string | undefined, action: (client: Client) => Promise<void>): Promise<void> {
  const [{ withTemporal }, { temporalAddress }] = await Promise.all([
    import('../histories/temporal-access.ts'),
    import('../client/resolve-api.ts'),
  ]);
  await withTemporal(temporalAddress(directory), action);
}

async function replay(histories: AsyncIterable<NamedHistory>, options: Shared): Promise<void> {
  const [{ processTerminal }, { silenceTemporal }] = await Promise.all([
    import('../../terminal/terminal.ts'),
    import('../histories/replay.ts'),
  ]);
  silenceTemporal();
  process.exitCode = await replayAndReport(histories, options, processTerminal());
}

/** Prints one line for each history that fails to replay, and a count. Resolves to the exit code: 1 if any fails. */
export async function replayAndReport(
  histories: AsyncIterable<NamedHistory>,
  { json = false, workflowsPath }: { json?: boolean; workflowsPath?: string },
  terminal: Terminal,
): Promise<number> {
  const { bundleWorkflows, replayHistories } = await import('../histories/replay.ts');
  const failed: { workflowId: string; source: string; failure: string }[] = [];
  let count = 0;
  let events = 0;
  for await (const replayed of replayHistories(await bundleWorkflows(workflowsPath), histories)) {
    const { workflowId, source, failure } = replayed;
    count += 1;
    events += replayed.events;
    if (failure === null) continue;
    failed.push({ workflowId, source, failure });
    if (!json) terminal.out(plain(`failed  ${workflowId} (${source}): ${failure.replaceAll(/\s+/g, ' ')}`));
  }
  if (json) terminal.out(JSON.stringify({ replayed: count, events, failed }, null, 2));
  else terminal.out(summaryOf(count, events, failed.length));
  return failed.length === 0 ? 0 : 1;
}

function summaryOf(count: number, events: number, failed: number): string {
  const replayed = `${count} ${count === 1 ? 'history' : 'histories'} (${events} events) replayed`;
  return failed === 0 ? `${replayed} without errors` : `${replayed}; ${failed} failed`;
}
