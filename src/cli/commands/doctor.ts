/** `codex-k8s doctor`: checks an installation and says how to fix what is wrong. */
import { Option, type Command } from 'commander';

interface DoctorCommandOptions {
  readonly data?: string;
  readonly process?: 'server' | 'worker';
  readonly json?: boolean;
}

/** Adds the command to the program. */
export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description(
      'check a running "up", or the deployment that the environment variables name, and say how to fix what is wrong',
    )
    .option('--data <directory>', 'check the "up" of this data directory')
    .addOption(new Option('--process <name>', 'check the settings of one process only').choices(['server', 'worker']))
    .option('--json', 'print one line of JSON')
    .action(async ({ data, process: one, json }: DoctorCommandOptions) => {
      const [{ examine }, { describe }] = await Promise.all([
        import('../../diagnostics/doctor.ts'),
        import('../../diagnostics/report.ts'),
      ]);
      const report = await examine({ data, process: one }, process.env);
      process.exitCode = report.healthy ? 0 : 1;
      process.stdout.write(`${json ? JSON.stringify(report) : describe(report)}\n`);
      // Checks that timed out must not keep the process alive.
      setTimeout(() => process.exit(), 500).unref();
    });
}
