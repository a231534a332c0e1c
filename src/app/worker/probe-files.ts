/**
 * How a process without HTTP answers a kubelet's probes: by two files. `alive` is written again and again while the event
 * loop turns; `ready` is there while work is taken (deploy/kubernetes/platform/worker.yaml looks at both).
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ProbeFiles {
  readonly ready: (isReady: boolean) => void;
}

/** Milliseconds between two writes. */
const BEAT_MS = 5000;

/** Keeps the files of a directory until the process ends; without a directory, there are none. */
export function keepProbeFiles(directory: string | undefined): ProbeFiles {
  if (directory === undefined) return { ready: () => undefined };
  const alive = join(directory, 'alive');
  const ready = join(directory, 'ready');
  rmSync(ready, { force: true });
  const beat = (): void => writeFileSync(alive, `${new Date().toISOString()}\n`);
  beat();
  setInterval(beat, BEAT_MS).unref();
  return {
    ready(isReady) {
      if (isReady) writeFileSync(ready, `${new Date().toISOString()}\n`);
      else rmSync(ready, { force: true });
    },
  };
}
