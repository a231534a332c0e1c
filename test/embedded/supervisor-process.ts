/** An `up` in small, run as a process of its own so that it can be killed. Arguments: data directory. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { claimDataDirectory } from '../../src/embedded/data-directory.ts';
import { stopLeftovers } from '../../src/embedded/processes/process-record.ts';
import { createSupervisor, stopOnSignal } from '../../src/embedded/processes/supervisor.ts';

const [dataDirectory = ''] = process.argv.slice(2);

function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

const claim = claimDataDirectory(dataDirectory);
const leftovers = await stopLeftovers(dataDirectory, 2000);
const supervisor = createSupervisor({ dataDirectory, onEvent: say });
const ended = stopOnSignal(supervisor, (signal) => say({ kind: 'stopping', signal }));
const deaf = join(dataDirectory, 'deaf');
const env = { PATH: '/usr/bin:/bin' };
// The one that outlives a SIGTERM shows what the second signal does.
await supervisor.start([
  {
    name: 'stubborn',
    command: '/bin/sh',
    args: ['-c', `trap "" TERM; touch "${deaf}"; while :; do sleep 0.1; done`],
    env,
    ready: async () => existsSync(deaf),
    stopWithinMs: 60_000,
  },
  { name: 'willing', command: '/bin/sleep', args: ['1000'], env, after: ['stubborn'] },
]);
claim.announce('http://127.0.0.1:1');
say({ kind: 'ready', pids: supervisor.pids(), leftovers });
await ended;
claim.release();
process.exit(0);
