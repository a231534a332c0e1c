/**
 * Two files for the kubelet's probes of a process without HTTP: `alive` is written at intervals while the event loop runs;
 * `ready` exists while the worker polls for tasks (deploy/kubernetes/platform/worker.yaml checks both).
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ProbeFiles {
  readonly ready: (isReady: boolean) => void;
}

/** Milliseconds between two writes. */
const BEAT_MS = 5000;

/** Writes the files in `directory` until the process exits; does nothing without a directory. */
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
