/**
 * `codex-k8s` with faults: `node program.ts FAULTS COMMAND…`, where FAULTS is JSON. `up` starts its server and worker with
 * this program too, so that they have the same faults; every other command is as it is.
 */
import { fileURLToPath } from 'node:url';
import { serverConfig, workerConfig } from '../../../src/app/config/config.ts';
import { createLogger } from '../../../src/app/process/log.ts';
import { runProgram } from '../../../src/cli/program.ts';
import { faultPlan, openFaults, type Faults } from './faults.ts';
import { openKillPoints, type KillPoints } from './kill-points.ts';

/** What a test asks for. */
export interface PlannedFaults {
  /** Calls that fail at random: `seed=42,rate=0.01`. */
  readonly random?: string;
  /** A directory of points at which a process kills itself. */
  readonly killPoints?: string;
  /** What stands in front of the GitHub emulator's API. */
  readonly gitHubApiUrl?: string;
}

/** How a command of the program with faults is started. */
export function programWith(faults: PlannedFaults): string[] {
  return [fileURLToPath(import.meta.url), JSON.stringify(faults)];
}

if (import.meta.main) await main();

async function main(): Promise<void> {
  const [planned = ''] = process.argv.splice(2, 1);
  const faults = JSON.parse(planned) as PlannedFaults;
  const gitHub = faults.gitHubApiUrl === undefined ? {} : { CODEXK8S_GITHUB_API_URL: faults.gitHubApiUrl };
  await runProgram({
    self: programWith(faults),
    async runServer() {
      const config = { ...serverConfig(), ...gitHub };
      const { random, killPoints } = open(faults, 'server', config.CODEXK8S_LOG_LEVEL);
      const { runServer } = await import('../../../src/app/server/server.ts');
      await runServer(config, {
        ...random,
        ...(killPoints && { fetch: killPoints.aroundFetch, relay: killPoints.aroundTell }),
      });
    },
    async runWorker() {
      const config = { ...workerConfig(), ...gitHub };
      const { random, killPoints } = open(faults, 'worker', config.CODEXK8S_LOG_LEVEL);
      const { runWorker } = await import('../../../src/app/worker/worker.ts');
      await runWorker(config, { ...random, ...(killPoints && { activities: [killPoints.activity] }) });
    },
  });
}

function open(
  { random, killPoints }: PlannedFaults,
  process: string,
  level: string,
): { random: Faults | undefined; killPoints: KillPoints | undefined } {
  const log = createLogger(process, level);
  return {
    random: random === undefined ? undefined : openFaults(faultPlan(random), { process, log }),
    killPoints: killPoints === undefined ? undefined : openKillPoints(killPoints, log),
  };
}
