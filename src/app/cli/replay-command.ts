/** `codex-k8s runs replay`: whether this build would have done the same. */
import type { Command } from 'commander';
import type { StaffCommandOptions } from './staff-commands.ts';

/** Adds `replay` to `runs`. */
export function addReplayCommand(runs: Command, { resolveApi }: StaffCommandOptions): void {
  runs
    .command('replay')
    .description("replay a run's history against this build's workflow code")
    .argument('<run>', 'the id of a run, or the first 6 or more characters of it')
    .option('--data <directory>', 'where `codex-k8s up` keeps everything', process.env['CODEXK8S_DATA'])
    .action(async (given: string, { data }: { data?: string }) => {
      const [
        { createApiClient },
        { resolveRunId },
        { readHistory, replayHistory },
        { temporalAddress },
        { runWorkflowId },
      ] = await Promise.all([
        import('./api-client.ts'),
        import('./names.ts'),
        import('../replay.ts'),
        import('../resolve-api.ts'),
        import('../../../workflows/messages.ts'),
      ]);
      const run = await resolveRunId(createApiClient(await resolveApi(data)), given);
      const workflowId = runWorkflowId(run);
      const history = await readHistory(temporalAddress(data), workflowId);
      const events = await replayHistory(history, workflowId);
      process.stdout.write(`${workflowId}: ${events} events replayed; this build does the same\n`);
    });
}
