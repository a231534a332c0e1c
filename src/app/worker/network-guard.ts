/** The guard of the cluster's network as this installation wants it; what it finds is kept for people. */
import {
  createNetworkGuard,
  type NetworkFinding as ProbedNetwork,
  type NetworkGuard,
  type NetworkGuardOptions,
} from '../../adapters/kubernetes/index.ts';
import type { NetworkFinding } from '../../domain/workspace/network-findings.ts';
import type { WorkerConfig } from '../config/worker-config.ts';

export type NetworkSettings = Pick<
  WorkerConfig,
  'DATABASE_URL' | 'CODEXK8S_TEMPORAL_ADDRESS' | 'CODEXK8S_AGENT_FORBIDDEN' | 'CODEXK8S_ALLOW_UNENFORCED_NETWORK_POLICY'
>;

/** A guard whose every finding goes to `keep`, also that a probe failed. What cannot be kept fails the question. */
export function openNetworkGuard(
  settings: NetworkSettings,
  cluster: Pick<NetworkGuardOptions, 'api' | 'pod' | 'egress'>,
  keep: (finding: NetworkFinding) => Promise<void>,
): NetworkGuard {
  const allowUnenforced = settings.CODEXK8S_ALLOW_UNENFORCED_NETWORK_POLICY;
  let findings = 0;

  async function onFinding({ state, detail }: ProbedNetwork): Promise<void> {
    findings += 1;
    await keep({ state, detail, agents: state === 'enforced' || allowUnenforced ? 'started' : 'stopped' });
  }

  /** What fails without a finding has found nothing out; an older finding holds no more. */
  async function noted<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    const before = findings;
    return ask().catch(async (error: unknown) => {
      if (findings === before) await onFinding({ state: 'unknown', detail: reasonOf(error) }).catch(() => undefined);
      throw error;
    });
  }

  const guard = createNetworkGuard({
    ...cluster,
    forbidden: [...ownParts(settings), ...settings.CODEXK8S_AGENT_FORBIDDEN],
    allowUnenforced,
    onFinding,
  });
  return {
    finding: () => noted(() => guard.finding()),
    assertSafe: () => noted(() => guard.assertSafe()),
  };
}

/** `host:port` of the platform's own parts, as far as they are elsewhere than on this machine. */
function ownParts({ DATABASE_URL, CODEXK8S_TEMPORAL_ADDRESS }: NetworkSettings): string[] {
  const { hostname, port } = new URL(DATABASE_URL);
  const parts = [`${hostname}:${port || '5432'}`, CODEXK8S_TEMPORAL_ADDRESS];
  return parts.filter((part) => !/^(127\.[\d.]+|localhost|\[::1\])(:|$)/.test(part));
}

/** Characters of a reason that people read; what the API answers can be long. */
const REASON_LENGTH = 500;

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, REASON_LENGTH);
}
