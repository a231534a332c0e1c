/** Images as the OCI describes them: a configuration, a manifest and layers, in an archive that containerd imports. */
import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../command.ts';
import { containerdSocket, type ClusterDescription } from '../description.ts';
import type { Layer } from './layer.ts';

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };
const TAG_CHARACTERS = 12;

/** Defaults of a container from its image; field names as in the OCI image specification. */
export interface ContainerSettings {
  readonly User?: string;
  readonly WorkingDir?: string;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly StopSignal?: string;
}

export interface Image {
  /** Name with its tag, for pods. */
  readonly name: string;
  readonly config: string;
  readonly layers: readonly Layer[];
}

/** An image; its default tag is a hash of its content. */
export function describeImage(
  repository: string,
  tag: string | undefined,
  settings: ContainerSettings,
  layers: readonly Layer[],
): Image {
  const config = JSON.stringify({
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    os: 'linux',
    config: settings,
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
  });
  return { name: `${repository}:${tag ?? sha256(config).slice(0, TAG_CHARACTERS)}`, config, layers };
}

export interface ImportOptions {
  readonly description: ClusterDescription;
  /** The directory of finished and unfinished layers. */
  readonly directory: string;
  readonly report: (message: string) => void;
}

/** Imports the image into containerd, without layers that it has already. */
export async function importImage(image: Image, { description, directory, report }: ImportOptions): Promise<void> {
  const ctr = ['--address', containerdSocket(description), '--namespace', 'k8s.io'];
  const name = `docker.io/${image.name}`;
  const manifest = manifestOf(image);
  const digest = `sha256:${sha256(manifest)}`;
  if (hasImage(await run('ctr', [...ctr, 'images', 'list']), name, digest)) return;
  report(`Importing ${image.name}`);
  const present = new Set((await run('ctr', [...ctr, 'content', 'list', '--quiet'])).split('\n'));
  const layout = mkdtempSync(join(directory, 'unfinished-'));
  try {
    writeLayout(layout, name, image, manifest, (layer) => !present.has(layer.digest));
    await run('tar', ['--create', '--file', `${layout}.tar`, '--directory', layout, '.']);
    await run('ctr', [...ctr, 'images', 'import', `${layout}.tar`]);
  } finally {
    rmSync(layout, { recursive: true, force: true });
    rmSync(`${layout}.tar`, { force: true });
  }
}

function hasImage(list: string, name: string, digest: string): boolean {
  return list.split('\n').some((line) => line.startsWith(`${name} `) && line.includes(digest));
}

function manifestOf({ config, layers }: Image): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptor('application/vnd.oci.image.config.v1+json', config),
    layers: layers.map(({ digest, size }) => ({ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size })),
  });
}

function writeLayout(
  directory: string,
  name: string,
  { config, layers }: Image,
  manifest: string,
  isWanted: (layer: Layer) => boolean,
): void {
  const blobs = join(directory, 'blobs', 'sha256');
  mkdirSync(blobs, { recursive: true });
  for (const blob of [config, manifest]) writeFileSync(join(blobs, sha256(blob)), blob);
  for (const layer of layers.filter(isWanted)) linkSync(layer.file, join(blobs, layer.digest.replace('sha256:', '')));
  const main = {
    ...descriptor('application/vnd.oci.image.manifest.v1+json', manifest),
    annotations: { 'io.containerd.image.name': name },
  };
  writeFileSync(join(directory, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  writeFileSync(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [main] }));
}

function descriptor(mediaType: string, content: string): { mediaType: string; digest: string; size: number } {
  return { mediaType, digest: `sha256:${sha256(content)}`, size: Buffer.byteLength(content) };
}

function sha256(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}
