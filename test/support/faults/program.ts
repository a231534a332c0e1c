/**
 * `codex-k8s` with faults, and with times that tests need not wait for: `node program.ts FAULTS COMMAND…`, where FAULTS is JSON.
 * `up` starts its server and worker with this program too, so that they have the same; every other command is as it is.
 */
import { fileURLToPath } from 'node:url';
import type { Limits } from '../../../src/app/config/limits.ts';
import { runProgram } from '../../../src/cli/program.ts';
import type { Faults } from './faults.ts';
import type { KillPoints } from './kill-points.ts';

/** What a test asks for. */
export interface PlannedFaults {
  /** Calls that fail at random: `seed=42,rate=0.01`. */
  readonly random?: string;
  /** A directory of points at which a process kills itself. */
  readonly killPoints?: string;
  /** What stands in front of the GitHub emulator's API. */
  readonly gitHubApiUrl?: string;
  /** The times that server and worker keep (src/app/config/limits.ts, test/support/short-limits.ts). */
  readonly limits?: 'production' | 'short';
}

/** How a command of the program with faults is started. */
export function programWith(faults: PlannedFaults): string[] {
  return [fileURLToPath(import.meta.url), JSON.stringify(faults)];
}

if (import.meta.main) await main();

/** Each command loads what it needs when it runs, as those of `codex-k8s` do: the process of `up` is small. */
async function main(): Promise<void> {
  const [planned = ''] = process.argv.splice(2, 1);
  const faults = JSON.parse(planned) as PlannedFaults;
  const gitHub = faults.gitHubApiUrl === undefined ? {} : { CODEXK8S_GITHUB_API_URL: faults.gitHubApiUrl };
  await runProgram({
    self: programWith(faults),
    async runServer() {
      const { serverConfig } = await import('../../../src/app/config/server-config.ts');
      const config = { ...serverConfig(), ...gitHub };
      const { random, killPoints } = await open(faults, 'server', config.CODEXK8S_LOG_LEVEL);
      const { runServer } = await import('../../../src/app/server/server.ts');
      const around = { ...random, ...(killPoints && { fetch: killPoints.aroundFetch, relay: killPoints.aroundTell }) };
      await runServer(config, around, await limitsOf(faults));
    },
    async runWorker() {
      const { workerConfig } = await import('../../../src/app/config/worker-config.ts');
      const config = { ...workerConfig(), ...gitHub };
      const { random, killPoints } = await open(faults, 'worker', config.CODEXK8S_LOG_LEVEL);
      const { runWorker } = await import('../../../src/app/worker/worker.ts');
      const around = { ...random, ...(killPoints && { activities: [killPoints.activity] }) };
      await runWorker(config, around, await limitsOf(faults));
    },
  });
}

async function limitsOf({ limits }: PlannedFaults): Promise<Limits | undefined> {
  return limits === 'short' ? (await import('../short-limits.ts')).SHORT_LIMITS : undefined;
}

async function open(
  { random, killPoints }: PlannedFaults,
  process: string,
  level: string,
): Promise<{ random: Faults | undefined; killPoints: KillPoints | undefined }> {
  const { createLogger } = await import('../../../src/app/process/log.ts');
  const log = createLogger(process, level);
  async function openRandom(plan: string): Promise<Faults> {
    const { faultPlan, openFaults } = await import('./faults.ts');
    return openFaults(faultPlan(plan), { process, log });
  }
  return {
    random: random === undefined ? undefined : await openRandom(random),
    killPoints:
      killPoints === undefined ? undefined : (await import('./kill-points.ts')).openKillPoints(killPoints, log),
  };
}
