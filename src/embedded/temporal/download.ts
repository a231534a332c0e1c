/** Downloads the Temporal CLI with the means of Temporal's SDK. */
import { readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';

/** The SDK has no limit of its own, and a firewall that swallows packets would have it wait for minutes. */
const WITHOUT_PROGRESS_MS = 20_000;

/**
 * Downloads a release into an empty directory and gives the path of the executable. It is done in a process of its own,
 * since the SDK's download cannot be given up; that is killed when nothing has arrived for 20 seconds.
 */
export async function downloadTemporal(directory: string, version: string): Promise<string> {
  const script = join(import.meta.dirname, `download-process${extname(import.meta.filename)}`);
  const download = execa(process.execPath, [script, directory, version], { reject: false, stdin: 'ignore' });
  let ended = false;
  const result = download.finally(() => {
    ended = true;
  });
  const deadline = { at: performance.now() + WITHOUT_PROGRESS_MS, seen: '' };
  while (!ended) {
    await Promise.race([result, sleep(500)]);
    const seen = contents(directory);
    if (seen !== deadline.seen) Object.assign(deadline, { seen, at: performance.now() + WITHOUT_PROGRESS_MS });
    if (performance.now() > deadline.at) download.kill('SIGKILL');
  }
  const { stderr, isTerminated } = await result;
  const file = readdirSync(directory).find((name) => !name.endsWith('.downloading'));
  if (file !== undefined) return join(directory, file);
  throw new Error(isTerminated ? `nothing arrived for ${WITHOUT_PROGRESS_MS / 1000} s` : stderr.trim());
}

function contents(directory: string): string {
  const files = readdirSync(directory);
  return files.map((file) => `${file} ${statSync(join(directory, file), { throwIfNoEntry: false })?.size}`).join();
}
