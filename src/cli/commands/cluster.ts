/** `codex-k8s cluster`: a real Kubernetes cluster of one node on this machine. */
import { Option, type Command } from 'commander';
import { createTerminal } from '../../terminal/style.ts';
import { resolveDataDirectory } from '../../embedded/data-directory.ts';

interface ClusterOptions {
  readonly data?: string;
  readonly json?: boolean;
}

/** Adds the commands to the program. */
export function addClusterCommands(program: Command): void {
  const cluster = program
    .command('cluster')
    .description('a real Kubernetes cluster of one node on this machine (Linux, root)');
  const data = (): Option => new Option('--data <directory>', 'data directory').env('CODEXK8S_DATA');
  const json = (): Option => new Option('--json', 'print one line of JSON');

  cluster
    .command('up')
    .description('create the cluster, or repair it; it runs until "cluster down"')
    .addOption(data())
    .addOption(json())
    .option('--install', 'install the Debian packages that are missing')
    .action(up);
  cluster
    .command('images')
    .description("build the agent's image from this source and load it into the cluster")
    .addOption(data())
    .addOption(json())
    .action(images);
  cluster
    .command('platform')
    .description('build what installs the platform in the cluster: images, and manifests for kubectl apply -k')
    .addOption(data())
    .addOption(json())
    .requiredOption('--github-url <url>', 'GitHub, as pods reach it')
    .requiredOption('--model-url <url>', 'an OpenAI Responses API, as pods reach it')
    .requiredOption(
      '--secrets <directory>',
      'directory with the files github-token and model-key; the other secrets are created in it',
    )
    .action(platform);
  cluster.command('status').description('what runs').addOption(data()).addOption(json()).action(status);
  cluster.command('down').description('delete the cluster and everything in it').addOption(data()).action(down);
}

async function up(options: ClusterOptions & { install?: boolean }): Promise<void> {
  const { startCluster } = await import('../../../deploy/local-cluster/cluster.ts');
  const terminal = createTerminal({ quiet: options.json === true });
  const { KUBECONFIG } = process.env;
  const cluster = await startCluster({
    ...clusterLocation(options),
    report: terminal.progress,
    install: options.install === true,
  }).finally(terminal.done);
  if (options.json) return print(cluster);
  const what = cluster.started.length === 0 ? 'The cluster is already running.' : 'The cluster is running.';
  terminal.line(`${what}

  API server    ${cluster.server}
  Agent image   ${cluster.images.agent}
  Pods reach this machine at ${cluster.nodeAddress}

To use it, also with kubectl:

  export KUBECONFIG=${cluster.kubeconfig}`);
  if (KUBECONFIG && KUBECONFIG !== cluster.kubeconfig) {
    terminal.line(`\nNote: KUBECONFIG is ${KUBECONFIG}, so the platform uses that cluster and not this one.`);
  }
}

async function images(options: ClusterOptions): Promise<void> {
  const { makeClusterImages } = await import('../../../deploy/local-cluster/cluster.ts');
  const terminal = createTerminal({ quiet: true });
  const made = await makeClusterImages({ ...clusterLocation(options), report: terminal.progress }).finally(
    terminal.done,
  );
  if (options.json) return print(made);
  process.stdout.write(`${made.agent}\n${made.busybox}\n`);
}

async function platform(
  options: ClusterOptions & { githubUrl: string; modelUrl: string; secrets: string },
): Promise<void> {
  const { prepareLocalPlatform } = await import('../../../deploy/local-cluster/platform.ts');
  const terminal = createTerminal({ quiet: true });
  const made = await prepareLocalPlatform({
    ...clusterLocation(options),
    gitHubUrl: options.githubUrl,
    modelUrl: options.modelUrl,
    secrets: options.secrets,
    report: terminal.progress,
  }).finally(terminal.done);
  if (options.json) return print(made);
  process.stdout.write(`To install it, or to bring it up to date:

  kubectl --kubeconfig ${made.kubeconfig} apply -k ${made.overlay}

Its dashboard will be at ${made.url}\n`);
}

async function status(options: ClusterOptions): Promise<void> {
  const { clusterStatus } = await import('../../../deploy/local-cluster/cluster.ts');
  const found = await clusterStatus(clusterLocation(options));
  const well = found.exists && found.nodeReady && Object.values(found.components).every(({ healthy }) => healthy);
  process.exitCode = well ? 0 : 1;
  if (options.json) return print(found);
  if (!found.exists) return void process.stdout.write('No cluster found; "codex-k8s cluster up" creates one.\n');
  for (const [component, { pid, healthy }] of Object.entries(found.components)) {
    const state = pid === undefined ? 'dead' : `${healthy ? 'healthy' : 'not responding'} (pid ${pid})`;
    process.stdout.write(`${component.padEnd(12)} ${state}\n`);
  }
  process.stdout.write(`${'node'.padEnd(12)} ${found.nodeReady ? 'ready' : 'not ready'}\n`);
  process.stdout.write(`\nKUBECONFIG=${found.kubeconfig}\n`);
}

async function down(options: ClusterOptions): Promise<void> {
  const { stopCluster } = await import('../../../deploy/local-cluster/cluster.ts');
  const stopped = await stopCluster(clusterLocation(options));
  process.stdout.write(stopped ? 'The cluster was deleted.\n' : 'No cluster found.\n');
}

function clusterLocation({ data }: ClusterOptions): { dataDirectory: string } {
  return { dataDirectory: resolveDataDirectory(data, process.env) };
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
