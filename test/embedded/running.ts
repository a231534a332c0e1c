/** Runs processes of the embedded default under a supervisor, for one test file. */
import { mkdirSync } from 'node:fs';
import { afterEach } from 'vitest';
import { createSupervisor, type Supervisor } from '../../src/embedded/processes/supervisor.ts';
import type { ProcessSpec } from '../../src/embedded/processes/supervised-process.ts';

const running: Supervisor[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((supervisor) => supervisor.stop()));
});

export async function run(dataDirectory: string, spec: ProcessSpec): Promise<Supervisor> {
  mkdirSync(dataDirectory, { recursive: true });
  const supervisor = createSupervisor({ dataDirectory, onEvent: () => {} });
  running.push(supervisor);
  await supervisor.start([spec]);
  return supervisor;
}
