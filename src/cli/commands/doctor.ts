/** `codex-k8s doctor`: what is fine, what is missing, and what to do about it. */
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
    .description('look at an "up", or at the deployment that the environment variables name, and say what is missing')
    .option('--data <directory>', 'the "up" that runs there')
    .addOption(
      new Option('--process <name>', 'the settings are those of one process only').choices(['server', 'worker']),
    )
    .option('--json', 'print one line of JSON')
    .action(async ({ data, process: one, json }: DoctorCommandOptions) => {
      const [{ examine }, { describe }] = await Promise.all([
        import('../../diagnostics/doctor.ts'),
        import('../../diagnostics/report.ts'),
      ]);
      const report = await examine({ data, process: one }, process.env);
      process.exitCode = report.healthy ? 0 : 1;
      process.stdout.write(`${json ? JSON.stringify(report) : describe(report)}\n`);
      // What did not answer in time may still hold this process.
      setTimeout(() => process.exit(), 500).unref();
    });
}
