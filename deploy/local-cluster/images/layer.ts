/** Layers of images: tar archives, cached by a key of their content. */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { fits } from '../fits.ts';
import { readJsonFile, writeJsonFile } from '../../../src/embedded/files/json-file.ts';
import { run } from '../command.ts';

const Measured = z.object({ digest: z.string(), size: z.number() });

export interface Layer {
  readonly file: string;
  /** `sha256:` and the hash of the archive. */
  readonly digest: string;
  readonly size: number;
}

/** The cached layer of this name and key, or a new one. */
export async function cachedLayer(
  directory: string,
  name: string,
  key: string,
  make: (file: string) => Promise<void>,
): Promise<Layer> {
  const file = join(directory, `${name}-${key}.tar`);
  const known = readJsonFile(`${file}.json`, fits(Measured));
  if (known && existsSync(file)) return { file, ...known };
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const unfinished = mkdtempSync(join(directory, 'unfinished-'));
  try {
    const archive = join(unfinished, 'layer.tar');
    await make(archive);
    const measured = { digest: `sha256:${await hashFile(archive)}`, size: statSync(archive).size };
    renameSync(archive, file);
    writeJsonFile(`${file}.json`, measured);
    return { file, ...measured };
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/**
 * Archives files of a directory below a path in the image. The archive is reproducible: files belong to root, are readable for
 * all, and have no date.
 */
export async function archive(
  file: string,
  { from, to, paths }: { from: string; to: string; paths: readonly string[] },
): Promise<void> {
  const same = [
    '--sort=name',
    '--mtime=@0',
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--hard-dereference',
    '--mode=u+rwX,go+rX,go-w',
  ];
  const place = to === '' ? [] : [`--transform=flags=r;s,^,${to}/,`];
  await run('tar', ['--create', '--file', file, '--directory', from, ...same, ...place, '--files-from=-'], {
    input: paths.map((path) => `${path}\n`).join(''),
  });
}

/** A short hash of content. */
export function shortHash(...content: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 12);
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
