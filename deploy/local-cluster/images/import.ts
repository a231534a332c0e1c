/** The images of a local cluster: the agent's, built from this source, and small ones with busybox only. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { takeLock } from '../../../src/embedded/files/lock.ts';
import { run } from '../command.ts';
import { PAUSE_IMAGE } from '../components/component-settings.ts';
import type { ClusterDescription } from '../description.ts';
import { findProgram } from '../prerequisites.ts';
import { AGENT_ENTRY, AGENT_USER, agentLayers, APPLICATION } from './agent-layers.ts';
import { describeImage, importImage, type Image } from './image.ts';
import { archive, cachedLayer, shortHash, type Layer } from './layer.ts';
import { platformImages, type PlatformImages } from './platform-images.ts';

export interface ClusterImages {
  /** The image of the agent's container. The tag of each is a hash of its content. */
  readonly agent: string;
  /** A shell with the usual programs, for agents' own pods, tests and debugging. */
  readonly busybox: string;
}

export interface ImageOptions {
  readonly cacheDirectory: string;
  readonly description: ClusterDescription;
  readonly report: (message: string) => void;
}

/** Builds changed images, imports them into the cluster's containerd, and returns the names to use in pods. */
export async function importImages({ cacheDirectory, description, report }: ImageOptions): Promise<ClusterImages> {
  const directory = join(cacheDirectory, 'images');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const lock = await takeLock(join(directory, 'lock'));
  try {
    const shell = await busyboxLayer(directory);
    const pause = split(PAUSE_IMAGE);
    const images = {
      pause: describeImage(pause.repository, pause.tag, { Entrypoint: ['/bin/sleep', '2147483647'] }, [shell]),
      busybox: describeImage('codex-k8s/busybox', undefined, { Env: ['PATH=/bin'], Cmd: ['/bin/sh'] }, [shell]),
      agent: describeImage('codex-k8s/agent', undefined, AGENT_SETTINGS, await agentLayers(directory, report)),
    } satisfies Record<string, Image>;
    for (const image of Object.values(images)) {
      await importImage(image, { description, directory, report });
    }
    return { agent: images.agent.name, busybox: images.busybox.name };
  } finally {
    lock.release();
  }
}

/** As in deploy/images/Dockerfile. */
const AGENT_SETTINGS = {
  User: `${AGENT_USER}:${AGENT_USER}`,
  WorkingDir: '/workspace',
  Env: [
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'HOME=/workspace/home',
    'LANG=C.UTF-8',
    'NODE_ENV=production',
  ],
  Entrypoint: ['node', `${APPLICATION}/${AGENT_ENTRY}`],
};

async function busyboxLayer(directory: string): Promise<Layer> {
  const busybox = findProgram('busybox');
  if (busybox === undefined) throw new Error('busybox is not installed');
  const programs = (await run(busybox, ['--list'])).split('\n').filter((name) => name !== '' && name !== 'busybox');
  const version = (await run(busybox, ['--help'])).split('\n')[0] ?? '';
  return cachedLayer(directory, 'busybox', shortHash(version, ...programs), async (file) => {
    const root = mkdtempSync(join(directory, 'unfinished-'));
    try {
      for (const place of ['bin', 'etc', 'proc', 'sys', 'tmp', 'var']) mkdirSync(join(root, place));
      copyFileSync(busybox, join(root, 'bin', 'busybox'));
      for (const program of programs) symlinkSync('busybox', join(root, 'bin', program));
      await archive(file, { from: root, to: '', paths: ['bin', 'etc', 'proc', 'sys', 'tmp', 'var'] });
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
}

function split(name: string): { repository: string; tag: string } {
  const [repository = '', tag = ''] = name.split(':');
  return { repository, tag };
}

/** Builds the images of the platform and its stores, imports them into the cluster's containerd, and returns their names. */
export async function importPlatformImages(
  options: ImageOptions & { readonly env: NodeJS.ProcessEnv },
): Promise<Readonly<Record<keyof PlatformImages, string>>> {
  const { cacheDirectory, description, report, env } = options;
  const directory = join(cacheDirectory, 'images');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const lock = await takeLock(join(directory, 'lock'));
  try {
    const { platform, temporal, postgres } = await platformImages({ directory, cacheDirectory, env, report });
    for (const image of [platform, temporal, postgres]) await importImage(image, { description, directory, report });
    return { platform: platform.name, temporal: temporal.name, postgres: postgres.name };
  } finally {
    lock.release();
  }
}
