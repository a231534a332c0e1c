/** Downloads the Temporal CLI with Temporal's SDK. */
import { readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';

/** The SDK has no time limit, and would wait for minutes behind a firewall that drops packets. */
const WITHOUT_PROGRESS_MS = 20_000;

/**
 * Downloads a release into an empty directory and returns the path of the executable. It runs in a process of its own, since
 * the SDK's download cannot be canceled; the process is killed after 20 seconds without progress.
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
  throw new Error(isTerminated ? `no data for ${WITHOUT_PROGRESS_MS / 1000} s` : stderr.trim());
}

function contents(directory: string): string {
  const files = readdirSync(directory);
  return files.map((file) => `${file} ${statSync(join(directory, file), { throwIfNoEntry: false })?.size}`).join();
}
