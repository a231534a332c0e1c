/** A Kubernetes of one node on this machine, without Docker: creation, repair, status and removal. */
import { existsSync, mkdirSync } from 'node:fs';
import { CommandProblem } from '../../src/terminal/problems.ts';
import { cacheDirectory } from '../../src/embedded/files/cache-directory.ts';
import { takeLock, tryLock } from '../../src/embedded/files/lock.ts';
import { makeCertificates } from './certificates.ts';
import { COMPONENTS, type Component } from './components/component.ts';
import type { ClusterSetting } from './components/component-commands.ts';
import {
  componentPids,
  endComponent,
  findComponent,
  isCurrent,
  logTail,
  launchComponent,
} from './components/component-process.ts';
import { writeSettings } from './components/component-settings.ts';
import { makeControlGroups } from './components/control-groups.ts';
import { apiserverUrl, describeCluster, readDescription } from './description.ts';
import { holdsWithin, isHealthy, isNodeReady } from './health.ts';
import { importImages, type ClusterImages } from './images/import.ts';
import { kubeExecutable } from './kube-executable.ts';
import { writeKubeconfigs } from './kubeconfig.ts';
import { makeNetwork } from './network.ts';
import { clusterPaths, kubeconfigFile } from './paths.ts';
import { requirePrerequisites, requireRoot } from './prerequisites.ts';
import { removeCluster } from './removal.ts';

/** Time limits for a component's health check: before it is restarted, and after its start. */
const PATIENCE_MS = 10_000;
const START_LIMIT_MS = 90_000;

export interface ClusterOptions {
  /** The directory below which the cluster keeps its files. */
  readonly dataDirectory: string;
  readonly report?: (message: string) => void;
  readonly env?: NodeJS.ProcessEnv;
}

export interface RunningCluster {
  readonly ready: true;
  /** The kubeconfig of the administrator. */
  readonly kubeconfig: string;
  readonly server: string;
  readonly nodeName: string;
  /** The address of this machine for pods. */
  readonly nodeAddress: string;
  readonly images: ClusterImages;
  readonly processes: Readonly<Partial<Record<Component, number>>>;
  /** The components that were started; empty if all were healthy. */
  readonly started: readonly Component[];
}

export type ClusterStatus =
  | { readonly exists: false }
  | {
      readonly exists: true;
      readonly kubeconfig: string;
      readonly server: string;
      readonly nodeReady: boolean;
      readonly components: Readonly<Record<Component, { pid: number | undefined; healthy: boolean }>>;
    };

/** Creates or repairs the cluster of a data directory, and returns when its node is Ready. */
export async function startCluster(options: ClusterOptions & { readonly install?: boolean }): Promise<RunningCluster> {
  const { dataDirectory, report = () => undefined, env = process.env, install = false } = options;
  await requirePrerequisites({ install, report });
  return withCluster(dataDirectory, report, async () => {
    const setting = await prepare(dataDirectory, env, report);
    const { paths, description } = setting;
    const started = await startDead(
      COMPONENTS.filter((component) => component !== 'kubelet'),
      setting,
      report,
    );
    const images = await importImages({ cacheDirectory: cacheDirectory(env), description, report });
    started.push(...(await startDead(['kubelet'], setting, report)));
    if (!(await holdsWithin(START_LIMIT_MS, () => isNodeReady(setting)))) {
      throw new Error(`The node did not become ready. End of the kubelet's log:\n${logTail(paths, 'kubelet')}`);
    }
    return {
      ready: true,
      kubeconfig: kubeconfigFile(paths, 'admin'),
      server: apiserverUrl(description),
      nodeName: description.nodeName,
      nodeAddress: description.nodeAddress,
      images,
      processes: componentPids(paths),
      started,
    };
  });
}

/** Builds the images from this source and imports them into a running cluster. */
export async function makeClusterImages(options: ClusterOptions): Promise<ClusterImages> {
  const { dataDirectory, report = () => undefined, env = process.env } = options;
  requireRoot();
  const paths = clusterPaths(dataDirectory);
  const description = readDescription(paths);
  if (!description || !findComponent(paths, 'containerd')) {
    throw new CommandProblem('There is no cluster here that could take images; "codex-k8s cluster up" makes one.');
  }
  return importImages({ cacheDirectory: cacheDirectory(env), description, report });
}

/** Removes the cluster of a data directory with all its data. False if there was none. */
export async function stopCluster({ dataDirectory, report = () => undefined }: ClusterOptions): Promise<boolean> {
  requireRoot();
  const paths = clusterPaths(dataDirectory);
  if (!existsSync(paths.root)) return false;
  await withCluster(dataDirectory, report, () => removeCluster(paths));
  return true;
}

/** The components of a cluster and their health. */
export async function clusterStatus({ dataDirectory }: ClusterOptions): Promise<ClusterStatus> {
  const paths = clusterPaths(dataDirectory);
  const description = readDescription(paths);
  if (!description) return { exists: false };
  const subject = { paths, description };
  const states = COMPONENTS.map(async (component) => {
    const pid = findComponent(paths, component)?.pid;
    return [component, { pid, healthy: pid !== undefined && (await isHealthy(component, subject)) }] as const;
  });
  return {
    exists: true,
    kubeconfig: kubeconfigFile(paths, 'admin'),
    server: apiserverUrl(description),
    nodeReady: await isNodeReady(subject),
    components: Object.fromEntries(await Promise.all(states)) as Record<
      Component,
      { pid: number | undefined; healthy: boolean }
    >,
  };
}

/** Stops one component of a running cluster, by SIGKILL by default. Its files stay. */
export async function stopComponent(
  dataDirectory: string,
  component: Component,
  signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL',
): Promise<void> {
  await endComponent(clusterPaths(dataDirectory), component, signal);
}

/** Restarts one component, and returns when it is healthy. */
export async function startComponent(dataDirectory: string, component: Component): Promise<void> {
  const paths = clusterPaths(dataDirectory);
  const description = readDescription(paths);
  if (!description) throw new Error(`There is no cluster in ${dataDirectory}`);
  const kube = await kubeExecutable({ cacheDirectory: cacheDirectory(process.env), report: () => undefined });
  await startDead([component], { paths, description, kube }, () => undefined);
}

async function prepare(
  dataDirectory: string,
  env: NodeJS.ProcessEnv,
  report: (message: string) => void,
): Promise<ClusterSetting> {
  const paths = clusterPaths(dataDirectory);
  const kube = await kubeExecutable({ cacheDirectory: cacheDirectory(env), report });
  mkdirSync(paths.root, { recursive: true, mode: 0o700 });
  const description = await describeCluster(dataDirectory);
  await makeCertificates(paths, description);
  writeKubeconfigs(paths, description);
  writeSettings({ paths, description, kube });
  makeControlGroups(description.name);
  await makeNetwork(description, report);
  return { paths, description, kube };
}

/**
 * Starts components that do not run or have outdated settings, then restarts unhealthy ones: in this order, since a component
 * may only be waiting for another. Returns the ones that were started.
 */
async function startDead(
  components: readonly Component[],
  setting: ClusterSetting,
  report: (message: string) => void,
): Promise<Component[]> {
  const start = async (component: Component): Promise<void> => {
    report(`Starting ${component}`);
    await endComponent(setting.paths, component);
    await launchComponent(component, setting);
  };
  const started = components.filter((component) => !isCurrent(component, setting));
  for (const component of started) await start(component);
  for (const component of components) {
    if (!started.includes(component)) {
      if (await holdsWithin(PATIENCE_MS, () => isHealthy(component, setting))) continue;
      await start(component);
      started.push(component);
    }
    await untilHealthy(component, setting);
  }
  return started;
}

async function untilHealthy(component: Component, setting: ClusterSetting): Promise<void> {
  const { paths } = setting;
  const healthy = await holdsWithin(START_LIMIT_MS, async () => {
    // Restart a component that exited because another one was not up yet.
    await launchComponent(component, setting);
    return isHealthy(component, setting);
  });
  if (!healthy) throw new Error(`${component} did not become healthy. End of its log:\n${logTail(paths, component)}`);
}

async function withCluster<T>(
  dataDirectory: string,
  report: (message: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  const { lock: path } = clusterPaths(dataDirectory);
  let lock = tryLock(path);
  if (!lock) {
    report('Waiting for another command on this cluster');
    lock = await takeLock(path);
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}
