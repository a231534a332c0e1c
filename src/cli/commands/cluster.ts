/** `codex-k8s cluster`: a real Kubernetes on this machine, for whoever has none. */
import { Option, type Command } from 'commander';
import { createTerminal } from '../../terminal/style.ts';
import { resolveDataDirectory } from '../../embedded/data-directory.ts';

interface PlaceOptions {
  readonly data?: string;
  readonly json?: boolean;
}

/** Adds the commands to the program. */
export function addClusterCommands(program: Command): void {
  const cluster = program
    .command('cluster')
    .description('a real Kubernetes of one node on this machine, for whoever has none (Linux, root)');
  const data = (): Option => new Option('--data <directory>', 'where everything is kept').env('CODEXK8S_DATA');
  const json = (): Option => new Option('--json', 'print one line of JSON');

  cluster
    .command('up')
    .description('make the cluster, or repair it; it stays until "cluster down"')
    .addOption(data())
    .addOption(json())
    .option('--install', 'install the Debian packages that are missing')
    .action(up);
  cluster
    .command('images')
    .description("make the agent's image from this source and give it to the cluster")
    .addOption(data())
    .addOption(json())
    .action(images);
  cluster
    .command('platform')
    .description('make what installs the platform itself in the cluster: images, and manifests for kubectl apply -k')
    .addOption(data())
    .addOption(json())
    .requiredOption('--github-url <url>', 'GitHub, as pods reach it')
    .requiredOption('--model-url <url>', 'an OpenAI Responses API, as pods reach it')
    .requiredOption('--secrets <directory>', 'the files github-token and model-key; the other secrets are made there')
    .action(platform);
  cluster.command('status').description('what runs').addOption(data()).addOption(json()).action(status);
  cluster
    .command('down')
    .description('take the cluster away with everything that is in it')
    .addOption(data())
    .action(down);
}

async function up(options: PlaceOptions & { install?: boolean }): Promise<void> {
  const { startCluster } = await import('../../../deploy/local-cluster/cluster.ts');
  const terminal = createTerminal({ quiet: options.json === true });
  const { KUBECONFIG } = process.env;
  const cluster = await startCluster({
    ...place(options),
    report: terminal.progress,
    install: options.install === true,
  }).finally(terminal.done);
  if (options.json) return print(cluster);
  const what = cluster.started.length === 0 ? 'The cluster is up already.' : 'The cluster is up.';
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

async function images(options: PlaceOptions): Promise<void> {
  const { makeClusterImages } = await import('../../../deploy/local-cluster/cluster.ts');
  const terminal = createTerminal({ quiet: true });
  const made = await makeClusterImages({ ...place(options), report: terminal.progress }).finally(terminal.done);
  if (options.json) return print(made);
  process.stdout.write(`${made.agent}\n${made.busybox}\n`);
}

async function platform(
  options: PlaceOptions & { githubUrl: string; modelUrl: string; secrets: string },
): Promise<void> {
  const { prepareLocalPlatform } = await import('../../../deploy/local-cluster/platform.ts');
  const terminal = createTerminal({ quiet: true });
  const made = await prepareLocalPlatform({
    ...place(options),
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

async function status(options: PlaceOptions): Promise<void> {
  const { clusterStatus } = await import('../../../deploy/local-cluster/cluster.ts');
  const found = await clusterStatus(place(options));
  const well = found.exists && found.nodeReady && Object.values(found.components).every(({ healthy }) => healthy);
  process.exitCode = well ? 0 : 1;
  if (options.json) return print(found);
  if (!found.exists) return void process.stdout.write('There is no cluster here; "codex-k8s cluster up" makes one.\n');
  for (const [component, { pid, healthy }] of Object.entries(found.components)) {
    const state = pid === undefined ? 'dead' : `${healthy ? 'healthy' : 'does not answer'} (pid ${pid})`;
    process.stdout.write(`${component.padEnd(12)} ${state}\n`);
  }
  process.stdout.write(`${'node'.padEnd(12)} ${found.nodeReady ? 'ready' : 'not ready'}\n`);
  process.stdout.write(`\nKUBECONFIG=${found.kubeconfig}\n`);
}

async function down(options: PlaceOptions): Promise<void> {
  const { stopCluster } = await import('../../../deploy/local-cluster/cluster.ts');
  const stopped = await stopCluster(place(options));
  process.stdout.write(stopped ? 'The cluster is gone.\n' : 'There is no cluster here.\n');
}

function place({ data }: PlaceOptions): { dataDirectory: string } {
  return { dataDirectory: resolveDataDirectory(data, process.env) };
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
