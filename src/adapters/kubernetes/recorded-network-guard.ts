/** The network guard, with every finding recorded, failed probes too (docs/reliability.md T49). */
import type { NetworkFinding } from '../../domain/workspace/network-findings.ts';
import {
  createNetworkGuard,
  type NetworkFinding as ProbedNetwork,
  type NetworkGuard,
  type NetworkGuardOptions,
} from './network.ts';

/** A guard that passes every finding to `record`. `finding` and `assertSafe` fail if a probe's finding cannot be recorded. */
export function createRecordedNetworkGuard(
  options: Omit<NetworkGuardOptions, 'onFinding'>,
  record: (finding: NetworkFinding) => Promise<void>,
): NetworkGuard {
  const { allowUnenforced } = options;
  let findings = 0;

  async function onFinding({ state, detail }: ProbedNetwork): Promise<void> {
    findings += 1;
    await record({ state, detail, agents: state === 'enforced' || allowUnenforced ? 'started' : 'stopped' });
  }

  /** Records `unknown` for a probe that failed without a finding: an older finding is out of date. */
  async function recorded<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    const before = findings;
    return ask().catch(async (error: unknown) => {
      if (findings === before) await onFinding({ state: 'unknown', detail: reasonOf(error) }).catch(() => undefined);
      throw error;
    });
  }

  const guard = createNetworkGuard({ ...options, onFinding });
  return {
    finding: () => recorded(() => guard.finding()),
    assertSafe: () => recorded(() => guard.assertSafe()),
  };
}

/** Maximum length of a recorded reason, in characters: answers of the API can be long. */
const REASON_LENGTH = 500;

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, REASON_LENGTH);
}
