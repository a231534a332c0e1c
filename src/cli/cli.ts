#!/usr/bin/env node
/** `codex-k8s`: the one program. Commands load what they need when they run, so that an agent starts at once. */
import { readFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import type { ApiAddress } from '../api-client/api-client.ts';
import { addClusterCommands } from './commands/cluster.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addReadModelCommands } from './commands/read-model.ts';
import { addReplayCommand } from './commands/replay.ts';
import { addStaffCommands } from './commands/staff.ts';
import { addWebhookCommands } from './commands/webhook.ts';
import type { StartCluster } from '../embedded/kubernetes.ts';
import { cacheDirectory } from '../embedded/files/cache-directory.ts';

// What is loaded from here on was compiled by an earlier start: an agent begins in half the time. In a directory of the
// user's own, where nobody else can put code; without one, things are only slower.
enableCompileCache(join(cacheDirectory(process.env), 'compiled'));

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const program = new Command('codex-k8s')
  .description('Turns a labelled GitHub issue into a reviewed pull request.')
  .version(version)
  .showHelpAfterError('(add --help for what is possible)')
  .configureHelp({ sortSubcommands: false });

const data = new Option('--data <directory>', 'where everything is kept').env('CODEXK8S_DATA');

const runtime = (): Option =>
  new Option('--runtime <where>', 'where agents run: beside the worker, or as Jobs on Kubernetes')
    .choices(['local', 'kubernetes'])
    .env('CODEXK8S_RUNTIME');

type Runtime = 'local' | 'kubernetes';

/** The cluster of this machine is a test rig: only what needs it loads it. */
const startCluster: StartCluster = async (options) =>
  (await import('../../deploy/local-cluster/cluster.ts')).startCluster(options);

program
  .command('up')
  .description('the whole platform on this machine: Temporal, Postgres, a GitHub stand-in, server and worker')
  .addOption(data)
  .addOption(runtime())
  .option('--json', 'print one line of JSON when ready')
  .action(async (options: { data?: string; json?: boolean; runtime?: Runtime }) => {
    const { up } = await import('../embedded/up.ts');
    process.exitCode = await up({ ...options, startCluster });
  });

program
  .command('demo')
  .description(
    'the main job, told step by step: a labelled issue becomes a pull request, is reviewed, revised and merged',
  )
  .addOption(data)
  .addOption(runtime())
  .action(async (options: { data?: string; runtime?: Runtime }) => {
    const { demo } = await import('../embedded/demo/demo.ts');
    process.exitCode = await demo({ ...options, startCluster });
  });

program
  .command('server')
  .description('webhooks, gateways, staff API and dashboard')
  .action(async () => {
    const { runServer } = await import('../app/server/server.ts');
    await runServer();
  });

program
  .command('worker')
  .description('workflows and activities')
  .action(async () => {
    const { runWorker } = await import('../app/worker/worker.ts');
    await runWorker();
  });

program
  .command('migrate')
  .description("bring the database up to this build's schema")
  .action(async () => {
    const { databaseUrl } = await import('../app/config/config.ts');
    const { migrateDatabase } = await import('../app/process/migrate.ts');
    await migrateDatabase(databaseUrl());
  });

program
  .command('agent')
  .description("the entry point of an agent's container")
  .requiredOption('--platform-url <url>', 'where the platform is')
  .requiredOption('--token-file <path>', 'the run token')
  .requiredOption('--workspace <directory>', "the agent's files")
  .option('--place <directory>', 'where this attempt keeps its claim and its end')
  .action(async (options: { platformUrl: string; tokenFile: string; workspace: string; place?: string }) => {
    const { agent } = await import('../app/agent/local-agent.ts');
    process.exitCode = await agent(options);
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

async function resolveApi(data?: string): Promise<ApiAddress> {
  return (await import('./client/resolve-api.ts')).resolveApi(data);
}

const { runs } = addStaffCommands(program, { resolveApi });
addReplayCommand(program, runs, { resolveApi });
addReadModelCommands(program);
addClusterCommands(program);
addDoctorCommand(program);
addWebhookCommands(program, {
  resolveWebhook: async (place) => (await import('./webhook-simulator/resolve.ts')).resolveWebhook(place),
});

try {
  await program.parseAsync();
} catch (error) {
  const [{ BadConfiguration }, { CommandProblem }] = await Promise.all([
    import('../app/config/config.ts'),
    import('../terminal/problems.ts'),
  ]);
  const told = error instanceof BadConfiguration || error instanceof CommandProblem;
  process.stderr.write(
    `${error instanceof Error ? (told ? error.message : (error.stack ?? error.message)) : String(error)}\n`,
  );
  // What a command had begun may hold the process; it has failed, and it ends.
  process.exit(error instanceof CommandProblem ? error.exitCode : 1);
}
