/** The commands of `codex-k8s`. Each loads its modules when it runs, so that an agent starts fast. */
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';

export interface ProgramParts {
  /** The arguments with which Node starts this program; a command comes after them. */
  readonly self: readonly string[];
  readonly runServer: () => Promise<void>;
  readonly runWorker: () => Promise<void>;
}

/** Runs the command that this process was started with. */
export async function runProgram(parts: ProgramParts): Promise<void> {
  const program = createProgram();
  addEmbeddedCommands(program, parts.self);
  addProcessCommands(program, parts);
  // Long-running processes, and those that must start fast, do not load the other commands.
  const [command = ''] = process.argv.slice(2);
  if (!program.commands.some((own) => own.name() === command))
    (await import('./commands/commands.ts')).addCommandsForPeople(program);
  try {
    await program.parseAsync();
  } catch (error) {
    await fail(error);
  }
}

function createProgram(): Command {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return new Command('codex-k8s')
    .description('Turns a labelled GitHub issue into a reviewed pull request.')
    .version(version)
    .showHelpAfterError('(add --help for all commands and options)')
    .configureHelp({ sortSubcommands: false });
}

interface EmbeddedOptions {
  readonly data?: string;
  readonly runtime?: 'local' | 'kubernetes';
}

/** Adds `up` and `demo`, and the commands that they start. */
function addEmbeddedCommands(program: Command, self: readonly string[]): void {
  const data = new Option('--data <directory>', 'data directory').env('CODEXK8S_DATA');
  const runtime = new Option('--runtime <where>', 'where agents run: beside the worker, or as Jobs on Kubernetes')
    .choices(['local', 'kubernetes'])
    .env('CODEXK8S_RUNTIME');

  program
    .command('up')
    .description('run the whole platform on this machine: Temporal, Postgres, a GitHub emulator, server and worker')
    .addOption(data)
    .addOption(runtime)
    .option('--json', 'print one line of JSON when ready')
    .action(async (options: EmbeddedOptions & { json?: boolean }) => {
      await requireEmulators();
      const { up } = await import('../embedded/up.ts');
      process.exitCode = await up({ ...options, self });
    });

  program
    .command('demo')
    .description(
      'show the main workflow step by step: a labelled issue becomes a pull request, is reviewed, revised and merged',
    )
    .addOption(data)
    .addOption(runtime)
    .addOption(new Option('--agent <program>', 'the program of its agents').choices(['codex', 'claude']))
    .action(async (options: EmbeddedOptions & { agent?: 'codex' | 'claude' }) => {
      await requireEmulators();
      const { demo } = await import('../embedded/demo/demo.ts');
      process.exitCode = await demo({ ...options, self });
    });

  program
    .command('set-up', { hidden: true })
    .description('the one-time setup of `up`, in a process that ends when everything is ready')
    .action(async () => {
      const { runSetUp } = await import('../embedded/set-up/set-up-process.ts');
      // The code of the local cluster is loaded only when it is needed.
      await runSetUp({
        startCluster: async (options) => (await import('../../deploy/local-cluster/cluster.ts')).startCluster(options),
      });
    });

  program
    .command('emulators', { hidden: true })
    .description('the emulators of the embedded default: GitHub with git, and the scripted model')
    .requiredOption('--data <directory>', 'data directory of `up`; the emulators keep their state in it')
    .requiredOption('--github-port <port>')
    .requiredOption('--model-port <port>')
    .action(async (options: { data: string; githubPort: string; modelPort: string }) => {
      const { runEmulators } = await import('../embedded/emulators.ts');
      await runEmulators({
        data: options.data,
        githubPort: Number(options.githubPort),
        modelPort: Number(options.modelPort),
      });
    });
}

async function requireEmulators(): Promise<void> {
  (await import('../embedded/emulator-packages.ts')).requireEmulators();
}

/** Adds the commands that a deployment starts. */
function addProcessCommands(program: Command, { runServer, runWorker }: ProgramParts): void {
  program.command('server').description('webhooks, gateways, staff API and dashboard').action(runServer);
  program.command('worker').description('workflows and activities').action(runWorker);

  program
    .command('migrate')
    .description("bring the database up to this build's schema")
    .action(async () => {
      const { databaseUrl } = await import('../app/config/database-config.ts');
      const { migrateDatabase, UnknownSchema } = await import('../store/connection/migrate.ts');
      const { CommandProblem } = await import('../terminal/problems.ts');
      await migrateDatabase(databaseUrl()).catch((error: unknown) => {
        throw error instanceof UnknownSchema ? new CommandProblem(error.message) : error;
      });
    });

  program
    .command('agent')
    .description("the entry point of an agent's container")
    .requiredOption('--platform-url <url>', 'where the platform is')
    .requiredOption('--token-file <path>', 'the run token')
    .requiredOption('--workspace <directory>', "the agent's files")
    .option('--attempt-directory <directory>', 'where this attempt keeps its claim and its end')
    .action(
      async (options: { platformUrl: string; tokenFile: string; workspace: string; attemptDirectory?: string }) => {
        const { agent } = await import('../app/agent/local-agent.ts');
        process.exitCode = await agent(options);
      },
    );
}

async function fail(error: unknown): Promise<never> {
  const { BadConfiguration } = await import('../app/config/read-config.ts');
  const { CommandProblem } = await import('../terminal/problems.ts');
  const isExplained = error instanceof BadConfiguration || error instanceof CommandProblem;
  process.stderr.write(
    `${error instanceof Error ? (isExplained ? error.message : (error.stack ?? error.message)) : String(error)}\n`,
  );
  // Open connections of a failed command must not keep the process alive.
  process.exit(error instanceof CommandProblem ? error.exitCode : 1);
}
