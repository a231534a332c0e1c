/** Ports of a test's own: a stack whose parts are all dead for a while must find its ports free when it comes back. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StackEnv } from '../../support/stack.ts';

/** Away from those that every other stack tries first, and below those that systems give to outgoing connections. */
const FIRST = 20_000;
const APART = 20;
const PLACES = 600;

/** The first of twenty ports that belong to this process. */
export const firstOwnPort = FIRST + (process.pid % PLACES) * APART;

/** The variables, for a stack on ports of its own. */
export function onOwnPorts(env: Record<string, string>): StackEnv {
  return (directory) => {
    const names = ['server', 'github', 'model', 'temporal', 'temporalUi', 'postgres'];
    const ports = Object.fromEntries(names.map((name, place) => [name, firstOwnPort + place]));
    writeFileSync(join(directory, 'ports.json'), JSON.stringify(ports));
    return env;
  };
}
