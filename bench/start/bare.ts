/** Starting the agent's process without a platform: what every start costs at the least. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { now } from './clock.ts';
import type { Beginning } from './timed-agent.ts';

/** Spawns the command as the local runtime does; answers the milliseconds from the call to the first instruction. */
export async function startBare([program, ...args]: readonly [string, ...string[]]): Promise<number> {
  const place = mkdtempSync(join(tmpdir(), 'codex-k8s-bare-'));
  try {
    const before = now();
    const child = spawn(program, [...args, '--bare', '--attempt-directory', place], {
      cwd: place,
      detached: true,
      stdio: 'ignore',
    });
    await once(child, 'exit');
    return readBeginning(place).firstInstruction - before;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** What timed-agent.ts has noted in a place. */
export function readBeginning(place: string): Beginning {
  return JSON.parse(readFileSync(join(place, 'beginning.json'), 'utf8')) as Beginning;
}
